"""A saliency map made visible: as a heat map, and laid over its photo (row M3).

    saliency (height, width) in [0, 1] --heat_map--> jet colours --overlay--> photo and colours blended

The colours are the jet table that the paper and most of the field use: dark blue for 0, through
cyan and yellow, to dark red for 1. The table is computed here, so that no plotting library is needed.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from msroi.errors import SaliencyError
from msroi.images import read
from msroi.options import real_number
from msroi.saliency.values import map_values

# Corners of the piecewise linear jet map: (position, value) for each channel.
_JET_RED = ((0.0, 0.35, 0.66, 0.89, 1.0), (0.0, 0.0, 1.0, 1.0, 0.5))
_JET_GREEN = ((0.0, 0.125, 0.375, 0.64, 0.91, 1.0), (0.0, 0.0, 1.0, 1.0, 0.0, 0.0))
_JET_BLUE = ((0.0, 0.11, 0.34, 0.65, 1.0), (0.5, 1.0, 1.0, 0.0, 0.0))


def jet_table() -> npt.NDArray[np.uint8]:
    """The 256 jet colours, uint8 (256, 3) RGB, from 0 (dark blue) to 1 (dark red)."""
    position = np.linspace(0.0, 1.0, 256)
    channels = [np.interp(position, *corners) for corners in (_JET_RED, _JET_GREEN, _JET_BLUE)]
    return np.rint(np.stack(channels, axis=1) * 255).astype(np.uint8)


_STRIP = 256
"""Rows that are converted at once."""


def heat_map(saliency: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """Jet colours of a saliency map.

    saliency: (height, width), float in [0, 1], uint8 or bool.
    Returns uint8 (height, width, 3) RGB.
    Errors: SaliencyError for another shape, for values outside [0, 1] and for NaN.
    """
    return np.asarray(jet_table()[grey_map(saliency)])


def grey_map(saliency: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """The map as a grey picture: uint8 (height, width), white is what matters most.

    saliency: (height, width), float in [0, 1], uint8 or bool. Errors: SaliencyError for another kind of array.
    """
    values = map_values(saliency)
    grey = np.empty(values.shape, np.uint8)
    # In strips: the floats in between would take more memory than map and picture together.
    for top in range(0, len(values), _STRIP):
        rows = slice(top, top + _STRIP)
        grey[rows] = np.clip(np.rint(values[rows] * np.float32(255)), 0, 255)
    return grey


def overlay(image: Any, saliency: npt.ArrayLike, strength: float = 0.5) -> npt.NDArray[np.uint8]:
    """The photo, upright, with the heat map of its saliency laid over it.

    image: path, bytes, binary file, PIL image or uint8 array (height, width[, 3 or 4]).
    saliency: (height, width), float in [0, 1], uint8 or bool, aligned with the upright image.
    strength: share of the heat map in the blend, from 0 (the photo alone) to 1 (the heat map alone).
    Returns uint8 (height, width, 3) RGB.
    Errors: ImageError for what is no picture, SaliencyError for a map that does not fit it, OptionError for an
    argument of another kind and for a strength outside [0, 1].
    """
    strength = real_number("strength", strength, 0, 1)
    pixels = image if _is_pixels(image) else read(image).upright
    heat = heat_map(saliency)
    if heat.shape[:2] != pixels.shape[:2]:
        raise SaliencyError(
            f"saliency: {heat.shape[1]}x{heat.shape[0]}, but the image is "
            f"{pixels.shape[1]}x{pixels.shape[0]}; resize the map to the image"
        )
    colours = np.ascontiguousarray(pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2))
    return np.asarray(cv2.addWeighted(colours, 1.0 - strength, heat, strength, 0.0), dtype=np.uint8)


def _is_pixels(image: Any) -> bool:
    """Whether this can be taken as it is: what was read once, under the limits of its caller."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.size == 0:
        return False
    return image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
