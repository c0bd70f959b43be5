"""JPEG sources on their own lattice: the coefficients that the file holds, not those of its decoded pixels.

    file --entropy decoder--> levels --x tables--> Coefficients, with tables

Decoding would round to 8 bit, enlarge chroma and take it apart again; and a value that is a multiple of its old
step stays exact where it keeps that step (DESIGN 5.3). There is one lattice to find, that of the file's last
compression: what was turned, cropped or resized before it has left none.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from msroi.arrays import Floats, Pixels
from msroi.codecs.jpeg import _kernels
from msroi.codecs.jpeg.coefficients import Coefficients, Table, at_limits, drop_unseen, luma_of
from msroi.errors import ImageError

if TYPE_CHECKING:
    from msroi.images import Picture


# Steps on a source's lattice are the multiples of its own that come nearest to so many times ours, and to no more than
# so many of its steps beyond ours: where a part of the errors is exactly zero, the others may be larger. Measured on
# CID22, sources of 75 to 97, targets of 30 to 70: up to +.6 dB over ours as they are, SSIM and SSIMULACRA2 as good. A
# choice by cost among five factors, picture by picture, was no better.
COARSER, BEYOND = 1.2, 0.4

# Below so many times the source's step it is kept.
KEPT = 1.75

# Where luma's steps at these zigzag positions are so many times the source's, in geometric mean, multiples of the
# source's steps gain nothing any more, and what they depart from our tables costs up to .3 dB where a map is followed:
# then our tables stand as they are. Measured on CID22, sources of 75 to 97, targets of 30 to 90, with the network's
# map, against files made from pixels: our tables are never behind; multiples are ahead of them by .15 to .5 dB below a
# ratio of 3.2, as good between 3.7 and 4.1, and behind from there.
LOW = slice(1, 16)
FAR = 4.0

# How far the lattice's own luma may lie from that of the pixels: their three rounded colours, the decoder's rounded
# samples and its inverse DCT in whole numbers.
_TOLERANCE = 3.0

# So many rows of blocks are compared.
_ROWS = 32


def from_jpeg(picture: Picture, threads: int = 1) -> Coefficients | None:
    """The coefficients of the JPEG that a picture was read from, with its tables.

    None where there is no lattice for us (no JPEG; arithmetic coding, CMYK, RGB, 4:1:1, 4:4:0 and the like; data that
    are not whole), and where the picture's pixels are not those of the file.
    """
    data = picture.source.data
    if not picture.as_decoded or data is None:
        return None
    from msroi.metadata import bare

    try:
        levels, tables, samplings, height, width = _kernels.read_jpeg(bare(data))
    except (ValueError, ImageError):
        return None
    channels = () if len(levels) == 1 else (3,)
    if picture.pixels.shape != (height, width, *channels):
        return None
    if not _shows(levels[0], tables[0], picture.pixels):
        return None
    half = _kernels.inverse_dct_half(levels[0], tables[0], height, width, threads)
    planes = []
    for index, table in enumerate(tables):
        planes.append(_kernels.dequantise(levels[index], table, threads))
        levels[index] = np.empty((0, 0, 64), np.int16)  # memory of large pictures
    limits = at_limits(planes[0], picture.pixels)
    drop_unseen(planes, limits, samplings[0])
    return Coefficients(half, tuple(planes), limits, tuple(samplings), tuple(tables))


def for_source(tables: Sequence[Table], source: Sequence[Table]) -> list[Table]:
    """The tables to code a JPEG source with in place of `tables`, luma's first: on its lattice, or ours where far.

    Either way no step is finer than the source's.
    """
    ratio = np.exp(np.mean(np.log(tables[0][LOW] / source[0][LOW])))
    if ratio > FAR:
        return [np.maximum(*pair) for pair in zip(tables, source, strict=True)]
    return [on_lattice(*pair) for pair in zip(tables, source, strict=True)]


def on_lattice(table: Table, source: Table) -> Table:
    """The table of multiples of the source's steps that stands for `table`, both uint16 (64,).

    A value of the source lies on a multiple of its step. So at that step it is exact; at twice the step half of all
    values lie in the middle between two, so that the own step pays for longer; and on steps that do not fit, errors
    are those of both lattices. DC takes odd multiples: at even ones its ties would all go where neighbours lie, and
    smooth areas would show it (.4 to .8 of SSIMULACRA2).
    """
    ratio = table / source
    coarser = ratio + np.minimum((COARSER - 1) * ratio, BEYOND)
    multiples = np.where(coarser < KEPT, 1, np.rint(coarser))
    multiples[0] = 2 * (ratio[0] // 2) + 1
    return np.asarray(source * np.minimum(multiples, 255 // source), np.uint16)


def strips(source: Coefficients, rows: npt.NDArray[np.intp]) -> Coefficients:
    """The part of a picture that lies in some rows of pixels, whole MCUs each."""
    vertical = source.samplings[0][1]
    planes = [np.ascontiguousarray(plane[rows_of_blocks(rows, i, vertical)]) for i, plane in enumerate(source.planes)]
    half = np.ascontiguousarray(source.half[rows[::2] // 2])
    limits = np.ascontiguousarray(source.limits[rows[::8] // 8])
    return replace(source, half=half, limits=limits, planes=tuple(planes))


def rows_of_blocks(rows: npt.NDArray[np.intp], index: int, vertical: int) -> npt.NDArray[np.intp]:
    """The rows of blocks of a component, by its index, that lie in some rows of pixels, whole MCUs each.

    vertical: luma's factor.
    """
    height = 8 * (vertical if index else 1)
    return rows[::height] // height


def seen_shares(height: int, width: int) -> Floats:
    """The share of each block's samples that lies inside a plane of height x width: (rows, columns), above 0 to 1."""
    down = np.minimum(8, height - np.arange(0, height, 8))
    across = np.minimum(8, width - np.arange(0, width, 8))
    return (np.outer(down, across) / 64).astype(np.float32)


def _shows(levels: npt.NDArray[np.int16], table: Table, pixels: Pixels) -> bool:
    """Whether decoded pixels show this luma, on some rows; where a colour is at its end, it was clipped there."""
    height, width = pixels.shape[:2]
    blocks = np.arange(0, levels.shape[0], max(1, levels.shape[0] // _ROWS))
    luma = _kernels.inverse_dct(np.ascontiguousarray(levels[blocks]), table, 8 * len(blocks), width)
    rows = (8 * blocks[:, None] + np.arange(8)).ravel()
    luma, some = np.clip(luma[rows < height], -128, 127), np.ascontiguousarray(pixels[rows[rows < height]])
    inside = np.atleast_3d((some > 0) & (some < 255))
    free = functools.reduce(np.logical_and, np.moveaxis(inside, 2, 0))
    return not np.any(np.abs(luma_of(some) - luma)[free] > _TOLERANCE)
