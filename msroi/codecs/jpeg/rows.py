"""Rows of a large file of ours, decoded as they are asked for.

Pillow's decoder of a progressive file holds its levels and the whole picture, up to ten bytes a pixel, and levels alone
take up to six. So each component's are read by themselves and kept as small sequential files, of so many MCUs from top
to bottom each. Whole MCUs, written as a file with one MCU more above and below, which is as far as the decoder's
enlarging of chroma looks, decode to the same pixels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from msroi.arrays import Pixels
from msroi.codecs.jpeg import _kernels, plain
from msroi.codecs.jpeg.coefficients import Table

# Pictures of at most so many pixels are decoded whole.
_LARGE = 20_000_000


# So many rows of MCUs are kept together, and levels of so many of such bands in memory.
_BAND, _OPEN = 8, 4


class Rows:
    """The pixels of a file of ours, as `plain.decode` gives them, by slices of rows."""

    def __init__(self, jpeg: bytes) -> None:
        # By component, the bands of its levels, each a grey file: one component at a time lies in memory.
        self._bands: list[list[bytes]] = []
        n_components = 1
        while len(self._bands) < n_components:
            bands, self._tables, self._samplings, self._height, self._width = _bands_of(jpeg, len(self._bands))
            self._bands.append(bands)
            n_components = len(self._samplings)
        self._mcu = 8 * self._samplings[0][1]
        self._open: dict[int, list[npt.NDArray[np.int16]]] = {}

    def __getitem__(self, rows: slice) -> Pixels:
        """Rows of pixels, of step 1."""
        top, bottom, _ = rows.indices(self._height)
        first = max(0, top // self._mcu - 1)
        last = min(-(-bottom // self._mcu) + 1, -(-self._height // self._mcu))
        bands = [self._levels(index) for index in range(first // _BAND, -(-last // _BAND))]
        begin = first // _BAND * _BAND
        levels = []
        for own, (_, vertical) in zip(zip(*bands, strict=True), self._samplings, strict=True):
            levels.append(np.concatenate(own)[(first - begin) * vertical : (last - begin) * vertical])
        height = min(self._height, last * self._mcu) - first * self._mcu
        strip = _kernels.write_jpeg(levels, self._tables, self._samplings, height, self._width, False)
        return plain.decode(strip)[top - first * self._mcu : bottom - first * self._mcu]

    def _levels(self, index: int) -> list[npt.NDArray[np.int16]]:
        """The levels of a band, by component; those of the latest bands are kept."""
        if index not in self._open:
            if len(self._open) >= _OPEN:
                del self._open[next(iter(self._open))]
            self._open[index] = [_kernels.read_jpeg(own[index])[0][0] for own in self._bands]
        return self._open[index]


def _bands_of(jpeg: bytes, index: int) -> tuple[list[bytes], list[Table], list[tuple[int, int]], int, int]:
    """The bands of a component, each as a file of its own; tables, samplings, height and width of the picture."""
    levels, tables, samplings, height, width = _kernels.read_jpeg(jpeg, index)
    own, step = levels[index], _BAND * samplings[index][1]
    bands = [_grey(own[top : top + step], tables[index]) for top in range(0, len(own), step)]
    return bands, tables, samplings, height, width


def _grey(levels: npt.NDArray[np.int16], table: Table) -> bytes:
    """Levels of a component, (rows, columns, 64), as a file of their own."""
    height, width = (8 * n for n in levels.shape[:2])
    return _kernels.write_jpeg([np.ascontiguousarray(levels)], [table], [(1, 1)], height, width, False)


def decoded(jpeg: bytes) -> Pixels | Rows:
    """The pixels of a file of ours: of a large one by rows."""
    height, width = plain.shape(jpeg)
    return Rows(jpeg) if height * width > _LARGE else plain.decode(jpeg)
