"""What the programs of train/ share as commands: their name, one line for an error, lines with the time."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence

from msroi.errors import MsroiError, OptionError

INTERRUPTED = 130
"""Status after an interrupt, as shells have it: 128 and the signal's number."""


class InputsError(OptionError):
    """All that is wrong with what a program was given, a line each."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("; ".join(lines))
        self.lines = tuple(lines)


def parser(module: str, text: str | None) -> argparse.ArgumentParser:
    """A parser for `python -m MODULE`; the first line of `text`, the module's docstring, says what it does."""
    line = (text or "").strip().split("\n")[0].split(": `python -m")[0]
    return argparse.ArgumentParser(prog=f"python -m {module}", description=line)


def run(
    parser: argparse.ArgumentParser, work: Callable[[argparse.Namespace], object], argv: Sequence[str] | None = None
) -> int:
    """Parse the words and do the work; the exit status.

    An MsroiError is told on standard error, in a line (InputsError: several) that begins with the program's name, and
    gives its status.
    """
    options = parser.parse_args(argv)
    name = parser.prog.removeprefix("python -m ")
    try:
        work(options)
    except MsroiError as error:
        for line in error.lines if isinstance(error, InputsError) else [str(error)]:
            print(f"{name}: {line}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def say(line: str) -> None:
    """A line with the time of day, at once."""
    print(time.strftime("%H:%M:%S"), line, flush=True)
