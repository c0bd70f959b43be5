"""Squared error: MSE, and PSNR, which is the same in decibels. Over all samples, R, G and B alike, data range 255."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from msroi.arrays import Weights, given_weights, pictures_alike
from msroi.metrics.samples import DATA_RANGE, bands


def mse(reference: npt.ArrayLike, candidate: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float:
    """Mean squared error over all samples, in squared levels (0 to 65,025).

    weights: None, or (height, width) numbers of 0 and more; the error of a pixel is the mean over its
    channels, and pixels are averaged by weight.
    Errors: ImageError for pictures of unlike shape or not uint8, SaliencyError for unusable weights,
    OptionError for weights that are zero everywhere.
    """
    first, second = pictures_alike(reference, candidate)
    return squared_error(first, second, given_weights(weights, first))


def psnr_db(reference: npt.ArrayLike, candidate: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float:
    """Peak signal-to-noise ratio in decibels, of `mse` against 255; infinite for identical pictures.

    weights and errors as in `mse`.
    """
    return decibels(mse(reference, candidate, weights))


def decibels(error: float) -> float:
    """A mean squared error against 255 in decibels; infinite where there is none."""
    return math.inf if error == 0 else 10 * math.log10(DATA_RANGE * DATA_RANGE / error)


def squared_error(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8], weights: Weights | None) -> float:
    """`mse` of pictures and weights that are checked."""
    if weights is None:
        total = 0  # a sum of integers, exact in any order
        for rows in bands(*first.shape[:2]):
            difference = cv2.absdiff(first[rows], second[rows])
            # 255 squared still fits 16 bits.
            total += int(np.sum(np.multiply(difference, difference, dtype=np.uint16), dtype=np.int64))
        return total / first.size
    weighted = weight = 0.0
    for rows in bands(*first.shape[:2]):
        difference = cv2.absdiff(first[rows], second[rows])
        error = np.multiply(difference, difference, dtype=np.float64)
        shares = weights[rows]
        weighted += float(np.sum((error if error.ndim == 2 else error.mean(axis=2)) * shares))
        weight += float(np.sum(shares))
    return weighted / weight
