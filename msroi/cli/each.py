"""One input after the other: a bad one is told and counted, the good ones are finished."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence

from msroi.cli.inputs import Input
from msroi.cli.output import Screen, failure
from msroi.errors import ImageError, OptionError

SOME_FAILED = 1
WRONG_USAGE = OptionError.exit_status


def run_each(
    inputs: Sequence[Input], problems: Sequence[tuple[str, ImageError]], work: Callable[[Input], None], screen: Screen
) -> int:
    """Work on every input. Returns the exit status.

    problems: inputs that were not found, name and error; they count as failed. Where every input
    fails by an OptionError, the usage was wrong.
    """
    failures: list[Exception] = [error for _, error in problems]
    for name, error in problems:
        _tell(error, name, screen)
    with screen.progress(len(inputs)) as start:
        for item in inputs:
            start(item.name)
            try:
                work(item)
            except BrokenPipeError:
                raise
            except Exception as error:
                _tell(error, item.name, screen)
                failures.append(error)
    n_all = len(inputs) + len(problems)
    if not failures:
        return 0
    if n_all > 1:
        screen.error(f"{len(failures)} of {n_all} inputs failed")
    all_usage = len(failures) == n_all and all(isinstance(error, OptionError) for error in failures)
    return WRONG_USAGE if all_usage else SOME_FAILED


def _tell(error: Exception, name: str, screen: Screen) -> None:
    message = failure(error, name)
    if screen.debug:
        traceback.print_exception(error)
    screen.error(message)
    screen.record(
        {
            "input": name,
            "error": message,
            "error_class": type(error).__name__,
        }
    )
