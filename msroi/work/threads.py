"""Several tasks at a time in threads of this process, their results in the order of the tasks.

    tasks --> n workers: work(task) --> results as they come --> (task, result or error) in order

Threads and not processes: NumPy, OpenCV, ONNX Runtime and the kernels let go of the interpreter while they work, and
a process costs .4 s and 60 MB before its first picture. Six camera photos take two threads .55 of one thread's time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from msroi.threads import bound, most

Task = TypeVar("Task")
Made = TypeVar("Made")

MOST_JOBS = 8
"""Without a word of the user's: a photo of 20 megapixels takes some 400 MB while it is coded."""

_AHEAD = 2  # so many results a worker may wait to be taken, for order costs memory


@dataclass(frozen=True)
class Failed:
    """In place of a result: what the task raised."""

    error: Exception


@dataclass(frozen=True)
class Budget:
    """How many tasks run at a time, and how many threads each of them may use."""

    n_jobs: int
    n_threads: int

    @classmethod
    def of(cls, n_tasks: int, jobs: int | None = None, threads: int | None = None) -> Budget:
        """For so many tasks. jobs: at a time; threads: of all jobs together; by default one a processor."""
        total = threads or most()
        n_jobs = max(1, min(n_tasks, jobs or min(total, MOST_JOBS)))
        return cls(n_jobs, max(1, total // n_jobs))

    def bound_process(self) -> None:
        """Hold the libraries that have threads of their own for the whole process to it."""
        bound(self.n_threads)


def in_order(
    tasks: Sequence[Task], work: Callable[[Task], Made], n_jobs: int
) -> Generator[tuple[Task, Made | Failed], None, None]:
    """Each task with what `work` made of it or raised, in the order of the tasks; one bad task stops no other.

    With one job everything happens in the caller's thread, a task when its result is asked for. With more, whoever
    stops asking (an interrupt) stops the tasks that have not begun; those under way end unheard in daemon threads.
    """
    if min(n_jobs, len(tasks)) < 2:
        for task in tasks:
            yield task, _done(work, task)
        return
    queue = _Queue(tasks, work, n_jobs)
    for _ in range(min(n_jobs, len(tasks))):
        threading.Thread(target=queue.serve, daemon=True).start()
    try:
        for place, task in enumerate(tasks):
            yield task, queue.take(place)
    finally:
        queue.stop()


def _done(work: Callable[[Task], Made], task: Task) -> Made | Failed:
    try:
        return work(task)
    except Exception as error:
        return Failed(error)


class _Queue(Generic[Task, Made]):
    """Tasks that have not begun, and results that have not been taken."""

    def __init__(self, tasks: Sequence[Task], work: Callable[[Task], Made], n_jobs: int) -> None:
        self._tasks, self._work = tasks, work
        self._most_ahead = n_jobs * _AHEAD
        self._changed = threading.Condition()
        self._results: dict[int, Made | Failed] = {}
        self._n_begun = self._n_taken = 0
        self._stopped = False

    def serve(self) -> None:
        """What runs in a worker."""
        while (place := self._begin()) is not None:
            result = _done(self._work, self._tasks[place])
            with self._changed:
                self._results[place] = result
                self._changed.notify_all()
            del result  # the next task may need the memory

    def _begin(self) -> int | None:
        with self._changed:
            while not self._stopped and self._n_begun < len(self._tasks):
                if self._n_begun < self._n_taken + self._most_ahead:
                    self._n_begun += 1
                    return self._n_begun - 1
                self._changed.wait()
        return None

    def take(self, place: int) -> Made | Failed:
        with self._changed:
            while place not in self._results:
                self._changed.wait(1)  # with a limit, or Windows would not hear an interrupt
            self._n_taken = place + 1
            self._changed.notify_all()
            return self._results.pop(place)

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
