"""What a search finds, what a judge says of a file, and that none fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msroi.errors import TargetError


@dataclass(frozen=True)
class Match:
    """What a search found: the file, its setting, how many files were made on the way, what it reached.

    note: what the session decided on the way, in words; "" if nothing.
    """

    data: bytes
    setting: Any
    n_probes: int
    reached: str = ""
    note: str = ""


@dataclass(frozen=True)
class Verdict:
    """Whether a file is good enough, and what it reached in words ("33.1 dB").

    margin: by how many decibels it is above what is wanted, or below it; searches between real settings need it.
    """

    good: bool
    reached: str
    margin: float = 0.0


class NoneFitsError(TargetError):
    """No setting has a file of at most `max_bytes` bytes; the smallest has `smallest`."""

    def __init__(self, max_bytes: int, smallest: int) -> None:
        super().__init__(
            f"target {max_bytes} bytes is below the smallest this picture can be "
            f"({smallest} bytes); raise it or make the picture smaller"
        )
        self.smallest = smallest
