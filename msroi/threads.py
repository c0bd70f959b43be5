"""How many threads: one bound for the pools of all libraries that msroi works with.

    bounded(n), bound(n) --> most() --> kernels and threads of ours (by argument), ONNX Runtime (by session)
                                    --> OpenCV (of the process), TensorFlow (of the process, until it has begun)

Pools belong to the process, so a bound that one call sets is also that of the calls beside it. Results depend on none.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class _Bounds:
    """What holds now. of_process: for good. of_calls: of those under way. opencv: its own number before any bound."""

    of_process: int | None = None
    of_calls: list[int] = field(default_factory=list)
    opencv: int | None = None


_lock = threading.RLock()
_bounds = _Bounds()


def processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def most() -> int:
    """Threads that a pool may have now: as many as this process is bound to, or one a processor; of a call, fewer."""
    with _lock:
        return min([_bounds.of_process or processors(), *_bounds.of_calls])


def bound(n_threads: int) -> None:
    """For good, in processes of ours: commands and workers."""
    with _lock:
        _bounds.of_process = n_threads
        _settle()


@contextlib.contextmanager
def bounded(n_threads: int | None) -> Iterator[None]:
    """While the block runs; None bounds nothing. OpenCV is told its own number again behind it."""
    if n_threads is None:
        yield
        return
    with _lock:
        _bounds.of_calls.append(n_threads)
        _settle()
    try:
        yield
    finally:
        with _lock:
            _bounds.of_calls.remove(n_threads)
            _settle()


def _settle() -> None:
    """Tell the libraries whose pools are the process's. A call's bound never raises what OpenCV was told by others."""
    import cv2

    if _bounds.opencv is None:
        _bounds.opencv = cv2.getNumThreads()
    if not _is_bound():
        wanted = _bounds.opencv
    elif _bounds.of_process is None:
        wanted = min(_bounds.opencv, most())
    else:
        wanted = most()
    if cv2.getNumThreads() != wanted:
        cv2.setNumThreads(wanted)
    if not _is_bound():
        _bounds.opencv = None
    bound_tensorflow()


def bound_tensorflow() -> None:
    """Tell TensorFlow, if it is loaded, for whoever imports Keras: once it has computed, its pools stay as they are."""
    tensorflow = sys.modules.get("tensorflow")
    if not _is_bound() or tensorflow is None:
        return
    with contextlib.suppress(RuntimeError):
        tensorflow.config.threading.set_intra_op_parallelism_threads(most())
        tensorflow.config.threading.set_inter_op_parallelism_threads(1)


def _is_bound() -> bool:
    return _bounds.of_process is not None or bool(_bounds.of_calls)
