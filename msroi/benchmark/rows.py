"""The rows: one for each picture, target and encoder, as rows.csv holds them.

A run appends each row when it is known, so that a kill loses none, and writes them in their order at the end.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msroi.benchmark.scores import SCORES

FILE = "rows.csv"

TEXTS = ("image", "target", "encoder", "version", "settings", "status", "message", "file")
COLUMNS = (
    *("image", "width", "height", "target", "target_bytes", "encoder", "version", "settings", "status", "message"),
    *("bytes", "size_difference_percent", "bpp", "seconds_encode", "seconds_decode", "n_files"),
    *SCORES,
    "file",
)
# Whole numbers; all other columns that are no texts are real.
_WHOLE = ("width", "height", "target_bytes", "bytes", "n_files")
_DECIMALS = 6
# Columns that are not the same every time.
TIMES = ("seconds_encode", "seconds_decode")

# What a row's status says. An unreadable picture has one row, without target and encoder.
OK, UNREACHABLE, UNREADABLE, FAILED, ABSENT = "ok", "unreachable", "unreadable", "failed", "absent"

# Text, number, or None where nothing was measured.
Row = dict[str, Any]


def make_row(**values: Any) -> Row:
    """A row with these values; all other columns are empty."""
    row: Row = dict.fromkeys(COLUMNS) | dict.fromkeys(TEXTS, "")
    unknown = values.keys() - row.keys()
    assert not unknown, unknown
    return row | values


def key_of(row: Row) -> tuple[str, str, str]:
    """Picture, target and encoder."""
    return row["image"], row["target"], row["encoder"]


def to_text(rows: Iterable[Row], *, header: bool = True) -> str:
    """The rows as CSV, a line each."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    if header:
        writer.writerow(COLUMNS)
    writer.writerows([_cell(row[column]) for column in COLUMNS] for row in rows)
    return stream.getvalue()


def read_rows(path: Path) -> list[Row]:
    """The whole rows of a file; none where there is none, and without a last one that was cut off."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    lines = text[: text.rfind("\n") + 1]
    cells = list(csv.reader(io.StringIO(lines)))
    if not cells or tuple(cells[0]) != COLUMNS:
        return []
    return [_parsed(line) for line in cells[1:] if len(line) == len(COLUMNS)]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(round(value, _DECIMALS))
    return " ".join(str(value).split())


def _parsed(cells: list[str]) -> Row:
    row: Row = dict(zip(COLUMNS, cells, strict=True))
    for column, cell in row.items():
        if column not in TEXTS:
            row[column] = None if cell == "" else int(cell) if column in _WHOLE else float(cell)
    return row


def finite(value: Any) -> bool:
    """Whether a cell is a number that means something."""
    return isinstance(value, (int, float)) and math.isfinite(value)
