"""The rows: one for each picture, target and encoder, as rows.csv holds them.

A run appends each row when it is known, so that a kill loses none, and writes them in their order at the end. A score
that a later run has and an earlier one had not is PENDING in the earlier one's rows until it is made.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msroi.metrics import METRICS

FILE = "rows.csv"

TEXTS = ("image", "target", "encoder", "version", "settings", "status", "message", "file")
_BEFORE = (
    *("image", "width", "height", "target", "target_bytes", "encoder", "version", "settings", "status", "message"),
    *("bytes", "size_difference_percent", "bpp", "seconds_encode", "seconds_decode", "n_files"),
)
# Whole numbers; all other columns that are no texts are real.
_WHOLE = ("width", "height", "target_bytes", "bytes", "n_files")
_DECIMALS = 6
# Columns that are not the same every time.
TIMES = ("seconds_encode", "seconds_decode")

# What a row's status says. An unreadable picture has one row, without target and encoder.
OK, UNREACHABLE, UNREADABLE, FAILED, ABSENT = "ok", "unreachable", "unreadable", "failed", "absent"

# In place of a score that was not asked for when the row was made.
PENDING = "pending"

# Text, number, or None where nothing was measured.
Row = dict[str, Any]


def columns() -> tuple[str, ...]:
    """The names of the columns in their order; those of the scores are the catalogue's keys."""
    return (*_BEFORE, *METRICS, "file")


def make_row(**values: Any) -> Row:
    """A row with these values; all other columns are empty."""
    row: Row = dict.fromkeys(columns()) | dict.fromkeys(TEXTS, "")
    unknown = values.keys() - row.keys()
    assert not unknown, unknown
    return row | values


def pending(row: Row) -> tuple[str, ...]:
    """Keys of the scores that the row still lacks."""
    return tuple(key for key in METRICS if row[key] == PENDING)


def key_of(row: Row) -> tuple[str, str, str]:
    """Picture, target and encoder."""
    return row["image"], row["target"], row["encoder"]


def to_text(rows: Iterable[Row], *, header: bool = True) -> str:
    """The rows as CSV, a line each."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    names = columns()
    if header:
        writer.writerow(names)
    writer.writerows([_cell(row[column]) for column in names] for row in rows)
    return stream.getvalue()


def read_rows(path: Path) -> list[Row]:
    """The whole rows of a file; none where there is none, and without a last one that was cut off.

    Columns are found by their names: scores that the file has none of are pending where a file was made, and what the
    catalogue does not know is left out.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    cells = list(csv.reader(io.StringIO(text[: text.rfind("\n") + 1])))
    names = cells[0] if cells else []
    if not {*_BEFORE, "file"} <= set(names):
        return []
    return [_parsed(dict(zip(names, line, strict=True))) for line in cells[1:] if len(line) == len(names)]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(round(value, _DECIMALS))
    return " ".join(str(value).split())


def _parsed(cells: dict[str, str]) -> Row:
    lacking = PENDING if cells["status"] == OK else ""
    return {column: _value(column, cells.get(column, lacking)) for column in columns()}


def _value(column: str, cell: str) -> Any:
    if column in TEXTS or cell == PENDING:
        return cell
    if cell == "":
        return None
    return int(cell) if column in _WHOLE else float(cell)


def finite(value: Any) -> bool:
    """Whether a cell is a number that means something."""
    return isinstance(value, (int, float)) and math.isfinite(value)
