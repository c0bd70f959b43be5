"""How like is one picture to another: MSE, PSNR, SSIM, MS-SSIM, their weighted forms, SI-SSIM.

Every figure that msroi prints comes from here, so that a figure has one definition:

    MSE, PSNR   over all samples (R, G and B alike), data range 255
    SSIM        on luma (BT.601, full range, not rounded); Gaussian window of sigma 1.5 in 11 x 11 taps,
                K1 = .01, K2 = .03, population variance, borders reflected, every pixel averaged
    MS-SSIM     the same luma, window and borders on up to five scales, 2 x 2 means between them
    weighted    the same error or SSIM map, averaged with a weight per pixel
    SI-SSIM     the SSIM of 8 x 8 blocks, averaged with the share of the map that falls on each

Pictures are uint8 arrays, RGB (height, width, 3) or grey (height, width), 1 x 1 and up, both of one shape.
The arithmetic is in double precision, band by band: memory does not grow with the number of
intermediate maps, luma and weights are never there whole in that precision, and the result does not depend on
the number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from msroi.arrays import FloatArray, Weights, checked_weights, pictures_alike

DATA_RANGE = 255.0
# BT.601 as JFIF uses it: full range, no offset.
LUMA_WEIGHTS = (0.299, 0.587, 0.114)

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

# A band of a 12-megapixel picture then takes 2 MB a map and stays in a processor's cache.
_BAND_PIXELS = 1 << 18


@dataclass(frozen=True)
class Scores:
    """What `score` measured. Weighted figures are None where no weights were given.

    mse and psnr_db are over all samples; psnr_db is infinite for identical pictures.
    ms_ssim_scales says on how many of the five scales MS-SSIM stands: fewer under 176 pixels a side.
    """

    mse: float
    psnr_db: float
    ssim: float
    ms_ssim: float
    ms_ssim_scales: int
    weighted_mse: float | None = None
    weighted_psnr_db: float | None = None
    weighted_ssim: float | None = None
    weighted_ms_ssim: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, which knows no infinity: an infinite PSNR becomes None."""
        return {
            name: None if isinstance(value, float) and math.isinf(value) else value
            for name, value in asdict(self).items()
        }


