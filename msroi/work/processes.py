"""Work in processes of their own: one that dies fails the task it was at, and none outlives its parent.

    tasks --> pipe --> worker: handle(task) --> results, one after the other --> pipe --> (task, result) ...

The standard library's pool gives up when a process dies, as it may in an encoder's native code, and leaves its
processes waiting for ever when the parent is killed. Here each worker has a pipe of its own: no lock is shared that a
dying one could hold, and an end of the pipe is an end of the worker, on either side.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.context import SpawnProcess
from typing import Any

# What a worker does with a task; made in the worker by a factory from a setup, both of which travel there.
Handle = Callable[[Any], Iterator[Any]]

_END_SECONDS = 5

_BEGUN, _RESULT, _DONE = range(3)  # what a worker says, with a value


@dataclass(frozen=True)
class Died:
    """In place of a result: the process ended at this task, killed or by a fault of native code."""

    exit_code: int | None

    def __str__(self) -> str:
        code = self.exit_code
        how = f"signal {-code}" if code is not None and code < 0 else f"status {code}"
        return f"its process died ({how})"


@dataclass(frozen=True)
class TookTooLong:
    """In place of a result: the task had its time, and its process was ended."""

    seconds: float

    def __str__(self) -> str:
        return f"took more than {self.seconds:g} seconds and was ended"


@dataclass
class _Worker:
    """deadline: on the monotonic clock, of the task that has begun; None where there is none."""

    process: SpawnProcess
    pipe: Any
    task: Any = None
    deadline: float | None = None


def run_tasks(
    factory: Callable[[Any], Handle], setup: Any, tasks: Sequence[Any], n_workers: int, seconds: float | None = None
) -> Iterator[tuple[Any, Any]]:
    """(task, result) in the order in which they come; a result may be a `Died` or `TookTooLong`, the last of its task.

    factory, setup: `factory(setup)` is called once in each worker, and gives what handles the tasks there.
    seconds: what a task may take from when its worker has it in hand; the start of a process does not count.
    """
    pool = _Pool(factory, setup, tasks, seconds)
    try:
        for _ in range(min(n_workers, len(tasks))):
            pool.give_to_a_new_one()
        while pool.workers:
            for worker in pool.that_spoke():
                yield from pool.heard(worker)
            for worker in pool.overdue():
                yield from pool.ended(worker)
    finally:
        pool.stop()


class _Pool:
    """Workers, each at a task, and the tasks that nobody has."""

    def __init__(
        self, factory: Callable[[Any], Handle], setup: Any, tasks: Sequence[Any], seconds: float | None
    ) -> None:
        self._factory, self._setup, self._seconds = factory, setup, seconds
        self._waiting = deque(tasks)
        self.workers: dict[Any, _Worker] = {}

    def give_to_a_new_one(self) -> None:
        """A worker for the next task, if there is one."""
        if self._waiting:
            worker = _start(self._factory, self._setup)
            self._hand(worker)
            self.workers[worker.pipe] = worker

    def _hand(self, worker: _Worker) -> None:
        worker.task, worker.deadline = self._waiting.popleft(), None
        with contextlib.suppress(OSError):  # it died just now, which its pipe will say
            worker.pipe.send(worker.task)

    def that_spoke(self) -> list[_Worker]:
        """Those with something to say, as soon as there are any; none where a task's time is over before."""
        deadlines = [worker.deadline for worker in self.workers.values() if worker.deadline is not None]
        timeout = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
        return [self.workers[pipe] for pipe in connection.wait(list(self.workers), timeout)]

    def heard(self, worker: _Worker) -> Iterator[tuple[Any, Any]]:
        """Take one thing that a worker says, and see to it that it has a task."""
        try:
            kind, value = worker.pipe.recv()
        except (EOFError, OSError):
            del self.workers[worker.pipe]
            worker.process.join(_END_SECONDS)
            yield worker.task, Died(worker.process.exitcode)
            self.give_to_a_new_one()
            return
        if kind == _BEGUN:
            worker.deadline = None if self._seconds is None else time.monotonic() + self._seconds
        elif kind == _RESULT:
            yield worker.task, value
        elif self._waiting:
            self._hand(worker)
        else:
            del self.workers[worker.pipe]
            worker.pipe.close()
            worker.process.join(_END_SECONDS)

    def overdue(self) -> list[_Worker]:
        """Those whose task has had its time."""
        now = time.monotonic()
        return [worker for worker in self.workers.values() if worker.deadline is not None and now >= worker.deadline]

    def ended(self, worker: _Worker) -> Iterator[tuple[Any, Any]]:
        """A worker that is no more, and what is said of its task."""
        assert self._seconds is not None
        del self.workers[worker.pipe]
        worker.process.kill()
        worker.process.join(_END_SECONDS)
        worker.pipe.close()
        yield worker.task, TookTooLong(self._seconds)
        self.give_to_a_new_one()

    def stop(self) -> None:
        """End them all."""
        for worker in self.workers.values():
            worker.process.terminate()
            worker.pipe.close()


def _start(factory: Callable[[Any], Handle], setup: Any) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, factory, setup), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _serve(pipe: Any, factory: Callable[[Any], Handle], setup: Any) -> None:
    """What runs in a worker, until its parent closes the pipe or is no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
    warnings.simplefilter("ignore")
    try:
        handle = factory(setup)
        while True:
            task = pipe.recv()
            pipe.send((_BEGUN, None))
            for result in handle(task):
                pipe.send((_RESULT, result))
            pipe.send((_DONE, None))
    except (EOFError, OSError):
        return
