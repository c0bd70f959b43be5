"""The background guard: a map may be wrong, so what it takes from the rest of the picture has a floor.

The strength of a map's weights is the largest, up to the one asked for, at which the mean SSIM of the blocks
that weigh less than one is at least plain JPEG's at the same bytes (DESIGN 5.3). It is judged on luma, on
the whole picture or, of large ones, on strips of it put together.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from msroi.jpeg import plain
from msroi.jpeg.block_weights import similarity_of_blocks
from msroi.jpeg.coefficients import luma_of
from msroi.jpeg.tables import Floats

Pixels = npt.NDArray[np.uint8]

# Above so many pixels the guard looks at strips of so many rows, whole MCUs, evenly spaced.
SAMPLE_PIXELS = 600_000
STRIP = 64

# Strengths are tried in steps of one part in STEPS; SSIM must exceed plain's by MARGIN, because what is
# measured here differs a little from what is in the file at the end.
STEPS = 8
MARGIN = 0.0005

# A file at a strength from 0 to 1.
Trial = Callable[[float], bytes]


def sampled_rows(height: int, width: int) -> npt.NDArray[np.intp]:
    """The rows of a picture that the guard looks at: all, or of a large one strips of whole MCUs."""
    n_strips = max(1, SAMPLE_PIXELS // (STRIP * width))
    if height * width <= SAMPLE_PIXELS or n_strips * STRIP >= height:
        return np.arange(height)
    tops = [round(i * (height // STRIP - 1) / max(1, n_strips - 1)) * STRIP for i in range(n_strips)]
    return np.concatenate([np.arange(top, top + STRIP) for top in tops])


def sample(pixels: Pixels, weights: Floats) -> tuple[Pixels, Floats]:
    """Strips of a large picture one under the other, and the weights of their blocks."""
    rows = sampled_rows(*pixels.shape[:2])
    if len(rows) == len(pixels):
        return pixels, weights
    return np.ascontiguousarray(pixels[rows]), np.ascontiguousarray(weights[rows[::8] // 8])


def strength(pixels: Pixels, weights: Floats, trial: Trial, threads: int = 1) -> float:
    """The largest strength from 0 to 1 that leaves the background at least as good as plain's.

    pixels: the picture; weights: of its blocks at full strength. trial: makes a file of it.
    """
    background = weights < 1
    if not background.any():
        return 1.0
    rivals = _Rivals(pixels, background, threads)

    def passes(step: int) -> bool:
        data = trial(step / STEPS)
        return rivals.similarity_of(data) >= rivals.similarity_at(len(data)) + MARGIN

    if passes(STEPS):
        return 1.0
    low, high = 0, STEPS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if passes(middle) else (low, middle)
    return low / STEPS


class _Rivals:
    """SSIM in the background, of plain JPEG by number of bytes; sizes and scores are kept."""

    def __init__(self, pixels: Pixels, background: npt.NDArray[np.bool_], threads: int) -> None:
        self._encoder = plain.QualityEncoder(pixels)
        self._luma, self._background, self._threads = luma_of(pixels, threads), background, threads
        self._sizes: dict[int, int] = {}
        self._similarities: dict[int, float] = {}

    def similarity_at(self, n_bytes: int) -> float:
        """Between the two qualities whose files are next in size, in proportion to log bytes."""
        low, high = plain.QUALITIES[0], plain.QUALITIES[-1]
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._size(middle) <= n_bytes else (low, middle)
        (small, worse), (large, better) = self._at(low), self._at(high)
        if large <= small:
            return better
        share = np.log(n_bytes / small) / np.log(large / small)
        return float(worse + (better - worse) * np.clip(share, 0, 1))

    def _size(self, quality: int) -> int:
        if quality not in self._sizes:
            self._sizes[quality] = len(self._encoder.encode(quality))
        return self._sizes[quality]

    def _at(self, quality: int) -> tuple[int, float]:
        if quality not in self._similarities:
            data = self._encoder.encode(quality)
            self._sizes[quality] = len(data)
            self._similarities[quality] = self.similarity_of(data)
        return self._sizes[quality], self._similarities[quality]

    def similarity_of(self, data: bytes) -> float:
        """SSIM of a file in the background, decoded as users do it: clipped and rounded colours count."""
        decoded = luma_of(plain.decode(data), self._threads)
        similarity = similarity_of_blocks(self._luma, decoded, self._threads)
        return float(similarity[self._background].mean(dtype=np.float64))
