"""How much the errors of a block weigh: by the map, by what its texture hides, by what a first encode lost.

All weights are float32 (rows, columns), one per luma block, above 0, with geometric mean 1, so that they move
bits about and leave their number nearly alone.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from msroi.jpeg import _kernels
from msroi.jpeg.tables import Floats, Preset

# SSIM's constants for luminance and contrast, (.01 * 255)^2 and (.03 * 255)^2.
_C1, _C2 = np.float32(6.5025), np.float32(58.5225)

# SSIM's window.
_TAPS, _SIGMA = (11, 11), 1.5

# Blocks around a salient one that still count as salient, and the softening after: DESIGN 12, "From map to
# gain".
_DILATION, _SOFTENING = 3, 1.0


def from_map(saliency: Floats, q_low: int, q_high: int) -> Floats | None:
    """Weights of a map, or None where it is the same everywhere: then there is nothing to weigh.

    saliency: float32 (height, width) in [0, 1], aligned with the stored pixels. A block's value is the
    mean of the map over its pixels, dilated by a block and softened by one; it stands for a libjpeg
    quality from q_low to q_high, and the weight is S(quality)^-2, S the scale of libjpeg's steps (DESIGN
    5.3).
    """
    blocks = block_means(saliency)
    blocks = cv2.dilate(blocks, np.ones((_DILATION, _DILATION), np.uint8))
    blocks = cv2.GaussianBlur(blocks, (0, 0), _SOFTENING, borderType=cv2.BORDER_REPLICATE)
    quality = q_low + (q_high - q_low) * np.clip(blocks.astype(np.float64), 0, 1)
    if q_low == q_high or np.ptp(blocks) < 1e-4:
        return None
    scale = np.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    # At 100 the scale would be 0: libjpeg's smallest step is 1 %.
    return normalised(np.maximum(scale, 1) ** -2.0)


def masking(luma: Floats, coefficients: Floats, preset: Preset, threads: int) -> tuple[Floats, Floats]:
    """Weights (low, high) of coarse and of fine errors: what is busy hides errors.

    luma: (height, width); coefficients: its blocks (rows, columns, 64).
    """
    energy = _kernels.ac_energy(coefficients, threads)
    high = preset.fine_offset + (1 + energy / (64 * preset.fine_floor)) ** -preset.fine
    low = preset.coarse_offset + (1 + _variance_of_quarter(luma) / preset.coarse_floor) ** -preset.coarse
    return normalised(low), normalised(high)


def feedback(luma: Floats, decoded: Floats, preset: Preset) -> Floats:
    """Weights by the structure that a first encode lost: the mean local 1 - SSIM at half and quarter scale.

    luma, decoded: float32 (height, width).
    """
    lost = np.zeros(1, np.float32)
    for factor in (2, 4):
        loss = 1 - _similarity(_shrunk(luma, factor), _shrunk(decoded, factor))
        n = 8 // factor
        loss = loss.reshape(loss.shape[0] // n, n, loss.shape[1] // n, n).mean(axis=(1, 3))
        lost = lost + loss / max(float(loss.mean()), 1e-6)
    return normalised((np.maximum(lost / 2, 0) + preset.feedback_floor) ** preset.feedback)


def similarity_of_blocks(luma: Floats, decoded: Floats) -> Floats:
    """Mean SSIM over each block's pixels inside the picture: (rows, columns). Luma is centred on 0."""
    mean_x, mean_y = _blur(luma) + 128, _blur(decoded) + 128
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x * mean_x + mean_y * mean_y + _C1)
    return block_means(luminance * _similarity(luma, decoded))


def reduced(weights: Floats, shape: tuple[int, ...], sampling: tuple[int, int]) -> Floats:
    """Weights of luma blocks at the blocks of chroma: means of those that lie in them.

    shape: (rows, columns) of chroma's blocks; sampling: (horizontal, vertical) factors of luma.
    """
    horizontal, vertical = sampling
    rows, columns = shape[0] * vertical, shape[1] * horizontal
    padded = np.pad(weights, ((0, rows - weights.shape[0]), (0, columns - weights.shape[1])), mode="edge")
    blocks = padded.reshape(shape[0], vertical, shape[1], horizontal)
    return np.ascontiguousarray(blocks.mean(axis=(1, 3), dtype=np.float32))


def normalised(weights: npt.NDArray[np.floating]) -> Floats:
    """Divided by their geometric mean."""
    result: Floats = (weights / np.exp(np.mean(np.log(weights), dtype=np.float64))).astype(np.float32)
    return result


def block_means(values: npt.NDArray[np.floating]) -> Floats:
    """Means over 8 x 8 blocks; those that the right and lower border cut count with the pixels they have."""
    height, width = values.shape
    rows = np.add.reduceat(values, range(0, height, 8), axis=0, dtype=np.float64)
    sums = np.add.reduceat(rows, range(0, width, 8), axis=1)
    tall = np.minimum(8, height - 8 * np.arange(sums.shape[0]))
    wide = np.minimum(8, width - 8 * np.arange(sums.shape[1]))
    means: Floats = (sums / np.outer(tall, wide)).astype(np.float32)
    return means


def _variance_of_quarter(luma: Floats) -> Floats:
    """Variance of luma reduced four times, in SSIM's window, at each block."""
    small = _shrunk(luma, 4)
    mean = _blur(small)
    variance = np.maximum(_blur(small * small) - mean * mean, 0)
    rows, columns = (n // 2 for n in small.shape)
    return np.asarray(variance.reshape(rows, 2, columns, 2).mean(axis=(1, 3)))


def _similarity(x: Floats, y: Floats) -> Floats:
    """The contrast and structure terms of SSIM (Wang et al. 2004, eq. 13 without luminance)."""
    mean_x, mean_y = _blur(x), _blur(y)
    covariance = _blur(x * y) - mean_x * mean_y
    variances = _blur(x * x + y * y) - mean_x * mean_x - mean_y * mean_y
    return np.asarray((2 * covariance + _C2) / (variances + _C2))


def _blur(x: Floats) -> Floats:
    return np.asarray(cv2.GaussianBlur(x, _TAPS, _SIGMA, borderType=cv2.BORDER_REFLECT))


def _shrunk(plane: Floats, factor: int) -> Floats:
    """Means of factor x factor pixels over whole blocks, the last pixels repeated."""
    height, width = plane.shape
    rows, columns = -(-height // 8) * 8, -(-width // 8) * 8
    if (rows, columns) != plane.shape:
        plane = np.pad(plane, ((0, rows - height), (0, columns - width)), mode="edge")
    return np.asarray(cv2.resize(plane, (columns // factor, rows // factor), interpolation=cv2.INTER_AREA))
