"""Boxes that matter, as the user gives them or a detector of faces: in the picture's pixels, and laid over a map."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import cv2
import numpy as np

from msroi.arrays import Saliency
from msroi.errors import OptionError
from msroi.options import Box, PercentBox, PixelBox

VERSION = 1
"""Rises whenever the same boxes lie otherwise over a map by what the code does; constants count by themselves."""

BOX_EDGE = 0.01
"""Width of a box's soft edge (one sigma), as a fraction of the picture's shorter side."""

_ROWS = 64  # so many at a time


def inside(areas: Sequence[Box], size: tuple[int, int]) -> list[PixelBox]:
    """The boxes in pixels. Errors: OptionError for one that leaves the picture of `size` (width, height)."""
    width, height = size
    found = [area.in_pixels(width, height) if isinstance(area, PercentBox) else area for area in areas]
    for x, y, w, h in found:
        if w < 1 or h < 1 or x < 0 or y < 0 or x + w > width or y + h > height:
            raise OptionError(
                f"`focus` {x},{y},{w},{h}: the box leaves the picture, which has {width} x {height} pixels"
            )
    return found


def scaled(areas: list[PixelBox], before: tuple[int, int], after: tuple[int, int]) -> list[PixelBox]:
    """Boxes in pixels of a picture of size `before`, in pixels of the same at size `after`: (width, height)."""
    if before == after:
        return areas
    horizontal, vertical = after[0] / before[0], after[1] / before[1]
    scaled = []
    for x, y, width, height in areas:
        left, top = math.floor(x * horizontal), math.floor(y * vertical)
        right, bottom = math.ceil((x + width) * horizontal), math.ceil((y + height) * vertical)
        scaled.append((left, top, right - left, bottom - top))
    return scaled


def laid_over(saliency: Saliency, areas: Sequence[PixelBox]) -> Saliency:
    """A map with boxes over it: at each pixel the larger value counts. A new array where there are boxes."""
    if not areas:
        return saliency
    boxed = drawn(areas, *saliency.shape)
    return np.maximum(saliency, boxed, out=boxed)


def drawn(areas: Sequence[PixelBox], height: int, width: int) -> Saliency:
    """Boxes with soft edges on nothing: float32 (height, width), 1 in a box, down to 0 around it."""
    inside = np.zeros((height, width), np.float32)
    for x, y, w, h in areas:
        inside[y : y + h, x : x + w] = 1
    sigma = BOX_EDGE * min(height, width)
    if sigma < 0.5:
        return inside
    # Rows far from every edge are like their neighbours: of such a run one is blurred, and the rest are copies of it.
    like = np.arange(height)
    reach = math.ceil(4 * sigma) + 1  # of OpenCV's window for floats
    edges = sorted({0, height, *(edge for _, y, _, h in areas for edge in (y, y + h))})
    for first, last in itertools.pairwise(edges):
        like[first + reach : max(first, last - reach)] = first + reach
    rows, places = np.unique(like, return_inverse=True)
    blurred = cv2.GaussianBlur(inside[rows], (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    for top in range(0, height, _ROWS):
        own = inside[top : top + _ROWS]
        # The larger of both: a soft edge outside, the whole box itself.
        np.maximum(own, blurred[places[top : top + _ROWS]], out=own)
    return inside
