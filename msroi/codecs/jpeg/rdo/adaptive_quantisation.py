"""How much the errors of a block weigh: by the map, by what its texture hides, by what a first encode lost.

All weights are float32 (rows, columns), one per luma block, above 0, with geometric mean 1, so that they move
bits about and leave their number nearly alone.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from msroi.arrays import Floats
from msroi.codecs.jpeg import _kernels
from msroi.codecs.jpeg.coefficients import Parts
from msroi.codecs.jpeg.rdo.tables import Preset

# SSIM's window.
_TAPS, _SIGMA = (11, 11), 1.5

# Blocks around a salient one that still count as salient, and the softening after: DESIGN 12, "From map to
# gain".
_DILATION, _SOFTENING = 3, 1.0


# Fine texture of low contrast: its standard deviation in grey levels, the zigzag position from which coefficients are
# no slopes, the share of the energy that one of them has at least, and how much of the energy is to be left.
FAINT, BEYOND_SLOPES, PEAK, TEXTURE_KEPT = (1.5, 8.0), 3, 0.2, 0.5


def from_map(saliency: Floats, q_low: int, q_high: int, threads: int = 1) -> Floats | None:
    """Weights of a map, or None where it is the same everywhere: then there is nothing to weigh.

    saliency: float32 (height, width) in [0, 1], aligned with the stored pixels. A block's value is the
    mean of the map over its pixels, dilated by a block and softened by one; it stands for a libjpeg
    quality from q_low to q_high, and the weight is S(quality)^-2, S the scale of libjpeg's steps (DESIGN
    5.3).
    """
    if q_low == q_high:
        return None
    blocks = _kernels.block_means(np.ascontiguousarray(saliency, np.float32), 8, threads)
    blocks = cv2.dilate(blocks, np.ones((_DILATION, _DILATION), np.uint8))
    blocks = cv2.GaussianBlur(blocks, (0, 0), _SOFTENING, borderType=cv2.BORDER_REPLICATE)
    quality = q_low + (q_high - q_low) * np.clip(blocks.astype(np.float64), 0, 1)
    if np.ptp(blocks) < 1e-4:
        return None
    scale = np.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    # At 100 the scale would be 0: libjpeg's smallest step is 1 %.
    return normalised(np.maximum(scale, 1) ** -2.0)


def masking(half: Floats, coefficients: Parts, preset: Preset, threads: int) -> tuple[Floats, Floats]:
    """Weights (low, high) of coarse and of fine errors: what is busy hides errors.

    half: luma at half size, (height, width) halved and rounded up. coefficients: luma's blocks, as
    in `Coefficients`.
    """
    energy = _kernels.ac_energy(coefficients, threads)
    high = preset.fine_offset + (1 + energy / (64 * preset.fine_floor)) ** -preset.fine
    variance = _variance(_kernels.block_means(half, 2, threads), threads)
    low = preset.coarse_offset + (1 + variance / preset.coarse_floor) ** -preset.coarse
    return normalised(low), normalised(high)


def feedback(half: Floats, decoded: Floats, preset: Preset, threads: int) -> Floats:
    """Weights by the structure that a first encode lost: the mean local 1 - SSIM at half and quarter scale.

    half, decoded: float32, luma at half size before and after.
    """
    lost = np.zeros(1, np.float32)
    for side in (4, 2):
        loss = 1 - _kernels.similarity(half, decoded, side, False, threads)
        lost = lost + loss / max(float(loss.mean()), 1e-6)
        half, decoded = (_kernels.block_means(plane, 2, threads) for plane in (half, decoded))
    return normalised((np.maximum(lost / 2, 0) + preset.feedback_floor) ** preset.feedback)


def texture_floor(
    coefficients: Parts, levels: npt.NDArray[np.int16], table: npt.NDArray[np.uint16], preset: Preset, threads: int
) -> Floats:
    """More weight where a first encode flattened a faint texture: ribs of cloth in shadow, brush strokes, far wires.

    coefficients, levels: of luma (rows, columns, 64), the former as in `Coefficients`, the latter with `table`. A block
    counts as such a texture as far as its standard deviation lies within FAINT and one coefficient beyond the slopes
    stands out by PEAK: grain has none, costs most and is missed least. Where less than TEXTURE_KEPT of the energy is
    left a block weighs more, in proportion. Of CID22's textures that were flattened a third are kept so at Q 30 and two
    thirds at Q 50, for .02 dB.
    """
    energy, kept, peak = np.moveaxis(_kernels.block_texture(coefficients, levels, table, BEYOND_SLOPES, threads), 2, 0)
    faintest, faint = (64 * deviation**2 for deviation in FAINT)
    energy = np.maximum(energy, 1e-3)
    contrast = np.clip(np.log2(energy / faintest) + 1, 0, 1) * np.clip(np.log2(faint / energy) / 2 + 1, 0, 1)
    ordered = np.clip(peak / energy / PEAK - 1, 0, 1)
    wanted = np.clip(TEXTURE_KEPT / np.maximum(kept / energy, 1e-2), 1, preset.texture)
    return normalised(wanted ** (contrast * ordered))


def similarity_of_blocks(luma: Floats, decoded: Floats, threads: int = 1) -> Floats:
    """Mean SSIM over each block's pixels inside the picture: (rows, columns). Luma is centred on 0."""
    return _kernels.similarity(luma, decoded, 8, True, threads)


def reduced(weights: Floats, shape: tuple[int, ...], sampling: tuple[int, int]) -> Floats:
    """Weights of luma blocks at the blocks of chroma: means of those that lie in them.

    shape: (rows, columns) of chroma's blocks; sampling: (horizontal, vertical) factors of luma. With as many blocks it
    is the same array.
    """
    horizontal, vertical = sampling
    if horizontal == vertical == 1:
        return weights
    rows, columns = shape[0] * vertical, shape[1] * horizontal
    padded = np.pad(weights, ((0, rows - weights.shape[0]), (0, columns - weights.shape[1])), mode="edge")
    total = sum(padded[y::vertical, x::horizontal] for y in range(vertical) for x in range(horizontal))
    return np.ascontiguousarray(total * np.float32(1 / (vertical * horizontal)))


def normalised(weights: npt.NDArray[np.floating]) -> Floats:
    """Divided by their geometric mean."""
    result: Floats = (weights / np.exp(np.mean(np.log(weights), dtype=np.float64))).astype(np.float32)
    return result


def _variance(quarter: Floats, threads: int) -> Floats:
    """Variance of luma reduced four times, in SSIM's window, at each block."""
    mean = _blur(quarter)
    variance = np.maximum(_blur(quarter * quarter) - mean * mean, 0)
    return _kernels.block_means(variance, 2, threads)


def _blur(x: Floats) -> Floats:
    return np.asarray(cv2.GaussianBlur(x, _TAPS, _SIGMA, borderType=cv2.BORDER_REFLECT))
