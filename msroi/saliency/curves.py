"""What an encoder follows of a map that was made: a curve through its values. Which one hangs on kind and codec.

A codec names its curve on its class (`curve = CONTRAST`), a kind says what stands behind the name (`Kind.curves`); a
kind that knows no such curve is followed as it is. So are the user's own maps and flat ones, and boxes and faces come
after the curve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from msroi.arrays import Saliency

CONTRAST = "contrast"
"""Of the JPEG encoders."""

SQUARE_ROOT = "square root"
"""Of codecs whose spending on a place brings less with each step."""


class Curve(Protocol):
    """A function of a map's values. Its fields go into the identity of what is followed."""

    def __call__(self, saliency: Saliency, out: Saliency | None = None) -> Saliency:
        """float32 in [0, 1], of a map in [0, 1]; out: an array for it, which may be the map itself."""


@dataclass(frozen=True)
class Contrast:
    """Values up to `background` become 0, from `subject` on 1, and those between lie on a line."""

    background: float
    subject: float

    def __call__(self, saliency: Saliency, out: Saliency | None = None) -> Saliency:
        """float32 in [0, 1]."""
        result = np.subtract(saliency, np.float32(self.background), out=out, dtype=np.float32)
        result *= np.float32(1 / (self.subject - self.background))
        return np.clip(result, 0, 1, out=result)


@dataclass(frozen=True)
class SquareRoot:
    """The square root.

    Not in Wang, Han, Wang 2019. Each further iteration of a cell brings less than the one before, so bytes in
    proportion to the map starve what is only half as salient: docs/neural/README.md.
    """

    def __call__(self, saliency: Saliency, out: Saliency | None = None) -> Saliency:
        """float32 in [0, 1]."""
        return np.sqrt(saliency, out=out, dtype=np.float32)
