"""How like is one picture to another: MSE, PSNR, SSIM, MS-SSIM, their weighted forms, SI-SSIM, and more.

Every figure that msroi prints comes from here, so that a figure has one definition:

    error           MSE, PSNR: over all samples (R, G and B alike), data range 255
    similarity      SSIM, MS-SSIM, SI-SSIM, SSIM's worst part: on luma
    psnr_hvs_m      PSNR-HVS-M: on luma, as eyes see
    ssimulacra2     SSIMULACRA2, by the package of that name; its distance, by ourselves
    weighted        the same error or SSIM map, averaged with a weight per pixel
    catalogue       the table of all of them: what is compared, measured and shown

Pictures are uint8 arrays, RGB (height, width, 3) or grey (height, width), 1 x 1 and up, both of one shape.
The arithmetic is in double precision, band by band: memory does not grow with the number of
intermediate maps, luma and weights are never there whole in that precision, and the result does not depend on
the number of threads.
"""

from __future__ import annotations

from msroi.metrics.catalogue import METRICS, Metric
from msroi.metrics.error import decibels, mse, psnr_db
from msroi.metrics.pair import Pair
from msroi.metrics.samples import DATA_RANGE, LUMA_WEIGHTS, luma
from msroi.metrics.scores import Scores, score
from msroi.metrics.similarity import (
    MS_SSIM_EXPONENTS,
    SMALLEST_SIDE_OF_ALL_SCALES,
    ms_ssim,
    ms_ssim_scales,
    si_ssim,
    si_ssim_of_map,
    ssim,
    ssim_map,
)

__all__ = [
    "DATA_RANGE",
    "LUMA_WEIGHTS",
    "METRICS",
    "MS_SSIM_EXPONENTS",
    "SMALLEST_SIDE_OF_ALL_SCALES",
    "Metric",
    "Pair",
    "Scores",
    "decibels",
    "luma",
    "ms_ssim",
    "ms_ssim_scales",
    "mse",
    "psnr_db",
    "score",
    "si_ssim",
    "si_ssim_of_map",
    "ssim",
    "ssim_map",
]
