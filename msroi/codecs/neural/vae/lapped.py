"""The linear transform that the network begins as: blocks of 8 x 8 x 3 that overlap, in axes of their own variance.

    pixels -> a filter of 4 + 4 pixels across each border of blocks -> blocks -> Karhunen-Loeve transform

The filter makes the block transform a lapped one: Tran, Liang, Tu, "Lapped transform via time-domain pre- and
post-filtering", IEEE Trans. Signal Processing 51(6), 2003, doi:10.1109/TSP.2003.811222. With its scale of 1.5 it has
9.56 dB of coding gain on a first-order process of correlation .95; blocks alone have 8.83. A signal that is mirrored at
a border passes through it unchanged, so a picture's edge, mirrored, needs nothing from beyond.

NumPy alone: a decoder without a network's framework uses the same functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from msroi.arrays import FloatArray

BLOCK = 8
COLOURS = 3
SIZE = BLOCK * BLOCK * COLOURS
HALF = BLOCK // 2
SCALE = 1.5
"""Of the odd part's lowest frequency, which makes the transform biorthogonal."""


def _cosines(n: int, kind: int) -> FloatArray:
    """The orthonormal DCT of kind 2 or 4 as a matrix (frequency, place)."""
    k, i = np.arange(n)[:, None], np.arange(n)[None, :]
    if kind == 4:
        return np.sqrt(2 / n) * np.cos(np.pi * (2 * k + 1) * (2 * i + 1) / (4 * n))
    rows = np.sqrt(2 / n) * np.cos(np.pi * k * (2 * i + 1) / (2 * n))
    rows[0] /= np.sqrt(2)
    return rows


def border_filter() -> FloatArray:
    """(8, 8): what the eight pixels across a border become, four of each block."""
    one, mirror = np.eye(HALF), np.eye(HALF)[::-1]
    butterflies = np.block([[one, mirror], [mirror, -one]]) / np.sqrt(2)
    odd = mirror @ _cosines(HALF, 2).T @ np.diag([SCALE, 1, 1, 1]) @ _cosines(HALF, 4) @ mirror
    none = np.zeros((HALF, HALF))
    return butterflies @ np.block([[one, none], [none, odd]]) @ butterflies


def border_matrices() -> tuple[FloatArray, FloatArray]:
    """(192, 192) each: the filter over a cell of 8 x 8 x 3 pixels around a crossing of borders, and its inverse.

    Row vectors: a cell as (y, x, colour), flattened, times the matrix.
    """
    before = border_filter()
    after = np.linalg.inv(before)

    def both(one: npt.NDArray[Any]) -> FloatArray:
        return np.asarray(np.kron(np.kron(one, one), np.eye(COLOURS)).T, np.float64)

    return both(before), both(after)


def cells(pixels: npt.NDArray[np.floating], size: int = BLOCK) -> npt.NDArray[np.floating]:
    """(height, width, c) to (height / size, width / size, size * size * c)."""
    height, width, channels = pixels.shape
    split = pixels.reshape(height // size, size, width // size, size, channels)
    return split.transpose(0, 2, 1, 3, 4).reshape(height // size, width // size, size * size * channels)


def pixels_of(blocks: npt.NDArray[np.floating], size: int = BLOCK) -> npt.NDArray[np.floating]:
    """The inverse of `cells`."""
    rows, columns, n = blocks.shape
    split = blocks.reshape(rows, columns, size, size, n // size**2).transpose(0, 2, 1, 3, 4)
    return split.reshape(rows * size, columns * size, n // size**2)


def mirrored(pixels: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """With 4 pixels more on each side, mirrored."""
    return np.pad(pixels, ((HALF, HALF), (HALF, HALF), (0, 0)), mode="symmetric")


def filtered(pixels: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Blocks (rows, columns, 192) of a picture float (height, width, 3), sides multiples of 8, behind the filter."""
    before, _ = border_matrices()
    crossed = cells(mirrored(pixels)) @ before
    return cells(pixels_of(crossed)[HALF:-HALF, HALF:-HALF])


def unfiltered(blocks: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """The inverse of `filtered`."""
    _, after = border_matrices()
    return pixels_of(cells(mirrored(pixels_of(blocks))) @ after)[HALF:-HALF, HALF:-HALF]


@dataclass(frozen=True)
class Basis:
    """The transform's axes, the strongest first.

    axes: (192, n), orthonormal columns. deviations: (n), of a coefficient, pixels from -.5 to .5. norms: (n), how much
    a unit's error in a coefficient becomes in pixels, root of the sum of squares; 1 without the filter.
    """

    axes: FloatArray
    deviations: FloatArray
    norms: FloatArray


def basis(covariance: FloatArray, n: int) -> Basis:
    """The n strongest axes of the covariance (192, 192) of filtered blocks."""
    values, axes = np.linalg.eigh(covariance)
    values = np.maximum(values, 1e-12)
    _, after = border_matrices()
    norms = np.empty(SIZE)
    for i in range(SIZE):
        alone = np.zeros((3, 3, SIZE))
        alone[1, 1] = axes[:, i]
        spread = pixels_of(cells(mirrored(pixels_of(alone))) @ after)
        norms[i] = np.sqrt((spread**2).sum())
    order = np.argsort(-values * norms**2)[:n]
    return Basis(axes[:, order], np.sqrt(values[order]), norms[order])


def smooth_covariance(correlation: float = 0.95) -> FloatArray:
    """(192, 192): the covariance of filtered blocks of made pictures, for networks that saw no photo (tests).

    A first-order process in both directions, the three colours correlated by .9, deviation .2.
    """
    n = 2 * BLOCK
    line = correlation ** np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    whole = np.zeros((n, n))
    whole[:BLOCK, :BLOCK] = whole[BLOCK:, BLOCK:] = border_filter()
    inner = whole[HALF : HALF + BLOCK]
    filtered_line = inner @ line @ inner.T
    colours = 0.9 + 0.1 * np.eye(COLOURS)
    return 0.04 * np.kron(np.kron(filtered_line, filtered_line), colours)
