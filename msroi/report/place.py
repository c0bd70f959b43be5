"""Where to look first: the place at which one coded picture is closer to the reference than another.

|reference - first|^2, |reference - second|^2 --means of 8 x 8, window--> errors --difference * weights--> largest
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from msroi.errors import ImageError

_BLOCK = 8
# Rows that are looked at at once, whole blocks: the squares of a whole photo would take more memory than the photo.
_STRIP = 256


@dataclass(frozen=True)
class Place:
    """A point of a picture, and what is gained there.

    x, y: pixels of the upright picture. less_error: by what share (at most 1) the second picture's squared error
    around the point is smaller than the first's; under 0 where it is larger, 0 where neither has any.
    """

    x: float
    y: float
    less_error: float


def place_of_gain(
    reference: npt.NDArray[np.uint8],
    first: npt.NDArray[np.uint8],
    second: npt.NDArray[np.uint8],
    weights: npt.NDArray[np.float32] | None = None,
    *,
    at: tuple[float, float] | None = None,
) -> Place:
    """Where the second picture saves most of the first's squared error, weighted; or what it saves at a given point.

    reference, first, second: uint8, all (height, width, 3) or all (height, width). weights: float32 (height, width)
    of 0 and more, None for all alike. at: (x, y), a point to be judged instead of searched. Where the second
    picture saves nothing anywhere, the place is the weights' peak, the middle where they have none.
    Errors: ImageError for pictures of unlike shape.
    """
    # About a tenth of the shorter side, but never more than is in view at 200 %.
    sigma = min(max(min(reference.shape[:2]) / 20, 16), 60) / _BLOCK
    blocks = [_block_errors(reference, candidate) for candidate in (first, second)]
    errors = [np.asarray(cv2.GaussianBlur(error, (0, 0), sigma)) for error in blocks]
    rows, columns = blocks[0].shape
    if at is not None:
        column, row = (min(int(value / _BLOCK), size - 1) for value, size in zip(at, (columns, rows), strict=True))
        return Place(*at, _saved(errors[0][row, column], errors[1][row, column]))
    weight = np.ones((rows, columns), np.float32)
    if weights is not None:
        weight = np.asarray(cv2.resize(weights, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)
    gain = (errors[0] - errors[1]) * weight
    if gain.max() <= 0:
        gain = np.asarray(cv2.GaussianBlur(weight, (0, 0), sigma))
    row, column = (int(i) for i in np.unravel_index(int(np.argmax(gain)), gain.shape))
    if np.ptp(gain) <= 1e-6 * abs(gain.max()):
        row, column = rows // 2, columns // 2
    height, width = reference.shape[:2]
    x, y = min((column + 0.5) * _BLOCK, width), min((row + 0.5) * _BLOCK, height)
    return Place(x, y, _saved(errors[0][row, column], errors[1][row, column]))


def _saved(first: float, second: float) -> float:
    if first > 0:
        return float(1 - second / first)
    return -math.inf if second > 0 else 0.0


def _block_errors(reference: npt.NDArray[np.uint8], candidate: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Mean squared error of blocks of about 8 x 8 pixels, over all channels: float32, one row for 8 of the picture."""
    if reference.shape != candidate.shape:
        raise ImageError(f"pictures of shapes {reference.shape} and {candidate.shape}; both must have the same")
    height, width = reference.shape[:2]
    columns = max(1, round(width / _BLOCK))
    strips = []
    for top in range(0, height, _STRIP):
        rows = slice(top, min(height, top + _STRIP))
        apart = cv2.absdiff(reference[rows], candidate[rows]).astype(np.float32)
        squares = np.square(apart, out=apart)
        if squares.ndim == 3:
            squares = squares.mean(axis=2)
        size = (columns, max(1, round(len(squares) / _BLOCK)))
        strips.append(np.asarray(cv2.resize(squares, size, interpolation=cv2.INTER_AREA), np.float32))
    return np.concatenate(strips)
