"""A picture against its reference: two files in, scores out.

reference, candidate --read--> upright pixels, one colour space --+--> msroi.metrics.score --> Scores
saliency: None, array, path or kind --steer----> weights ---------+
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from msroi.errors import ImageError
from msroi.images import Limits, Picture, convert_to_srgb, read
from msroi.metrics import Scores, score

if TYPE_CHECKING:
    import numpy.typing as npt


def compare(reference: Any, candidate: Any, saliency: Any = None, *, limits: Limits | None = None) -> Scores:
    """Score a picture against its reference.

    reference, candidate: path, bytes, binary file, PIL image or uint8 array (height, width[, 3 or 4]), of
    the same size once turned upright. A grey picture against one in colour is compared in RGB.
    saliency: None for no weighted figures; else an array of any size with values in [0, 1], a path, or the
    name of a kind of map (made from the reference). A map that is 0 everywhere weighs all pixels alike.
    Returns `msroi.metrics.Scores`: MSE and PSNR in dB over RGB, SSIM and MS-SSIM on luma, and the same
    weighted by the map.
    Errors: ImageError for what is no picture or has another size, SaliencyError for an unusable map.
    """
    bounds = limits or Limits()
    original = read(reference, limits=bounds)
    other = read(candidate, limits=bounds)
    weights = None if saliency is None else make_weights(original, saliency)[0]
    original, other = _turned(original), _turned(other)  # pixels as stored are not needed beside
    return score_pictures(original, other, weights)


def make_weights(
    reference: Picture, saliency: Any, *, kind: str = "ms-roi", focus: Sequence[Any] = ()
) -> tuple[npt.NDArray[np.float32], str]:
    """The map that weighs the scores, float32 (height, width) of the upright reference, and what it is.

    saliency: as for `compare`, None for a map of the given kind; focus: boxes (x, y, width, height) in pixels
    of the upright picture. A map that is 0 everywhere, as of a flat picture, becomes 1 everywhere.
    """
    from msroi.saliency.sources import Sources
    from msroi.saliency.steering import steer

    steering = steer(Sources.of(saliency=saliency, map_kind=kind, focus=focus), reference)
    weights = steering.made()
    return (weights if weights.any() else np.ones_like(weights)), steering.identity


def score_pictures(reference: Picture, candidate: Picture, weights: npt.NDArray[np.float32] | None) -> Scores:
    """The scores of two pictures, upright. Pictures under different colour profiles are compared in sRGB."""
    (width, height), (other_width, other_height) = reference.upright_size, candidate.upright_size
    if (width, height) != (other_width, other_height):
        raise ImageError(
            f"{candidate.source.name}: {other_width} x {other_height} pixels, but the reference "
            f"{reference.source.name} has {width} x {height}; resize one of them"
        )
    if reference.metadata.icc_profile != candidate.metadata.icc_profile:
        reference, candidate = convert_to_srgb(reference), convert_to_srgb(candidate)
    first, second = reference.upright, candidate.upright
    if first.ndim != second.ndim:
        first, second = _as_rgb(first), _as_rgb(second)
    return score(first, second, weights)


def _turned(picture: Picture) -> Picture:
    return picture if picture.orientation == 1 else replace(picture, pixels=picture.upright, orientation=1)


def _as_rgb(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
