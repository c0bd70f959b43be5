"""What is needed next is made while the network is busy with what is there."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Key = TypeVar("Key")
Made = TypeVar("Made")

AHEAD = 2
"""Batches that wait. More take memory and gain nothing: either the network waits or they do."""


def made_ahead(make: Callable[[Key], Made], keys: Iterable[Key], threads: int = 1) -> Iterator[tuple[Key, Made]]:
    """(key, make(key)) in the order of the keys, AHEAD of them made in `threads` other threads.

    What `make` raises is raised here, at its key; what was waiting behind it is given up.
    """
    waiting: deque[tuple[Key, Future[Made]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for key in keys:
                waiting.append((key, pool.submit(make, key)))
                if len(waiting) > AHEAD:
                    ready, future = waiting.popleft()
                    yield ready, future.result()
            while waiting:
                ready, future = waiting.popleft()
                yield ready, future.result()
        finally:
            for _, future in waiting:
                future.cancel()
