"""Arrays: their types by name, and checks of those that come in by twos, or with weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from msroi.errors import ImageError, OptionError, SaliencyError

Pixels = npt.NDArray[np.uint8]
"""(height, width) grey or (height, width, 3) RGB, where nothing else is said."""

Saliency = npt.NDArray[np.float32]
"""(height, width) in [0, 1]: 0 where nothing matters, 1 where most does."""

Floats = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.float64]


def pictures_alike(
    reference: npt.ArrayLike, candidate: npt.ArrayLike
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Both pictures as contiguous uint8 arrays of one shape, or an ImageError that names both."""
    first, second = np.asarray(reference), np.asarray(candidate)
    for name, picture in (("reference", first), ("candidate", second)):
        pixel_shape = picture.shape[2:]
        if picture.dtype != np.uint8 or picture.ndim < 2 or pixel_shape not in ((), (3,)):
            raise ImageError(
                f"{name}: an array of {picture.dtype} and shape {picture.shape}; "
                "pass uint8 of shape (height, width, 3) or (height, width)"
            )
        if picture.size == 0:
            raise ImageError(f"{name}: an array of shape {picture.shape} holds no pixels")
    if first.shape != second.shape:
        raise ImageError(
            f"candidate: {_describe(second)}, but the reference is {_describe(first)}; "
            "only pictures of one size and kind can be compared"
        )
    return np.ascontiguousarray(first), np.ascontiguousarray(second)


def _describe(picture: npt.NDArray[np.uint8]) -> str:
    return f"{picture.shape[1]}x{picture.shape[0]} {'grey' if picture.ndim == 2 else 'RGB'}"


@dataclass(frozen=True)
class Weights:
    """Checked weights: given out by rows, as float64 with the maximum 1, and as given held in memory."""

    values: npt.NDArray[Any]
    largest: float

    def __getitem__(self, rows: slice) -> FloatArray:
        # A common factor changes no mean; without it sums of huge weights could overflow.
        return np.asarray(np.asarray(self.values[rows], dtype=np.float64) / self.largest)


def checked_weights(weights: npt.ArrayLike, picture: npt.NDArray[Any]) -> Weights:
    """Weights to average with, or an error that says what they must be."""
    try:
        result = np.asarray(weights)
        if result.dtype.kind not in "biuf":
            result = np.asarray(result, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise SaliencyError("weights: not an array of numbers; pass one of shape (height, width)") from error
    height, width = picture.shape[:2]
    if result.shape != (height, width):
        raise SaliencyError(
            f"weights: shape {result.shape}, but the pictures are {width}x{height}; pass shape ({height}, {width})"
        )
    # Where a value is no number, so is the least or the largest.
    smallest, largest = float(result.min()), float(result.max())
    if not (math.isfinite(smallest) and math.isfinite(largest)) or smallest < 0:
        raise SaliencyError("weights: negative, infinite or not a number somewhere; pass finite numbers of 0 and more")
    if largest == 0:
        raise OptionError("weights: zero everywhere, so there is nothing to average; leave the weights out")
    return Weights(result, largest)


def given_weights(weights: npt.ArrayLike | None, picture: npt.NDArray[Any]) -> Weights | None:
    """`checked_weights` where there are some."""
    return None if weights is None else checked_weights(weights, picture)
