"""The surface that a search sees: one picture, started once, a file for every value of a knob."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from msroi.search.knobs import Knob


class Session(ABC):
    """One picture, ready to be coded at any value of its codec's knob.

    A codec writes `knob` and `encode`. What else is here has an answer that is right for all, and better ones are
    worth while where a file takes long to make.
    """

    @property
    @abstractmethod
    def knob(self) -> Knob:
        """What the search may turn."""

    @abstractmethod
    def encode(self, value: Any) -> bytes:
        """A whole file without metadata; the same bytes for the same value, on any number of threads."""

    def rough_bytes(self, value: Any) -> float:
        """About how many bytes that file would have, for little time. By default the file is made."""
        return len(self.encode(value))

    def near(self, value: Any, n_bytes: float | None = None) -> Session:
        """A session prepared for values around this one, for a file of `n_bytes` if that is known; sizes may be
        slightly others."""
        return self

    def revised(self, data: bytes, value: Any, n_bytes: float | None = None) -> tuple[Session | None, str]:
        """Judged on its file at a value: a session to search with instead, where this one promised too much, else
        None; and what should be known of the file, "" if nothing. n_bytes: what the search aims at, if `data` is not
        its end."""
        return None, ""

    def variant(self, metric: str) -> Session | None:
        """A session of the same picture that spends more on "psnr" or on "ssim"; None where there is none."""
        return None

    def compacted(self, data: bytes) -> bytes:
        """A file of this session with the same pixels in the fewest bytes, for budgets that are tiny."""
        return data
