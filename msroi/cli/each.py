"""One input after the other: a bad one is told and counted, the good ones are finished."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from typing import TypeVar

from msroi.cli.output import Screen, exit_status, failure
from msroi.errors import ImageError, OptionError
from msroi.work.inputs import Input

SOME_FAILED = 1

Made = TypeVar("Made")


class Failures:
    """What failed in a run: told when it is met, counted, and the exit status of it all.

    problems: inputs that were not found, name and error; they count as failed.
    """

    def __init__(self, problems: Sequence[tuple[str, ImageError]], screen: Screen) -> None:
        self.screen = screen
        self.statuses: list[int] = []
        for name, error in problems:
            self.tell(error, name)

    def tell(self, error: BaseException, name: str) -> None:
        """One line, and one object for machines, on an input that failed.

        The error itself is let go: its traceback holds all that the work had in its hands, pictures too.
        """
        self.statuses.append(exit_status(error))
        message = failure(error, name)
        if self.screen.debug:
            traceback.print_exception(error)
        self.screen.error(message)
        self.screen.record(
            {
                "input": name,
                "error": message,
                "error_class": type(error).__name__,
                "exit_status": exit_status(error),
            },
            status="failed",
        )

    def status(self, n_inputs: int) -> int:
        """The exit status of a run over so many inputs, of which those that were not found are some.

        That of the errors where all have the same; but wrong usage means that nothing was done, so that it takes
        every input.
        """
        if not self.statuses:
            return 0
        if n_inputs > 1:
            self.screen.error(f"{len(self.statuses)} of {n_inputs} inputs failed")
        statuses = set(self.statuses)
        if len(statuses) > 1 or (statuses == {OptionError.exit_status} and len(self.statuses) < n_inputs):
            return SOME_FAILED
        return statuses.pop()


def run_each(
    inputs: Sequence[Input], problems: Sequence[tuple[str, ImageError]], work: Callable[[Input], None], screen: Screen
) -> int:
    """Work on every input. Returns the exit status. problems: see `Failures`."""
    failures = Failures(problems, screen)
    with screen.progress(len(inputs)) as start:
        for item in inputs:
            start(item.name)
            try:
                work(item)
            except BrokenPipeError:
                raise
            except Exception as error:
                failures.tell(error, item.name)
    return failures.status(len(inputs) + len(problems))


def run_several(
    inputs: Sequence[Input],
    problems: Sequence[tuple[str, ImageError]],
    make: Callable[[Input], Made],
    finish: Callable[[Input, Made], None],
    screen: Screen,
    n_jobs: int,
) -> int:
    """`run_each` with several inputs at a time: `make` in threads, `finish` in this one, in the inputs' order."""
    from msroi.work import Failed, in_order

    failures = Failures(problems, screen)
    with screen.progress(len(inputs)) as start:
        results = in_order(inputs, make, n_jobs)
        for item in inputs:
            start(item.name)
            _, made = next(results)
            try:
                if isinstance(made, Failed):
                    raise made.error
                finish(item, made)
            except BrokenPipeError:
                raise
            except Exception as error:
                failures.tell(error, item.name)
            del made  # the next one may need the memory
        results.close()
    return failures.status(len(inputs) + len(problems))
