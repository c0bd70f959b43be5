"""The scores of one file: what stands in a row between its sizes and its name."""

from __future__ import annotations

import io
import math

import numpy as np
import numpy.typing as npt
from PIL import Image

from msroi import metrics
from msroi.benchmark.psnr_hvs_m import psnr_hvs_m
from msroi.benchmark.subject import Pixels, Subject

# The columns of scores in their order. Higher is better but for those in LOWER_IS_BETTER.
SCORES = (
    "mse",
    "psnr",
    "ssim",
    "ms_ssim",
    "si_ssim",
    "ssimulacra2",
    "psnr_hvs_m",
    "worst_ssim",
    "psnr_inside",
    "psnr_outside",
    "ssim_inside",
    "ssim_outside",
    "psnr_weighted",
    "ssim_weighted",
)
LOWER_IS_BETTER = frozenset({"mse", "bytes"})

# The worst region: the mean of this share of the SSIM map, its lowest values.
WORST_SHARE = 0.05

# PSNR-HVS-M and SSIMULACRA2 need a whole block.
_LEAST_SIDE = 8

SSIMULACRA2_INSTALL = "pip install ssimulacra2"


def measure(subject: Subject, decoded: Pixels, *, ssimulacra2: bool) -> dict[str, float | None]:
    """All of SCORES for decoded pixels of the subject's shape; None where a figure has no meaning.

    psnr figures are in dB, infinite for identical pixels. ssimulacra2: whether to spend half a second a megapixel
    on it.
    """
    reference = subject.pixels
    plain = metrics.score(reference, decoded)
    similarity = metrics.ssim_map(reference, decoded)
    whole_blocks = min(reference.shape[:2]) >= _LEAST_SIDE
    importance = subject.importance
    scores: dict[str, float | None] = {
        "mse": plain.mse,
        "psnr": plain.psnr_db,
        "ssim": plain.ssim,
        "ms_ssim": plain.ms_ssim,
        "si_ssim": None if importance is None else metrics.si_ssim_of_map(similarity, importance),
        "ssimulacra2": ssimulacra2_score(reference, decoded) if ssimulacra2 and whole_blocks else None,
        "psnr_hvs_m": psnr_hvs_m(reference, decoded) if whole_blocks else None,
        "worst_ssim": worst(similarity),
    }
    scores |= _by_mask(subject, decoded, similarity)
    scores |= _by_fixations(subject, decoded, similarity)
    return scores


def worst(similarity: npt.NDArray[np.float64]) -> float:
    """Mean of the lowest WORST_SHARE of an SSIM map, at least one value."""
    count = max(1, math.floor(WORST_SHARE * similarity.size))
    lowest = np.partition(similarity.ravel(), count - 1)[:count]
    return float(np.mean(np.sort(lowest)))


def ssimulacra2_score(reference: Pixels, decoded: Pixels) -> float:
    """SSIMULACRA2 by the package of that name, on sRGB pixels. Source: Sneyers, Cloudinary 2022."""
    from ssimulacra2 import compute_ssimulacra2

    files = []
    for pixels in (reference, decoded):
        files.append(io.BytesIO())
        Image.fromarray(pixels).save(files[-1], "PNG", compress_level=0)
    return float(compute_ssimulacra2(*files))


def _by_mask(subject: Subject, decoded: Pixels, similarity: npt.NDArray[np.float64]) -> dict[str, float | None]:
    inside = subject.inside
    if inside is None:
        return dict.fromkeys(("psnr_inside", "psnr_outside", "ssim_inside", "ssim_outside"))
    return {
        "psnr_inside": metrics.psnr_db(subject.pixels, decoded, inside),
        "psnr_outside": metrics.psnr_db(subject.pixels, decoded, ~inside),
        "ssim_inside": float(similarity[inside].mean()),
        "ssim_outside": float(similarity[~inside].mean()),
    }


def _by_fixations(subject: Subject, decoded: Pixels, similarity: npt.NDArray[np.float64]) -> dict[str, float | None]:
    density = subject.fixations
    if density is None:
        return dict.fromkeys(("psnr_weighted", "ssim_weighted"))
    return {
        "psnr_weighted": metrics.psnr_db(subject.pixels, decoded, density),
        "ssim_weighted": float(np.average(similarity, weights=density.astype(np.float64))),
    }
