"""The kinds of map by name, and the map of a picture by kind. A new kind is a file and its line in `KINDS`."""

from __future__ import annotations

from typing import Any

import numpy as np

from msroi.errors import OptionError
from msroi.images import read
from msroi.options import MapKind, MapQuality
from msroi.saliency import read_outs
from msroi.saliency.curves import CONTRAST, Contrast
from msroi.saliency.kind import DEFAULT_QUALITY, FLAT_VALUE, Found, Kind, View
from msroi.saliency.values import full_size

DEFAULT_KIND: MapKind = "ms-roi"
NO_MAP = "none"


def _nothing(view: View) -> Found:
    return Found(FLAT_VALUE)


KINDS: dict[str, Kind] = {
    "ms-roi": read_outs.kind(
        "ms-roi",
        "objects and gaze together, from the five most probable classes (default)",
        curves={CONTRAST: Contrast(read_outs.BACKGROUND, read_outs.SUBJECT)},
    ),
    "ms-roi-labels": read_outs.kind(
        "ms-roi-labels",
        "as published: the network was taught by class labels alone",
        network="ms-roi-labels",
    ),
    "objects": read_outs.kind("objects", "what people would call the subject"),
    "gaze": read_outs.kind("gaze", "where people look first"),
    "cam": read_outs.kind("cam", "class activation map of the best class alone"),
    "grad-cam": read_outs.kind(
        "grad-cam", "Grad-CAM of the best class (the same map: the network ends in global average pooling)"
    ),
    NO_MAP: Kind(_nothing, "no map: everything matters alike"),
}
"""The one table: name -> kind."""


def saliency_map(image: Any, kind: MapKind = DEFAULT_KIND, quality: MapQuality = DEFAULT_QUALITY) -> np.ndarray:
    """Where people look in `image`: float32 (height, width) in [0, 1], aligned with the upright picture.

    image: path, bytes, binary file, PIL image or uint8 array (height, width[, 3 or 4]).
    kind: a name from `KINDS`. quality: "fast", or "high", which looks four times and agrees a little better
    with people. A flat picture gives a flat map of 0.5, and so do one in which the network sees nothing that
    stands out, a screen, page of text or drawing, and kind "none"; a flat map is read-only.
    The same picture gives the same map in every run, on any number of threads.
    Raises ImageError for an image that cannot be read, OptionError for an unknown kind or quality, SaliencyError
    for a network that is missing or damaged. Source: MS-ROI, Selimović, Hladnik 2018.
    """
    return make_map(read(image).upright, kind, quality)


def make_map(pixels: np.ndarray, kind: str = DEFAULT_KIND, quality: str = DEFAULT_QUALITY) -> np.ndarray:
    """`saliency_map` of pixels that are already upright: uint8 (height, width, 3) RGB or (height, width)."""
    return full_size(find_map(pixels, kind, quality).values, *pixels.shape[:2])


def find_map(pixels: np.ndarray, kind: str = DEFAULT_KIND, quality: str = DEFAULT_QUALITY) -> Found:
    """`make_map` in its small form, with a notice where the network was too unsure to be followed, or is not asked."""
    return kind_of(kind).map_of(pixels, kind, quality)


def kind_of(name: str) -> Kind:
    """The kind of that name. Errors: OptionError for an unknown one."""
    if not isinstance(name, str) or name not in KINDS:
        raise OptionError(f"map kind {name!r}: unknown; the kinds are {', '.join(KINDS)}")
    return KINDS[name]
