"""The rows: one for each picture, target and encoder, as rows.csv holds them.

A run appends each row when it is known, so that a kill loses none, and writes them in their order at the end. A score
that a later run has and an earlier one had not is PENDING in the earlier one's rows until it is made.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from msroi.errors import OptionError
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

# What a page cannot do without, in whatever a benchmark wrote.
NEEDED = ("image", "target", "encoder", "status", "bytes", "file")
_LONGEST_FIELD = 1_000_000


class Row(dict[str, Any]):
    """One encode: text, number, PENDING, or None where nothing was measured, by column."""

    def __or__(self, other: Any) -> Row:  # type: ignore[override]
        return Row(super().__or__(other))

    @property
    def image(self) -> str:
        return str(self["image"])

    @property
    def target(self) -> str:
        return str(self["target"])

    @property
    def encoder(self) -> str:
        return str(self["encoder"])

    @property
    def settings(self) -> str:
        return str(self["settings"])

    @property
    def status(self) -> str:
        return str(self["status"])

    @property
    def message(self) -> str:
        return str(self["message"])

    @property
    def file(self) -> str:
        return str(self["file"])

    @property
    def ok(self) -> bool:
        """Whether it has a file."""
        return self.status == OK

    @property
    def figures(self) -> dict[str, float]:
        """Every number that was measured, by column."""
        return {column: value for column, value in self.items() if isinstance(value, (int, float))}

    def figure(self, column: str) -> float | None:
        """The number in a column, None where there is none."""
        value = self.get(column)
        return value if isinstance(value, (int, float)) else None


def columns() -> tuple[str, ...]:
    """The names of the columns in their order; those of the scores are the catalogue's keys."""
    return (*_BEFORE, *METRICS, "file")


def make_row(**values: Any) -> Row:
    """A row with these values; all other columns are empty."""
    row = Row(dict.fromkeys(columns()) | dict.fromkeys(TEXTS, ""))
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


def read_rows(path: Path, *, strict: bool = False) -> list[Row]:
    """The rows of a file. Columns are found by their names; what the catalogue does not know stays as figures.

    Scores that the file has no column of are pending where an encode was made. Without `strict` it is what a run finds
    of an earlier one: nothing where there is no file or it is no such file, and no line that is torn.
    Errors: OptionError with `strict`, where the file is missing or is not what a benchmark writes.
    """
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        if not strict:
            return []
        reason = (error.strerror or type(error).__name__).lower()
        raise OptionError(f"{path}: {reason}; msroi benchmark FOLDER -d {path.parent} makes it") from error
    csv.field_size_limit(_LONGEST_FIELD)
    whole = text if strict else text[: text.rfind("\n") + 1]
    try:
        return list(_rows_of(csv.reader(io.StringIO(whole, newline=""), strict=strict), path, strict))
    except csv.Error as error:
        if not strict:
            return []
        raise OptionError(f"{path}: cannot be read as CSV: {error}") from error


def _rows_of(lines: Any, path: Path, strict: bool) -> Iterator[Row]:
    """lines: the file's reader."""
    names: list[str] = next(lines, [])
    lacking = [name for name in (NEEDED if strict else (*_BEFORE, "file")) if name not in names]
    if lacking:
        if strict:
            raise OptionError(f"{path}: lacks the column {lacking[0]}; msroi benchmark writes it")
        return
    for cells in lines:
        if not cells:
            continue
        try:
            if len(cells) != len(names):
                raise OptionError("not as many fields as the first line names")
            yield _parsed(dict(zip(names, cells, strict=True)))
        except OptionError as error:
            if strict:
                raise OptionError(f"{path}, line {lines.line_num}: {error}") from None


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(round(value, _DECIMALS))
    return " ".join(str(value).split())


def _parsed(cells: dict[str, str]) -> Row:
    lacking = dict.fromkeys(METRICS, PENDING if cells["status"] == OK else "")
    given = dict.fromkeys(columns(), "") | lacking | cells
    return Row({column: _value(column, cell) for column, cell in given.items()})


def _value(column: str, cell: str) -> Any:
    if column in TEXTS or cell == PENDING:
        return cell
    if cell == "":
        return None
    try:
        number = float(cell)
    except ValueError:
        raise OptionError(f"{column} is {cell!r:.40}, not a number") from None
    if math.isnan(number):
        return None
    return int(number) if column in _WHOLE and number.is_integer() else number


def finite(value: Any) -> bool:
    """Whether a cell is a number that means something."""
    return isinstance(value, (int, float)) and math.isfinite(value)
