"""Compiled kernels of the rdo encoder: stateless, threaded over rows, results independent of `threads`.

Arrays, those in lists as well, must be C-contiguous and of the very type; others are a TypeError, a wrong shape or
value a ValueError. Blocks are 8 x 8, coefficients in zigzag order, in sixteenths of the scale of the orthonormal DCT.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Parts = npt.NDArray[np.int16]

def component_plane(pixels: npt.NDArray[np.uint8], component: int, threads: int = 1) -> Floats:
    """Y - 128, Cb or Cr (component 0, 1, 2) of RGB pixels (height, width, 3), JFIF, not rounded."""

def halve(plane: Floats, horizontal: bool, vertical: bool, steps: Sequence[float], threads: int = 1) -> Floats:
    """A plane at half width and/or height: the box mean, then gradient steps of these lengths toward the
    least squared error after the decoder's triangle upsampling."""

def forward_dct(plane: Floats, threads: int = 1) -> Parts:
    """(rows, columns, 64) coefficients of (height, width) samples, in sixteenths, those in the middle of two rounded
    away from 0; the last samples fill blocks up."""

def overshooting_dct(
    plane: Floats, shrink: Floats, margin: float, most: float, reach: float, rounds: int, threads: int = 1
) -> Parts:
    """As forward_dct, but in blocks with some pixels at 127 or -128 (of 255 and 0, clipped by decoders) those lie
    beyond, by at most `reach` (at most 64) and at least `margin` of the block's contrast or `most`, so that the
    coefficients are few and small: `rounds` steps toward the least sum of shrink (64,) times their magnitudes."""

def dequantise(levels: npt.NDArray[np.int16], table: npt.NDArray[np.uint16], threads: int = 1) -> Parts:
    """(rows, columns, 64) coefficients that levels stand for: 16 x levels x table, or the nearest there is."""

def inverse_dct(
    levels: npt.NDArray[np.int16], table: npt.NDArray[np.uint16], height: int, width: int, threads: int = 1
) -> Floats:
    """(height, width) samples that a decoder makes of levels x table, neither rounded nor clipped."""

def inverse_dct_half(
    levels: npt.NDArray[np.int16], table: npt.NDArray[np.uint16], height: int, width: int, threads: int = 1
) -> Floats:
    """The same clipped to -128 to 127, in means of 2 x 2 samples: sides are halved and rounded up, and what the
    border cuts counts with the samples inside."""

def block_means(plane: Floats, side: int, threads: int = 1) -> Floats:
    """Means over side x side samples; those that the right and lower border cut count with what they have."""

def similarity(x: Floats, y: Floats, side: int, luminance: bool, threads: int = 1) -> Floats:
    """SSIM of two planes centred on 0 (Wang et al. 2004: window of 11 x 11, sigma 1.5, borders mirrored), in
    means over side x side samples. luminance: with that term; else contrast and structure alone."""

def ssim_map(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8], threads: int = 1) -> npt.NDArray[np.float64]:
    """`metrics.ssim_map`, to about 1e-12: (height, width) of RGB or grey pixels."""

def ac_energy(coefficients: Parts, threads: int = 1) -> Floats:
    """(rows, columns) sums of the squared AC coefficients of each block."""

def block_texture(
    coefficients: Parts,
    levels: npt.NDArray[np.int16],
    table: npt.NDArray[np.uint16],
    start: int,
    threads: int = 1,
) -> Floats:
    """(rows, columns, 3), of each block: its AC energy, that of levels x table, and its largest squared coefficient
    from zigzag position `start` on, 1 to 63."""

def quantise(
    coefficients: Parts,
    table: npt.NDArray[np.uint16],
    position_weights: Floats,
    low: Floats,
    high: Floats,
    blend: Floats,
    lagrangian: float,
    cut: int,
    ac_bits: Floats,
    end_bits: Floats,
    first_row: int = 0,
    row_step: int = 1,
    threads: int = 1,
) -> npt.NDArray[np.int16]:
    """Levels of every row_step-th row of blocks from first_row on.

    Least sum of w(k) m_b(k) (c - table q)^2 + lagrangian * bits over paths along the zigzag, with
    m_b(k) = high_b + (low_b - high_b) blend(k). AC levels are the rounded quotient, one less where that
    takes a shorter code, or zero; DC is rounded.
    cut: AC is coded in bands 1..cut and cut + 1..63; 63: in one. ac_bits: (2, 256), length of each run/size
    symbol's code in each band, 0xF0 sixteen zeros. end_bits: (2, 2), of each band, what it costs without
    any value and what the zeros after its last value cost.
    """

