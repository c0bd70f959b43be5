"""The surface that a search sees: one picture, started once, a file for every setting of a knob."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from msroi.search.knobs import Knob

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Session(ABC):
    """One picture, ready to be coded at any setting of its codec's knob.

    A codec writes `knob` and `encode`. What else is here has an answer that is right for all, and better ones are
    worth while where a file takes long to make.
    """

    has_variants = False
    """Whether it is worth while to ask for a `variant`."""

    @property
    @abstractmethod
    def knob(self) -> Knob:
        """What the search may turn."""

    @abstractmethod
    def encode(self, setting: Any) -> bytes:
        """A whole file without metadata; the same bytes for the same setting, on any number of threads."""

    def rough_bytes(self, setting: Any) -> float:
        """About how many bytes that file would have, for little time. By default the file is made."""
        return len(self.encode(setting))

    def near(self, setting: Any, n_bytes: float | None = None) -> Session:
        """A session prepared for settings around this one, for a file of `n_bytes` if that is known; sizes may be
        slightly others."""
        return self

    def part(self, rows: npt.NDArray[np.intp]) -> Session | None:
        """This session for some rows of the picture's pixels, one under the other, as nearly as it goes; rows come in
        strips of 32 from a multiple of 32 on. None where there is none: then whole files are made."""
        return None

    def revised(self, data: bytes, setting: Any, n_bytes: float | None = None) -> tuple[Session | None, str]:
        """Judged on its file at a setting: a session to search with instead, where this one promised too much, else
        None; and what should be known of the file, "" if nothing. n_bytes: what the search aims at, if `data` is not
        its end."""
        return None, ""

    def variant(self, metric: str) -> Session | None:
        """A session of the same picture that spends more on "psnr" or on "ssim"; None where there is none."""
        return None

    def compacted(self) -> Session | None:
        """A session with the same pixels in fewer bytes, for budgets that are tiny; None where this leaves no room."""
        return None
