"""Whether a picture needs chroma at full resolution: the rule for photos (drawings: chroma_trial.py).

    pixels --> Cb, Cr --> halved, enlarged by the decoder's triangle filter --> error in RGB --> share of blocks harmed

Most photos do not: 4:2:0 leaves the bytes to luma. Saturated edges and small coloured text do: they bleed and
pale at any quality, because no quantiser brings back what halving took.
"""

from __future__ import annotations

import cv2
import numpy as np

from msroi.arrays import Floats, Pixels
from msroi.codecs.jpeg import _kernels

# A block is harmed where halving alone leaves a mean squared error in RGB above this, 22 dB: ten times what JPEG
# of quality 50 loses in a photo.
HARMED = 400.0

# From this share of harmed blocks on, 4:4:4 is better at equal bytes: SSIMULACRA2 and PSNR of
# train/studies/sampling.py, on CID22, CLIC and made pictures.
ENOUGH = 0.0025

# Looked at in strips of so many rows, which fit a processor's cache; of large pictures at so many pixels, evenly
# spaced.
STRIP = 64
SAMPLE_PIXELS = 2_000_000

# What errors of Cb and Cr become in R, G and B (JFIF 1.02), squared and averaged: factors of Cb^2, Cr^2, Cb Cr.
_BLUE = (1.772**2 + 0.344136**2) / 3
_RED = (1.402**2 + 0.714136**2) / 3
_BOTH = 2 * 0.344136 * 0.714136 / 3


def needs_full_chroma(pixels: Pixels, steps: tuple[float, ...], threads: int = 1) -> bool:
    """Whether 4:2:0 visibly harms the picture; never so for grey.

    pixels: uint8 (height, width[, 3]). steps: as in `coefficients.from_pixels`.
    """
    return pixels.ndim == 3 and share_harmed(pixels, steps, threads) >= ENOUGH


def share_harmed(pixels: Pixels, steps: tuple[float, ...], threads: int = 1) -> float:
    """The share, 0 to 1, of 8 x 8 blocks that halving chroma harms; of large pictures estimated from strips."""
    harmed = blocks = 0
    for top in _tops(*pixels.shape[:2]):
        errors = _errors(np.ascontiguousarray(pixels[top : top + STRIP]), steps, threads)
        harmed += int(np.count_nonzero(errors > HARMED))
        blocks += errors.size
    return harmed / blocks


def _tops(height: int, width: int) -> list[int]:
    """First rows of the strips."""
    n_strips = -(-height // STRIP)
    n_looked = min(n_strips, max(2, SAMPLE_PIXELS // (STRIP * width)))
    return [STRIP * (i * (n_strips - 1) // max(1, n_looked - 1)) for i in range(n_looked)]


def _errors(pixels: Pixels, steps: tuple[float, ...], threads: int) -> Floats:
    """Mean squared error in RGB of each block, those at the right and lower border filled up with zeros."""
    height, width = pixels.shape[:2]
    lost = []
    for component in (1, 2):
        plane = _kernels.component_plane(pixels, component, threads)
        small = _kernels.halve(plane, True, True, list(steps), threads)
        # Enlarging by 2, centres between samples, is the triangle filter.
        size = (2 * small.shape[1], 2 * small.shape[0])
        lost.append(plane - cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)[:height, :width])
    blue, red = lost
    errors = (_BLUE * blue + _BOTH * red) * blue + _RED * red * red
    rows, columns = -(-height // 8), -(-width // 8)
    if (8 * rows, 8 * columns) != errors.shape:
        errors = np.pad(errors, ((0, 8 * rows - height), (0, 8 * columns - width)))
    return np.asarray(cv2.resize(errors, (columns, rows), interpolation=cv2.INTER_AREA))
