"""Whether a picture is a screen, a page of text or a drawing, where a map of what stands out harms.

    pixels --> differences between neighbours --> tiles that are not even --> share of them that only drawing makes

What is drawn goes from one even ground to another: where its neighbours differ at all, they differ much. What a camera
saw has noise, texture and shading: small differences everywhere.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from msroi.arrays import Pixels

# The constants below were chosen on 20 rendered screens, pages and drawings, of whose uneven tiles 55 to 100 % are
# drawn (least: a shop full of photos), on photos of CID22, CLIC and ECSSD, at most 6 %, and on subjects of ECSSD cut
# out and put on white, whole and halved, 2 of 300 of which pass for drawn: `python -m train.studies.drawn`.

TILE = 16
"""Side of a tile in pixels: a few letters."""

SAME, SOFT = 1, 12
"""Differences of neighbours, in levels of the channel that differs most: up to SAME they are alike, up to SOFT they may
be texture or shading, above it is an edge."""

UNEVEN = 0.05
"""A tile in which a larger share of pixels than this differs from a neighbour is looked at."""

ALIKE, EDGES = 0.4, 0.6
"""A tile is drawn if at least the share ALIKE of its pixels are like their neighbours, and EDGES of the others lie
at edges."""

DRAWN = 0.45
"""A picture is drawn if this share of its uneven tiles is."""

TILES_ENOUGH = 64
"""With fewer uneven tiles nothing is said: a small subject cut out on white has little else than its outline."""

STRIP, SAMPLE_PIXELS = 64, 500_000
"""Larger pictures are looked at in strips of so many rows, evenly spaced; never reduced, for text would be lost."""


def is_drawn(pixels: Pixels) -> bool:
    """Whether most of what there is in the picture was drawn, set or rendered, not photographed.

    pixels: uint8 (height, width[, 3]). Mixed pages count by the larger part. A screen that was coded as JPEG before
    has rings around its letters, which look like texture: it may pass for a photo.
    """
    n_uneven, n_drawn = _count(pixels)
    return n_uneven >= TILES_ENOUGH and n_drawn >= DRAWN * n_uneven


def share_drawn(pixels: Pixels) -> float:
    """The share, 0 to 1, of uneven tiles that are drawn; 0 with fewer than TILES_ENOUGH of them."""
    n_uneven, n_drawn = _count(pixels)
    return n_drawn / n_uneven if n_uneven >= TILES_ENOUGH else 0.0


def _count(pixels: Pixels) -> tuple[int, int]:
    """Uneven tiles and drawn ones among them."""
    height, width = pixels.shape[:2]
    if height <= TILE or width <= TILE:
        return 0, 0
    n_strips = -(-(height - 1) // STRIP)
    n_looked = min(n_strips, max(2, SAMPLE_PIXELS // (STRIP * width)))
    n_uneven = n_drawn = 0
    for i in range(n_looked):
        top = STRIP * (i * (n_strips - 1) // max(1, n_looked - 1))
        uneven, drawn = _count_strip(pixels[top : top + STRIP + 1])
        n_uneven, n_drawn = n_uneven + uneven, n_drawn + drawn
    return n_uneven, n_drawn


def _count_strip(pixels: Pixels) -> tuple[int, int]:
    """`_count` of whole tiles; pixels: a row and a column more than these, or what there is."""
    differences = _differences(pixels)
    n_rows, n_columns = (n // TILE for n in differences.shape)
    differences = differences[: n_rows * TILE, : n_columns * TILE]
    n_pixels = TILE * TILE

    def n_above(level: int) -> npt.NDArray[np.int64]:
        above = (differences > level).view(np.uint8).reshape(n_rows, TILE, n_columns * TILE)
        of_columns = np.add.reduce(above, axis=1, dtype=np.uint8)
        return np.asarray(of_columns.reshape(n_rows, n_columns, TILE).sum(axis=2, dtype=np.int64))

    n_unlike, n_edges = n_above(SAME), n_above(SOFT)
    uneven = n_unlike > UNEVEN * n_pixels
    drawn = uneven & (n_pixels - n_unlike >= ALIKE * n_pixels) & (n_edges >= EDGES * n_unlike)
    return int(np.count_nonzero(uneven)), int(np.count_nonzero(drawn))


def _differences(pixels: Pixels) -> Pixels:
    """How far each pixel is from its right and lower neighbours, in the channel that differs most: one row and one
    column less."""
    result = None
    for plane in cv2.split(pixels):
        here = plane[:-1, :-1]
        for other in (plane[:-1, 1:], plane[1:, :-1]):
            difference = cv2.absdiff(here, other)
            result = difference if result is None else cv2.max(result, difference, dst=result)
    return np.asarray(result)
