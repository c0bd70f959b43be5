"""EXIF orientation: between stored and upright coordinates.

`orientation` is what the camera wrote: 1 upright, 2 mirrored, 3 turned by 180 degrees, 4 upside down,
5 transposed, 6 to be turned clockwise, 7 transversed, 8 to be turned counter-clockwise (CIPA DC-008, 4.6.4).
"""

from __future__ import annotations

import numpy as np

from msroi.errors import OptionError


def turn_upright(array: np.ndarray, orientation: int) -> np.ndarray:
    """Stored (height, width[, channels]) to upright coordinates, any dtype, C-contiguous.

    Errors: OptionError unless orientation is 1 to 8.
    """
    return _turned(array, orientation)


def to_stored(array: np.ndarray, orientation: int) -> np.ndarray:
    """Upright (height, width[, channels]) to stored coordinates: the inverse of `turn_upright`."""
    return _turned(array, {6: 8, 8: 6}.get(orientation, orientation))


def _turned(array: np.ndarray, orientation: int) -> np.ndarray:
    if orientation not in range(1, 9):
        raise OptionError(f"orientation {orientation}; EXIF knows 1 to 8")
    if orientation == 1:
        return np.ascontiguousarray(array)
    if orientation > 4:
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return np.ascontiguousarray(array)