def settle_dc(
    levels: npt.NDArray[np.int16],
    coefficients: Parts,
    limits: npt.NDArray[np.int8] | None,
    weights: Floats,
    scale: float,
    step: float,
    ends: tuple[float, float],
    reach: float,
    bits: Floats,
) -> None:
    """Puts into `levels` (rows, columns, 64) DC of least sum of weights scale (c - q)^2 + bits along the rows, in one
    chain; c: DC of `coefficients` (as levels) in steps of `step`.

    Each level is the rounded c or its neighbour on the other side of c, if that errs by at most `reach` steps, .5 to 1.
    limits: (rows, columns), -1 and 1 where a block is black or white: it wants what is at least as far out as
    ends[0] or ends[1]. weights: (rows, columns). bits: (12,), cost of a difference of each category, its further bits
    included.
    """

def dc_counts(levels: npt.NDArray[np.int16], chained: bool) -> npt.NDArray[np.int64]:
    """How many differences of DC along the rows of levels (rows, columns, 64) have each number of bits: (18,).
    chained: those from the end of a row to the next as well."""

def plain_bits(
    coefficients: Parts,
    table: npt.NDArray[np.uint16],
    dc_lengths: npt.NDArray[np.uint8],
    ac_lengths: npt.NDArray[np.uint8],
    threads: int = 1,
) -> npt.NDArray[np.int64]:
    """Bits of each row of blocks of (rows, columns, 64), rounded to the table's steps and coded by codes of these
    lengths, (256,) each, of DC's categories and AC's symbols; DC by its differences along the row."""

def band_counts(
    levels: npt.NDArray[np.int16], cuts: Sequence[int], end_runs: bool, threads: int = 1
) -> npt.NDArray[np.int64]:
    """How often each AC symbol occurs in the bands 1..63, then 1..cut and cut + 1..63 for each of the rising cuts:
    (1 + 2 n, 256). end_runs: ends of bands are counted together across blocks, as in progressive scans; else
    each block has its own, 0x00."""

def huffman_lengths(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Code lengths of the best prefix code of at most 16 bits without an all-ones code; 0 where unused."""

def write_jpeg(
    levels: Sequence[npt.NDArray[np.int16]],
    tables: Sequence[npt.NDArray[np.uint16]],
    sampling: Sequence[tuple[int, int]],
    height: int,
    width: int,
    progressive: bool,
    threads: int = 1,
) -> bytes:
    """A JFIF file of one or three components; tables in zigzag order, sampling as (horizontal, vertical)."""

def ac_scans(levels: npt.NDArray[np.int16], component: int, threads: int = 1) -> list[bytes]:
    """The scans of AC, one or two, that the progressive file of `write_jpeg` has of a component: 0, 1 or 2."""

def join_scans(
    dc: Sequence[npt.NDArray[np.int16]],
    ac: Sequence[Sequence[bytes]],
    tables: Sequence[npt.NDArray[np.uint16]],
    sampling: Sequence[tuple[int, int]],
    height: int,
    width: int,
) -> bytes:
    """The progressive file of `write_jpeg`, of its components' DC levels (rows, columns) and their scans of AC."""

def read_jpeg(
    data: bytes,
    only: int = -1,
) -> tuple[list[npt.NDArray[np.int16]], list[npt.NDArray[np.uint16]], list[tuple[int, int]], int, int]:
    """(levels, tables, sampling, height, width) of a Huffman-coded file of 8 bits, as `write_jpeg` takes them.

    Sequential or progressive; grey, or Y, Cb, Cr with luma's factors 1x1, 2x1 or 2x2 relative to chroma's. Levels
    lie within -2048 to 2047, steps within 1 to 255. only: the component to read, 0, 1 or 2; levels of the others are
    (0, 0, 64). -1: all.
    Errors: ValueError for every other file, and for one whose data are not whole and sound.
    """
