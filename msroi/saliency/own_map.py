"""A map of the user's own: read and checked once, known by its values, and brought to a picture's size."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from msroi.arrays import Saliency
from msroi.errors import ImageError, SaliencyError
from msroi.images import read
from msroi.saliency.kinds import KINDS
from msroi.saliency.values import as_floats, checked

VERSION = 1
"""Rises whenever the same map comes to another size by what the code does."""

_ROWS = 256  # so many at a time


@dataclass(frozen=True)
class OwnMap:
    """A map that was given.

    values: uint8 (255 is 1) or float32, of any size, not copied. digest: 16 hexadecimal digits, equal for equal values
    of whatever type; maps are equal where it is.
    """

    values: npt.NDArray[Any] = field(repr=False, compare=False)
    digest: str

    @classmethod
    def of(cls, saliency: Any) -> OwnMap:
        """The map in an array, a picture or a .npy file: floats in [0, 1], uint8 or bool. Errors: SaliencyError."""
        values = _values(saliency)
        known = hashlib.sha256(repr(values.shape).encode())
        for top in range(0, len(values), _ROWS):
            known.update(np.ascontiguousarray(as_floats(values[top : top + _ROWS])).data)
        return cls(values, known.hexdigest()[:16])

    @property
    def one_value(self) -> float | None:
        """The value, where all are alike: such a map says that nothing matters more than anything else."""
        low, high = as_floats(np.array([[self.values.min(), self.values.max()]], self.values.dtype))[0]
        return min(max(float(low), 0.0), 1.0) if low == high else None

    def reduced(self, height: int, width: int) -> OwnMap:
        """What `user_map` makes the same of for this size: no more values than the picture has pixels."""
        if self.values.size <= height * width:
            return self
        return replace(self, values=user_map(self.values, height, width))


def user_map(saliency: Any, height: int, width: int) -> Saliency:
    """A user's map over a picture of `height` x `width`: float32, in [0, 1].

    saliency: as `OwnMap.of` takes it. Errors: SaliencyError for a wrong number of dimensions, NaN, or values outside
    [0, 1].
    """
    values = as_floats(_values(saliency))
    reducing = values.shape[0] > height and values.shape[1] > width
    resized = cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA if reducing else cv2.INTER_LINEAR)
    return np.clip(resized, 0.0, 1.0, out=resized)


def _values(saliency: Any) -> npt.NDArray[Any]:
    if isinstance(saliency, (str, os.PathLike)):
        return checked(_read_map(Path(saliency)), str(saliency))
    return checked(saliency)


def _read_map(path: Path) -> np.ndarray:
    if path.suffix.lower() == ".npy":
        try:
            return np.asarray(np.load(path, allow_pickle=False))
        except (OSError, ValueError, EOFError) as error:
            raise SaliencyError(f"{path}: cannot be read as a .npy file; save the map with numpy.save") from error
    try:
        pixels = read(path).upright
    except ImageError as error:
        kinds = ", ".join(KINDS)
        raise SaliencyError(f"{error}; a map is a picture, a .npy file or one of the kinds {kinds}") from error
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) if pixels.ndim == 3 else pixels
