"""Rows of a large file of ours, decoded as they are asked for.

Pillow's decoder of a progressive file holds its levels and the whole picture, seven bytes a pixel. Levels alone take
three: whole MCUs of them, written as a sequential file of their own with one MCU more above and below, which is as far
as the decoder's enlarging of chroma looks, decode to the same pixels.
"""

from __future__ import annotations

import numpy as np

from msroi.arrays import Pixels
from msroi.codecs.jpeg import _kernels, plain

# Pictures of at most so many pixels are decoded whole.
_LARGE = 20_000_000


class Rows:
    """The pixels of a file of ours, as `plain.decode` gives them, by slices of rows."""

    def __init__(self, jpeg: bytes) -> None:
        self._levels, self._tables, self._samplings, self._height, self._width = _kernels.read_jpeg(jpeg)
        self._mcu = 8 * self._samplings[0][1]

    def __getitem__(self, rows: slice) -> Pixels:
        """Rows of pixels, of step 1."""
        top, bottom, _ = rows.indices(self._height)
        first = max(0, top // self._mcu - 1)
        last = min(-(-bottom // self._mcu) + 1, -(-self._height // self._mcu))
        levels = []
        for own, (_, vertical) in zip(self._levels, self._samplings, strict=True):
            levels.append(np.ascontiguousarray(own[first * vertical : last * vertical]))
        height = min(self._height, last * self._mcu) - first * self._mcu
        strip = _kernels.write_jpeg(levels, self._tables, self._samplings, height, self._width, False)
        return plain.decode(strip)[top - first * self._mcu : bottom - first * self._mcu]


def decoded(jpeg: bytes) -> Pixels | Rows:
    """The pixels of a file of ours: of a large one by rows."""
    height, width = plain.shape(jpeg)
    return Rows(jpeg) if height * width > _LARGE else plain.decode(jpeg)
