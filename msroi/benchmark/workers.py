"""Work in processes of their own: one that dies fails the task it was at, and none outlives its parent.

    tasks --> pipe --> worker: handle(task) --> results, one after the other --> pipe --> (task, result) ...

The standard library's pool gives up when a process dies, as it may in an encoder's native code, and leaves its
processes waiting for ever when the parent is killed.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
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


@dataclass(frozen=True)
class Died:
    """In place of a result: the process ended at this task, killed or by a fault of native code."""

    exit_code: int | None

    def __str__(self) -> str:
        code = self.exit_code
        how = f"signal {-code}" if code is not None and code < 0 else f"status {code}"
        return f"its process died ({how})"


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Any
    task: Any = None


def run_tasks(
    factory: Callable[[Any], Handle], setup: Any, tasks: Sequence[Any], n_workers: int
) -> Iterator[tuple[Any, Any]]:
    """(task, result) in the order in which they come; a result may be a `Died`, the last of its task."""
    waiting = deque(tasks)
    workers: dict[Any, _Worker] = {}

    def give() -> None:
        """A worker for the next task."""
        worker = _start(factory, setup)
        hand(worker)
        workers[worker.pipe] = worker

    def hand(worker: _Worker) -> None:
        worker.task = waiting.popleft()
        with contextlib.suppress(OSError):  # it died just now, which its pipe will say
            worker.pipe.send(worker.task)

    try:
        for _ in range(min(n_workers, len(waiting))):
            give()
        while workers:
            for pipe in connection.wait(list(workers)):
                worker = workers[pipe]
                try:
                    is_result, value = worker.pipe.recv()
                except (EOFError, OSError):
                    del workers[pipe]
                    worker.process.join(_END_SECONDS)
                    yield worker.task, Died(worker.process.exitcode)
                    if waiting:
                        give()
                    continue
                if is_result:
                    yield worker.task, value
                elif waiting:
                    hand(worker)
                else:
                    del workers[pipe]
                    worker.pipe.close()
                    worker.process.join(_END_SECONDS)
    finally:
        for worker in workers.values():
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
            for result in handle(task):
                pipe.send((True, result))
            pipe.send((False, None))
    except (EOFError, OSError):
        return