def mse(reference: npt.ArrayLike, candidate: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float:
    """Mean squared error over all samples, in squared levels (0 to 65,025).

    weights: None, or (height, width) numbers of 0 and more; the error of a pixel is the mean over its
    channels, and pixels are averaged by weight.
    Errors: ImageError for pictures of unlike shape or not uint8, SaliencyError for unusable weights,
    OptionError for weights that are zero everywhere.
    """
    first, second = pictures_alike(reference, candidate)
    return _mse(first, second, _given(weights, first))


def psnr_db(reference: npt.ArrayLike, candidate: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float:
    """Peak signal-to-noise ratio in decibels, of `mse` against 255; infinite for identical pictures.

    weights and errors as in `mse`.
    """
    return _decibels(mse(reference, candidate, weights))


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
    for rows in _bands(height, width):
        result[rows] = _similarity(first, second, rows)[0]
    return result


def ssim(reference: npt.ArrayLike, candidate: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float:
    """Mean of `ssim_map` over every pixel, 1 for identical pictures.

    weights and errors as in `mse`. Source: Wang, Bovik, Sheikh, Simoncelli 2004, eq. 17.
    """
    first, second = pictures_alike(reference, candidate)
    checked = _given(weights, first)
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
    checked = _given(weights, first)
    scales = _all_scales(first, second, checked)
    return _combine(scales, weighted=checked is not None)


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


def score(reference: npt.ArrayLike, candidate: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> Scores:
    """All figures of one picture against its reference, each as the function of its name gives it.

    weights and errors as in `mse`.
    """
    first, second = pictures_alike(reference, candidate)
    checked = _given(weights, first)
    error = _mse(first, second, None)
    scales = _all_scales(first, second, checked)
    plain = Scores(
        mse=error,
        psnr_db=_decibels(error),
        ssim=scales[0].ssim,
        ms_ssim=_combine(scales, weighted=False),
        ms_ssim_scales=len(scales),
    )
    if checked is None:
        return plain
    weighted_error = _mse(first, second, checked)
    return Scores(
        **{name: value for name, value in asdict(plain).items() if not name.startswith("weighted")},
        weighted_mse=weighted_error,
        weighted_psnr_db=_decibels(weighted_error),
        weighted_ssim=scales[0].weighted_ssim,
        weighted_ms_ssim=_combine(scales, weighted=True),
    )


def luma(pixels: npt.NDArray[np.uint8]) -> FloatArray:
    """BT.601 luma of a uint8 picture, full range, not rounded: float64 (height, width) in [0, 255].

    A grey picture is its own luma.
    """
    if pixels.ndim == 2:
        return pixels.astype(np.float64)
    height, width = pixels.shape[:2]
    result = np.empty((height, width))
    red, green, blue = LUMA_WEIGHTS
    for rows in _bands(height, width):
        band = pixels[rows]
        np.multiply(band[..., 0], red, out=result[rows])
        result[rows] += band[..., 1] * green
        result[rows] += band[..., 2] * blue
    return result


def _given(weights: npt.ArrayLike | None, picture: npt.NDArray[Any]) -> Weights | None:
    return None if weights is None else checked_weights(weights, picture)


# --- arithmetic -----------------------------------------------------------------------------------


def _bands(height: int, width: int) -> Iterator[slice]:
    """Slices of rows that cover the picture. They depend on its size alone, so sums are repeatable."""
    step = max(16, _BAND_PIXELS // width)
    for top in range(0, height, step):
        yield slice(top, min(top + step, height))


def _decibels(error: float) -> float:
    return math.inf if error == 0 else 10 * math.log10(DATA_RANGE * DATA_RANGE / error)


def _mse(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8], weights: Weights | None) -> float:
    if weights is None:
        total = 0  # a sum of integers, exact in any order
        for rows in _bands(*first.shape[:2]):
            difference = cv2.absdiff(first[rows], second[rows])
            # 255 squared still fits 16 bits.
            total += int(np.sum(np.multiply(difference, difference, dtype=np.uint16), dtype=np.int64))
        return total / first.size
    weighted = weight = 0.0
    for rows in _bands(*first.shape[:2]):
        difference = cv2.absdiff(first[rows], second[rows])
        error = np.multiply(difference, difference, dtype=np.float64)
        shares = weights[rows]
        weighted += float(np.sum((error if error.ndim == 2 else error.mean(axis=2)) * shares))
        weight += float(np.sum(shares))
    return weighted / weight


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
class _ScaleMeans:
    """Means of one scale; the weighted ones equal the plain ones where there are no weights."""

    ssim: float
    contrast_structure: float
    weighted_ssim: float
    weighted_contrast_structure: float


def _scale_means(first: _Plane, second: _Plane, weights: Weights | FloatArray | None) -> _ScaleMeans:
    sums, weighted_sums, weight = np.zeros(2), np.zeros(2), 0.0
    height, width = first.shape[:2]
    for rows in _bands(height, width):
        maps = _similarity(first, second, rows)
        sums += [np.sum(values) for values in maps]
        if weights is not None:
            shares = weights[rows]
            weighted_sums += [np.sum(values * shares) for values in maps]
            weight += np.sum(shares)
    plain = sums / (height * width)
    weighted = plain if weights is None else weighted_sums / weight
    return _ScaleMeans(float(plain[0]), float(plain[1]), float(weighted[0]), float(weighted[1]))


def _all_scales(
    first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8], weights: Weights | None
) -> list[_ScaleMeans]:
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


def _combine(scales: list[_ScaleMeans], *, weighted: bool) -> float:
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
    step = 2 * max(8, _BAND_PIXELS // (2 * width))
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
