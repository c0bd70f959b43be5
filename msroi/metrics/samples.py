"""What the scores are taken of: samples of 8 bits, their luma, and bands of rows that keep sums repeatable."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from msroi.arrays import FloatArray

DATA_RANGE = 255.0
# BT.601 as JFIF uses it: full range, no offset.
LUMA_WEIGHTS = (0.299, 0.587, 0.114)

# A band of a 12-megapixel picture then takes 2 MB a map and stays in a processor's cache.
BAND_PIXELS = 1 << 18


def luma(pixels: npt.NDArray[np.uint8]) -> FloatArray:
    """BT.601 luma of a uint8 picture, full range, not rounded: float64 (height, width) in [0, 255].

    A grey picture is its own luma.
    """
    if pixels.ndim == 2:
        return pixels.astype(np.float64)
    height, width = pixels.shape[:2]
    result = np.empty((height, width))
    red, green, blue = LUMA_WEIGHTS
    for rows in bands(height, width):
        band = pixels[rows]
        np.multiply(band[..., 0], red, out=result[rows])
        result[rows] += band[..., 1] * green
        result[rows] += band[..., 2] * blue
    return result


def bands(height: int, width: int) -> Iterator[slice]:
    """Slices of rows that cover the picture. They depend on its size alone, so sums are repeatable."""
    step = max(16, BAND_PIXELS // width)
    for top in range(0, height, step):
        yield slice(top, min(top + step, height))
