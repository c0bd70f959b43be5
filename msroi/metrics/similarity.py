"""Structural similarity: SSIM, MS-SSIM, SI-SSIM, and SSIM's worst part.

SSIM        on luma (BT.601, full range, not rounded); Gaussian window of sigma 1.5 in 11 x 11 taps,
            K1 = .01, K2 = .03, population variance, borders reflected, every pixel averaged
MS-SSIM     the same luma, window and borders on up to five scales, 2 x 2 means between them
SI-SSIM     the SSIM of 8 x 8 blocks, averaged with the share of the map that falls on each
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from msroi.arrays import FloatArray, Weights, checked_weights, given_weights, pictures_alike
from msroi.metrics.samples import BAND_PIXELS, DATA_RANGE, bands, luma

# Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural
# similarity", IEEE TIP 13(4), 2004: K1, K2 and sigma. Eleven taps: sigma 1.5 cut at 3.5 sigma.
K1 = 0.01
K2 = 0.03
WINDOW_SIGMA = 1.5
WINDOW_RADIUS = 5

# Wang, Simoncelli, Bovik, "Multiscale structural similarity for image quality assessment",
# Asilomar 2003, section 3.2: from the finest scale to the coarsest.
MS_SSIM_EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)

# The window must fit into the coarsest scale.
SMALLEST_SIDE_OF_ALL_SCALES = (2 * WINDOW_RADIUS + 1) << (len(MS_SSIM_EXPONENTS) - 1)

# Wang, Han, Wang 2019 divide the picture into blocks of this many pixels a side.
SI_SSIM_BLOCK = 8

# The worst region: the mean of this share of the SSIM map, its lowest values.
WORST_SHARE = 0.05


def ssim_map(reference: npt.ArrayLike, candidate: npt.ArrayLike) -> FloatArray:
    """SSIM at each pixel: float64 (height, width) in [-1, 1], 1 where the windows are equal.

    Equals the full map of scikit-image's structural_similarity(gaussian_weights=True,
    use_sample_covariance=False, data_range=255) on luma.
    Errors: ImageError for pictures of unlike shape or not uint8.
    Source: Wang, Bovik, Sheikh, Simoncelli 2004, eq. 13.
    """
    first, second = pictures_alike(reference, candidate)
    height, width = first.shape[:2]
    result = np.empty((height, width))
    for rows in bands(height, width):
        result[rows] = _similarity(first, second, rows)[0]
    return result


def ssim(reference: npt.ArrayLike, candidate: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float:
    """Mean of `ssim_map` over every pixel, 1 for identical pictures.

    weights and errors as in `mse`. Source: Wang, Bovik, Sheikh, Simoncelli 2004, eq. 17.
    """
    first, second = pictures_alike(reference, candidate)
    checked = given_weights(weights, first)
    means = _scale_means(first, second, checked)
    return means.ssim if checked is None else means.weighted_ssim


def ms_ssim(reference: npt.ArrayLike, candidate: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float:
    """Multi-scale SSIM in [0, 1] on as many of the five scales as `ms_ssim_scales` allows.

    Contrast and structure enter at every scale, luminance at the coarsest. A scale's mean under 0
    counts as 0. With fewer than five scales the exponents of those left are divided by
    their sum, so that one scale alone is SSIM.
    weights and errors as in `mse`; weights are brought to each scale by the same 2 x 2 means.
    Source: Wang, Simoncelli, Bovik 2003, eq. 7.
    """
    first, second = pictures_alike(reference, candidate)
    checked = given_weights(weights, first)
    scales = all_scales(first, second, checked)
    return combined(scales, weighted=checked is not None)


def ms_ssim_scales(height: int, width: int) -> int:
    """On how many scales MS-SSIM stands: those whose shorter side holds the window of 11, at least 1."""
    taps = 2 * WINDOW_RADIUS + 1
    n_scales = 1
    while n_scales < len(MS_SSIM_EXPONENTS) and min(height, width) >= taps << n_scales:
        n_scales += 1
    return n_scales


def si_ssim(reference: npt.ArrayLike, candidate: npt.ArrayLike, saliency: npt.ArrayLike) -> float:
    """Semantic-importance SSIM: the SSIM of 8 x 8 blocks, averaged with L_i = V_i / sum V.

    saliency: (height, width) numbers of 0 and more; V_i is its sum over block i (eq. 10), and the
    result the sum of L_i SSIM_i (eq. 13). A block's SSIM is the mean of `ssim_map` over it, our
    reading; blocks that the right and lower border cut count with the pixels they have.
    Errors as in `mse`.
    Source: Wang, Han, Wang, "An End-to-End Deep Learning Image Compression Framework Based on
    Semantic Analysis", Applied Sciences 9(17):3580, 2019, eq. 10 and 13, doi:10.3390/app9173580.
    """
    return si_ssim_of_map(ssim_map(reference, candidate), saliency)


def si_ssim_of_map(similarity: FloatArray, saliency: npt.ArrayLike) -> float:
    """`si_ssim` of a picture whose `ssim_map` is known: float64 (height, width)."""
    importance = _block_sums(checked_weights(saliency, similarity)[:])
    block_ssim = _block_sums(similarity) / _block_sums(np.ones_like(similarity))
    return float(np.sum(importance * block_ssim) / np.sum(importance))


def worst(similarity: npt.NDArray[np.float64]) -> float:
    """Mean of the lowest WORST_SHARE of an SSIM map, at least one value."""
    count = max(1, math.floor(WORST_SHARE * similarity.size))
    lowest = np.partition(similarity.ravel(), count - 1)[:count]
    return float(np.mean(np.sort(lowest)))


# --- arithmetic -----------------------------------------------------------------------------------


def _window() -> FloatArray:
    offsets = np.arange(-WINDOW_RADIUS, WINDOW_RADIUS + 1)
    taps = np.exp(-0.5 * (offsets / WINDOW_SIGMA) ** 2)
    return np.asarray(taps / taps.sum())


_TAPS = _window()

# A picture, or its luma at a smaller scale.
_Plane = npt.NDArray[np.uint8] | FloatArray


def _luma_rows(plane: _Plane, top: int, bottom: int) -> FloatArray:
    rows: Any = plane[top:bottom]
    return luma(rows) if rows.dtype == np.uint8 else rows


def _similarity(first: _Plane, second: _Plane, rows: slice) -> tuple[FloatArray, FloatArray]:
    """SSIM and its contrast-structure part at the given rows of two pictures or of two planes of their luma.

    The window needs WINDOW_RADIUS rows more on each side; only at the picture's own border are
    they made by reflection.
    """
    top = max(0, rows.start - WINDOW_RADIUS)
    bottom = min(first.shape[0], rows.stop + WINDOW_RADIUS)
    # Variances are small differences of large squares: shifted to the middle grey they lose less.
    x, y = _luma_rows(first, top, bottom) - 128.0, _luma_rows(second, top, bottom) - 128.0

    def blur(values: FloatArray) -> FloatArray:
        blurred = cv2.sepFilter2D(values, cv2.CV_64F, _TAPS, _TAPS, borderType=cv2.BORDER_REFLECT)
        return np.asarray(blurred[rows.start - top : rows.stop - top])

    mean_x, mean_y = blur(x), blur(y)
    covariance = blur(x * y) - mean_x * mean_y
    # In this order equal pictures give the same rounding twice, and so an SSIM of exactly 1.
    variances = blur(x * x + y * y) - (mean_x * mean_x + mean_y * mean_y)
    c1, c2 = (K1 * DATA_RANGE) ** 2, (K2 * DATA_RANGE) ** 2
    contrast_structure = (2 * covariance + c2) / (variances + c2)
    mean_x += 128.0
    mean_y += 128.0
    luminance = (2 * mean_x * mean_y + c1) / (mean_x * mean_x + mean_y * mean_y + c1)
    return luminance * contrast_structure, contrast_structure


@dataclass(frozen=True)
class ScaleMeans:
    """Means of one scale; the weighted ones equal the plain ones where there are no weights."""

    ssim: float
    contrast_structure: float
    weighted_ssim: float
    weighted_contrast_structure: float


def _scale_means(first: _Plane, second: _Plane, weights: Weights | FloatArray | None) -> ScaleMeans:
    sums, weighted_sums, weight = np.zeros(2), np.zeros(2), 0.0
    height, width = first.shape[:2]
    for rows in bands(height, width):
        maps = _similarity(first, second, rows)
        sums += [np.sum(values) for values in maps]
        if weights is not None:
            shares = weights[rows]
            weighted_sums += [np.sum(values * shares) for values in maps]
            weight += np.sum(shares)
    plain = sums / (height * width)
    weighted = plain if weights is None else weighted_sums / weight
    return ScaleMeans(float(plain[0]), float(plain[1]), float(weighted[0]), float(weighted[1]))


def all_scales(
    first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8], weights: Weights | None
) -> list[ScaleMeans]:
    """The means of each scale that the pictures have, from the finest; uint8 pictures of one shape."""
    height, width = first.shape[:2]
    n_scales = ms_ssim_scales(height, width)
    scales = [_scale_means(first, second, weights)]
    if n_scales == 1:
        return scales
    x, y = (_halved(height, width, partial(_luma_rows, picture)) for picture in (first, second))
    shares = None if weights is None else _halved(height, width, lambda top, bottom: weights[top:bottom])
    scales.append(_scale_means(x, y, shares))
    for _ in range(2, n_scales):
        x, y = (_halved(plane.shape[0], plane.shape[1], partial(_luma_rows, plane)) for plane in (x, y))
        shares = None if shares is None else _halved(shares.shape[0], shares.shape[1], partial(_luma_rows, shares))
        scales.append(_scale_means(x, y, shares))
    return scales


def combined(scales: list[ScaleMeans], *, weighted: bool) -> float:
    """The product over the scales, Wang 2003 eq. 7."""
    exponents = np.array(MS_SSIM_EXPONENTS[: len(scales)])
    if len(scales) < len(MS_SSIM_EXPONENTS):
        exponents /= exponents.sum()
    values = [s.weighted_contrast_structure if weighted else s.contrast_structure for s in scales]
    values[-1] = scales[-1].weighted_ssim if weighted else scales[-1].ssim
    # A negative number has no real power of such an exponent.
    return float(np.prod(np.maximum(values, 0.0) ** exponents))


def _halved(height: int, width: int, rows_of: Callable[[int, int], FloatArray]) -> FloatArray:
    """2 x 2 means of a plane, of which rows_of(top, bottom) gives rows; at an odd border the mean of the pixels there
    are, so that none is lost."""
    result = np.empty((-(-height // 2), -(-width // 2)))
    step = 2 * max(8, BAND_PIXELS // (2 * width))
    for top in range(0, height, step):
        values = rows_of(top, min(top + step, height))
        if values.shape[0] % 2 or width % 2:
            values = np.pad(values, ((0, values.shape[0] % 2), (0, width % 2)), mode="edge")
        means = (values[0::2, 0::2] + values[0::2, 1::2] + values[1::2, 0::2] + values[1::2, 1::2]) * 0.25
        result[top // 2 : top // 2 + means.shape[0]] = means
    return result


def _block_sums(values: FloatArray) -> FloatArray:
    """Sums over SI_SSIM_BLOCK x SI_SSIM_BLOCK blocks, the last row and column of blocks maybe cut."""
    rows = np.add.reduceat(values, range(0, values.shape[0], SI_SSIM_BLOCK), axis=0)
    return np.asarray(np.add.reduceat(rows, range(0, values.shape[1], SI_SSIM_BLOCK), axis=1))
