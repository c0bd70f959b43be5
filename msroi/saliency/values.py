"""Maps as users hand them over, checked and turned into the one form that everything here works on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from msroi.errors import SaliencyError

# What single precision may put above 1 or below 0 without anybody having made a mistake.
_ROUNDING = 1e-5


def map_values(saliency: Any, name: str = "saliency") -> npt.NDArray[np.float32]:
    """A map as float32 (height, width); values in [0, 1] but for rounding.

    saliency: anything that NumPy makes an array (height, width) of: floats in [0, 1], uint8 (255 is 1) or bool.
    name: what the message calls it. Errors: SaliencyError for any other array, and for NaN.
    """
    try:
        values = np.asarray(saliency)
    except (ValueError, TypeError):  # rows of unequal length
        raise SaliencyError(f"{name}: a map must have the shape (height, width), with rows of one length") from None
    if values.ndim != 2 or 0 in values.shape:
        raise SaliencyError(f"{name}: a map must have the shape (height, width), this one has {values.shape}")
    if values.dtype == np.uint8:
        return values.astype(np.float32) / np.float32(255)
    if values.dtype == np.bool_:
        return values.astype(np.float32)
    if not np.issubdtype(values.dtype, np.floating):
        raise SaliencyError(f"{name}: a map must be float in [0, 1], uint8 or bool, this one is {values.dtype}")
    low, high = float(values.min()), float(values.max())
    if low != low or high != high:
        raise SaliencyError(f"{name}: a map must lie in [0, 1], this one has values that are not numbers (NaN)")
    if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):
        raise SaliencyError(f"{name}: a map must lie in [0, 1], this one spans {low:g} to {high:g}; scale it")
    return values.astype(np.float32, copy=False)
