"""What a verb says: lines, tables, JSON, progress.

Results go to standard output, errors and progress to standard error. Where standard output carries a
picture (`-o -`), results go to standard error too. JSON is one object a line; what is no finite number
is null.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from msroi.cli.spelling import spelled, spelled_option
from msroi.errors import MsroiError, OptionError

if TYPE_CHECKING:
    from rich.progress import Progress
    from rich.table import Table

SCHEMA = 1
"""Of the JSON of all verbs; a new number whenever a name goes or changes its meaning."""

# --- lines -------------------------------------------------------------------------------------


def escape(text: str) -> str:
    """The text with everything that no terminal should be handed (file names may hold it) written out."""
    return "".join(
        letter
        if letter.isprintable() or unicodedata.category(letter) == "Zs"
        else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )


def print_line(text: str, stream: TextIO) -> None:
    """One line of text with the library's fields in the command line's words."""
    write_line(spelled(text), stream)


def write_line(text: str, stream: TextIO) -> None:
    """One line of text as it is, in whatever encoding the stream has."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    line = escape(text).encode(encoding, "backslashreplace").decode(encoding)
    stream.write(line + "\n")
    stream.flush()


def print_error(text: str) -> None:
    """`msroi: text` on standard error."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # nobody there to read it
        print_line(f"msroi: {text}", sys.stderr)


def failure(error: BaseException, name: str | None = None) -> str:
    """What went wrong in one line, the input's name first."""
    text = " ".join(str(error).split())
    text = spelled_option(text) if isinstance(error, OptionError) else spelled(text)
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror
        if error.filename is not None and str(error.filename) != name:
            text = f"{error.filename}: {text}"
    elif isinstance(error, MemoryError):
        text = "not enough memory; make the picture smaller with --max-side"
    elif not isinstance(error, MsroiError):
        text = f"{type(error).__name__}: {text} (this should not happen; --debug shows where)"
    return text if name is None or text.startswith(name) else f"{name}: {text}"


def exit_status(error: BaseException) -> int:
    """What the command line ends with for this error: its class's own, 1 for what is none of ours."""
    return error.exit_status if isinstance(error, MsroiError) else 1


def as_json(record: dict[str, Any]) -> str:
    """One line of JSON; NaN and infinity become null, and what the library says is put in the command line's words."""
    said = {key: _spelled(value) if key in _SAID else value for key, value in record.items()}
    return json.dumps(_finite(said), allow_nan=False)


# What the library's words stand under.
_SAID = ("notices", "details", "reason", "target", "reached", "error")


def _spelled(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_spelled(item) for item in value]
    return spelled(value) if isinstance(value, str) else value


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def number(value: float | None, digits: int) -> str:
    """A figure for a table: '-' for none, 'inf' for the PSNR of equal pictures."""
    return "-" if value is None else f"{value:,.{digits}f}"


# --- the screen --------------------------------------------------------------------------------


class Screen:
    """Where a verb's words go: a line for people or a JSON object, never both.

    slow: one input alone takes long enough for a bar, which `advance` moves.
    """

    def __init__(self, arguments: argparse.Namespace, *, data_on_stdout: bool = False, slow: bool = False) -> None:
        self.json: bool = arguments.json
        self.verb = " ".join(filter(None, (arguments.verb, getattr(arguments, "neural_verb", None))))
        self.slow = slow
        self.quiet: bool = arguments.quiet
        self.debug: bool = getattr(arguments, "debug", False)
        self.stream: TextIO = (sys.stderr if data_on_stdout else sys.stdout) or _nowhere()
        self._progress: Progress | None = None
        self._n_started = 0

    @property
    def for_people(self) -> bool:
        return not (self.json or self.quiet)

    @property
    def width(self) -> int | None:
        """Columns of the terminal, None where the words go to a file or a pipe."""
        if not self.stream.isatty():
            return None
        with contextlib.suppress(OSError, ValueError):
            return os.get_terminal_size(self.stream.fileno()).columns
        return 80

    def line(self, text: str) -> None:
        """A line for people."""
        if self.for_people:
            self._print(text, self.stream)

    def record(self, record: dict[str, Any], status: str = "done") -> None:
        """An object for machines. status: done, kept, skipped or failed; docs/json.md has the vocabulary."""
        if self.json:
            # As it is: what the library says is spelled by `as_json`, and names of files are data.
            self._write(as_json({"schema": SCHEMA, "verb": self.verb, "status": status, **record}), self.stream)

    def error(self, text: str) -> None:
        self._print(f"msroi: {text}", sys.stderr or _nowhere())

    def table(self, table: Table) -> None:
        """A table for people: as wide as it needs to be in a pipe, without colour or trailing blanks."""
        if self.for_people:
            for line in render(table, self.width):
                self._print(line, self.stream)

    @contextlib.contextmanager
    def progress(self, total: int) -> Iterator[Callable[[str], None]]:
        """A bar on standard error while several inputs are worked on; yields `start(name)`."""
        if total < (1 if self.slow else 2) or self.quiet or sys.stderr is None or not sys.stderr.isatty():
            yield lambda name: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
        # Standard output is left alone: it may be a pipe, and rich would redirect it to standard error.
        bar = Progress(
            *columns,
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        with bar:
            task = bar.add_task("", total=total)
            self._n_started = 0

            def start(name: str) -> None:
                bar.update(task, completed=self._n_started, description=_plain_markup(name))
                self._n_started += 1

            self._progress = bar
            try:
                yield start
            finally:
                self._progress = None

    def advance(self, share: float) -> None:
        """Move the bar, where there is one: this share, 0 to 1, of the input that was started is done."""
        if self._progress is not None:
            self._progress.update(self._progress.task_ids[0], completed=self._n_started - 1 + share)

    def _print(self, text: str, stream: TextIO) -> None:
        self._write(spelled(text), stream)

    def _write(self, text: str, stream: TextIO) -> None:
        if self._progress is not None and stream.isatty():
            # Above the bar, which stays at the foot of the same terminal.
            self._progress.console.print(escape(text), markup=False, highlight=False, soft_wrap=True, emoji=False)
        else:
            write_line(text, stream)


def _nowhere() -> TextIO:
    """Where words go when standard output was closed."""
    return Path(os.devnull).open("w", encoding="utf-8")


def _plain_markup(name: str) -> str:
    from rich.markup import escape as escape_markup

    return escape_markup(escape(name))


def render(table: Table, width: int | None) -> list[str]:
    """The lines of a rich table, no name cut: `width` columns, or as many as it takes for None."""
    from rich.console import Console

    unlimited = Console(width=10_000, color_system=None)
    needed = table.__rich_measure__(unlimited, unlimited.options).maximum
    console = Console(width=max(needed, width or 0), color_system=None, legacy_windows=False)
    with console.capture() as captured:
        console.print(table)
    return [line.rstrip() for line in captured.get().splitlines()]


def make_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table whose first column is text and whose others are figures."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place == 0 else "right", no_wrap=True, header_style="")
    for row in rows:
        table.add_row(*(Text(escape(cell)) for cell in row))
    return table
