"""Maps as users hand them over, checked and turned into the one form that everything here works on."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from msroi.arrays import Saliency
from msroi.errors import SaliencyError

# What single precision may put above 1 or below 0 without anybody having made a mistake.
_ROUNDING = 1e-5


def map_values(saliency: Any, name: str = "saliency") -> Saliency:
    """A map as float32 (height, width); values in [0, 1] but for rounding.

    saliency: anything that NumPy makes an array (height, width) of: floats in [0, 1], uint8 (255 is 1) or bool.
    name: what the message calls it. Errors: SaliencyError for any other array, and for NaN.
    """
    return as_floats(checked(saliency, name))


def checked(saliency: Any, name: str = "saliency") -> npt.NDArray[Any]:
    """A map in as few bytes as it takes: uint8 (255 is 1) or float32. Arguments and errors as in `map_values`."""
    try:
        values = np.asarray(saliency)
    except (ValueError, TypeError):  # rows of unequal length
        raise SaliencyError(f"{name}: a map must have the shape (height, width), with rows of one length") from None
    if values.ndim != 2 or 0 in values.shape:
        raise SaliencyError(f"{name}: a map must have the shape (height, width), this one has {values.shape}")
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    if not np.issubdtype(values.dtype, np.floating):
        raise SaliencyError(f"{name}: a map must be float in [0, 1], uint8 or bool, this one is {values.dtype}")
    low, high = float(values.min()), float(values.max())
    if low != low or high != high:
        raise SaliencyError(f"{name}: a map must lie in [0, 1], this one has values that are not numbers (NaN)")
    if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):
        raise SaliencyError(f"{name}: a map must lie in [0, 1], this one spans {low:g} to {high:g}; scale it")
    return values.astype(np.float32, copy=False)


def as_floats(values: npt.NDArray[Any]) -> Saliency:
    """What `checked` gave as float32."""
    if values.dtype != np.uint8:
        return values
    floats = values.astype(np.float32)
    floats /= np.float32(255)
    return floats


def flat_map(height: int, width: int, value: float) -> Saliency:
    """One value everywhere: float32 (height, width), read-only, four bytes of memory whatever its size."""
    return np.broadcast_to(np.float32(value), (height, width))


def full_size(values: npt.NDArray[Any] | float, height: int, width: int) -> Saliency:
    """A map on any grid over a whole picture, bilinear with half-pixel centres; a number: flat, and read-only.

    values: (h, w) in [0, 1]. Returns float32 (height, width) in [0, 1].
    """
    if not isinstance(values, np.ndarray):
        return flat_map(height, width, values)
    # NumPy asks for large pages of memory, OpenCV does not; for large photos that is half of the time.
    fine = np.empty((height, width), np.float32)
    cv2.resize(values.astype(np.float32, copy=False), (width, height), dst=fine, interpolation=cv2.INTER_LINEAR)
    if values.max() >= 1:
        # Means of ones may leave the range by the last bit.
        cv2.min(fine, 1.0, dst=fine)
    return fine
