"""A picture as JPEG codes it: the DCT coefficients of its components, before any quantiser of ours.

pixels --> Y, Cb, Cr --> chroma reduced --> DCT --> Coefficients
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from msroi.jpeg import _kernels
from msroi.jpeg.tables import RADIUS

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

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


@dataclass(frozen=True)
class Coefficients:
    """One picture.

    luma: float32 (height, width) centred on 0, what the first component shows once clipped. planes: for each component
    float32 (rows, columns, 64) in zigzag order, in the scale of the orthonormal DCT. samplings: for each
    component its factors (horizontal, vertical).
    """

    luma: Floats
    planes: tuple[Floats, ...]
    samplings: tuple[tuple[int, int], ...]


def from_pixels(pixels: Pixels, sampling: str, steps: tuple[float, ...], threads: int) -> Coefficients:
    """Transform pixels, uint8 (height, width[, 3]).

    sampling: a name in SAMPLINGS; grey pictures have none. steps: lengths of the gradient steps by which reduced
    chroma comes nearer to what decoders enlarge well.
    """
    luma = luma_of(pixels, threads)
    planes = [_kernels.overshooting_dct(luma, SHRINK, MARGIN, MOST_MARGIN, REACH, ROUNDS, threads)]
    if pixels.ndim == 2:
        return Coefficients(luma, tuple(planes), ((1, 1),))
    factors = SAMPLINGS[sampling]
    horizontal, vertical = (factor > 1 for factor in factors)
    for index in (1, 2):
        plane = _kernels.component_plane(pixels, index, threads)
        if horizontal or vertical:
            plane = _kernels.halve(plane, horizontal, vertical, list(steps), threads)
        planes.append(_kernels.forward_dct(plane, threads))
    return Coefficients(luma, tuple(planes), (factors, (1, 1), (1, 1)))


def luma_of(pixels: Pixels, threads: int = 1) -> Floats:
    """Luma of RGB or grey pixels, centred on 0: float32 (height, width)."""
    if pixels.ndim == 2:
        return pixels.astype(np.float32) - np.float32(128)
    return _kernels.component_plane(np.ascontiguousarray(pixels), 0, threads)
