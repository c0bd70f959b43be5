"""A picture as JPEG codes it: the DCT coefficients of its components, before any quantiser of ours.

pixels --> Y, Cb, Cr --> chroma reduced --> DCT --> Coefficients
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from msroi.arrays import Floats, Pixels
from msroi.codecs.jpeg import _kernels
from msroi.codecs.jpeg.rdo.tables import RADIUS

Parts = npt.NDArray[np.int16]
Table = npt.NDArray[np.uint16]

# Factors (horizontal, vertical) of luma for each sampling; chroma has 1, 1.
SAMPLINGS: Mapping[str, tuple[int, int]] = {"420": (2, 2), "422": (2, 1), "444": (1, 1)}

# Overshoot: pixels at 255 and 0 may lie beyond, because decoders clip. Of the blocks that clip alike one with few
# coefficients is looked for in so many rounds, each shrinking a coefficient by so much; about as much as makes
# ROUNDS enough, from made text and drawings and CID22's clipped photos.
SHRINK = np.interp(RADIUS, (0, 1, 2, 10), (0, 3, 5, 7)).astype(np.float32)
ROUNDS = 16

# Such pixels lie beyond their limit by this share of the block's contrast or MOST_MARGIN at least, so that small errors
# are clipped too, and by REACH at most: decoders' fixed-point arithmetic has room for twice as much.
MARGIN, MOST_MARGIN, REACH = 0.1, 16.0, 64.0

# Coefficients are kept in two bytes, as whole PARTS-ths of 1: errors of .03 are nothing against the steps of files (at
# fixed settings single Kodak pictures move by -.003 to +.005 dB), and large pictures take half the memory.
PARTS = 16

# DC of blocks of black and of white pixels, and how far from it the blocks of files may lie that decode to them.
BLACK_DC, WHITE_DC, NEAR_LIMIT = -1024.0, 1016.0, 24.0

# Pictures are transformed in strips of so many rows (whole MCUs): what lies between pixels and coefficients then stays
# small and is not fetched from memory again and again.
STRIP = 128


@dataclass(frozen=True)
class Coefficients:
    """One picture.

    half: float32, luma at half size: means of 2 x 2 samples centred on 0, those at odd borders of what there is.
    planes: for each component int16 (rows, columns, 64) in zigzag order, in PARTS-ths of the scale of the orthonormal
    DCT; where luma is at a limit they may stand for what lies beyond.
    limits: int8 (rows, columns), of luma's blocks: -1 where all pixels are black, 1 where all are white, else 0.
    samplings: for each component its factors (horizontal, vertical). tables: for each component the steps, uint16
    (64,) in zigzag order, of the JPEG whose quantised values these are; None where they come from pixels.
    """

    half: Floats
    planes: tuple[Parts, ...]
    limits: npt.NDArray[np.int8]
    samplings: tuple[tuple[int, int], ...]
    tables: tuple[Table, ...] | None = None


def from_pixels(pixels: Pixels, sampling: str, steps: tuple[float, ...], threads: int) -> Coefficients:
    """Transform pixels, uint8 (height, width[, 3]).

    sampling: a name in SAMPLINGS; grey pictures have none. steps: lengths of the gradient steps by which reduced
    chroma comes nearer to what decoders enlarge well.
    """
    height, width = pixels.shape[:2]
    samplings = ((1, 1),) if pixels.ndim == 2 else (SAMPLINGS[sampling], (1, 1), (1, 1))
    half = np.empty((-(-height // 2), -(-width // 2)), np.float32)
    planes = tuple(_empty_plane(height, width, samplings[0], own) for own in samplings)

    def transform(top: int) -> None:
        bottom = min(top + STRIP, height)
        luma = luma_of(pixels[top:bottom])
        half[top // 2 : -(-bottom // 2)] = _kernels.block_means(luma, 2)
        planes[0][top // 8 : -(-bottom // 8)] = _kernels.overshooting_dct(
            luma, SHRINK, MARGIN, MOST_MARGIN, REACH, ROUNDS
        )
        first = top // (8 * samplings[0][1])
        for index in range(1, len(planes)):
            blocks = _kernels.forward_dct(_chroma(pixels, index, top, bottom, samplings[0], steps))
            planes[index][first : first + blocks.shape[0]] = blocks

    tops = range(0, height, STRIP)
    if threads == 1 or len(tops) == 1:
        for top in tops:
            transform(top)
    else:
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(transform, tops):  # raises what a strip raised
                pass
    limits = at_limits(planes[0], pixels)
    drop_unseen(planes, limits, samplings[0])
    return Coefficients(half, planes, limits, samplings)


def _empty_plane(height: int, width: int, factors: tuple[int, int], own: tuple[int, int]) -> Parts:
    """Room for the coefficients of a component; factors: of luma, own: of the component."""
    width, height = (-(-side * n // most) for side, n, most in zip((width, height), own, factors, strict=True))
    return np.empty((-(-height // 8), -(-width // 8), 64), np.int16)


def dc_of(plane: Parts) -> Floats:
    """The DC coefficients of a plane as in `Coefficients`: float32 (rows, columns), in the scale of the DCT."""
    return plane[..., 0].astype(np.float32) / np.float32(PARTS)


def at_limits(luma: Parts, pixels: Pixels) -> npt.NDArray[np.int8]:
    """Which blocks are black or white, all their pixels inside the picture: see `Coefficients.limits`.

    luma: as in Coefficients, of these pixels, uint8 (height, width[, 3]).
    """
    result = np.zeros(luma.shape[:2], np.int8)
    dc = dc_of(luma)
    for sign, wanted in ((-1, dc <= BLACK_DC + NEAR_LIMIT), (1, dc >= WHITE_DC - NEAR_LIMIT)):
        for row in np.flatnonzero(wanted.any(axis=1)):
            own = pixels[8 * row : 8 * row + 8]
            columns = (own.max(axis=0) == 0) if sign < 0 else (own.min(axis=0) == 255)
            columns = columns if columns.ndim == 1 else columns.all(axis=1)
            result[row, np.logical_and.reduceat(columns, np.arange(0, len(columns), 8))] = sign
    return result


def drop_unseen(planes: Sequence[Parts], limits: npt.NDArray[np.int8], factors: tuple[int, int]) -> None:
    """Set to 0 what cannot be seen: AC of black and white blocks, and colour where all of luma is black or white.

    planes: as in Coefficients, changed in place; factors: (horizontal, vertical) of luma.
    """
    planes[0][limits != 0, 1:] = 0
    horizontal, vertical = factors
    for plane in planes[1:]:
        rows, columns = plane.shape[0] * vertical, plane.shape[1] * horizontal
        beyond = ((0, rows - limits.shape[0]), (0, columns - limits.shape[1]))
        blocks = np.pad(limits != 0, beyond, mode="edge").reshape(plane.shape[0], vertical, plane.shape[1], horizontal)
        plane[blocks.all(axis=(1, 3))] = 0


def _chroma(
    pixels: Pixels, index: int, top: int, bottom: int, factors: tuple[int, int], steps: tuple[float, ...]
) -> Floats:
    """Rows top to bottom of Cb or Cr (index 1, 2), reduced by factors (horizontal, vertical).

    Reduction looks beyond a strip: by two rows of pixels, and two more for every step.
    """
    horizontal, vertical = (factor > 1 for factor in factors)
    beyond = 2 * (len(steps) + 1) if vertical else 0
    first, last = max(0, top - beyond), min(pixels.shape[0], bottom + beyond)
    plane = _kernels.component_plane(np.ascontiguousarray(pixels[first:last]), index)
    if not horizontal and not vertical:
        return plane
    plane = _kernels.halve(plane, horizontal, vertical, list(steps))
    start = (top - first) // factors[1]
    return plane[start : start - (top - bottom) // factors[1]]  # rounded up


def luma_of(pixels: Pixels, threads: int = 1) -> Floats:
    """Luma of RGB or grey pixels, centred on 0: float32 (height, width)."""
    if pixels.ndim == 2:
        return pixels.astype(np.float32) - np.float32(128)
    return _kernels.component_plane(np.ascontiguousarray(pixels), 0, threads)
