"""Standard error of the whole process, lent out: libraries in C write to the descriptor, whatever Python does."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def sent_to(descriptor: int) -> Iterator[bool]:
    """While the block runs, what is written to standard error goes to that descriptor; exceptions come through.

    Gives False, and does nothing, in a process that has no standard error. It belongs to all threads: whoever may be
    beside others holds a lock of its own.
    """
    try:
        saved = os.dup(2)
    except OSError:
        yield False
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    os.dup2(descriptor, 2)
    try:
        yield True
    finally:
        os.dup2(saved, 2)
        os.close(saved)
