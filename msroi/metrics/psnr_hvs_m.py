"""PSNR-HVS-M: error as eyes see it, by the sensitivity to each frequency and by what a block's texture hides.

Ponomarenko, Silvestri, Egiazarian, Carli, Astola, Lukin, "On between-coefficient contrast masking of DCT basis
functions", VPQM 2007. Both tables are the paper's; the definition is that of its authors' program.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from msroi.arrays import FloatArray
from msroi.metrics.error import decibels
from msroi.metrics.samples import luma

# Sensitivity of the eye to an error in each DCT coefficient, row by row.
_SENSITIVITY = np.array(
    [
        [1.608443, 2.339554, 2.573509, 1.608443, 1.072295, 0.643377, 0.504610, 0.421887],
        [2.144591, 2.144591, 1.838221, 1.354478, 0.989811, 0.443708, 0.428918, 0.467911],
        [1.838221, 1.979622, 1.608443, 1.072295, 0.643377, 0.451493, 0.372972, 0.459555],
        [1.838221, 1.513829, 1.169777, 0.887417, 0.504610, 0.295806, 0.321689, 0.415082],
        [1.429727, 1.169777, 0.695543, 0.459555, 0.378457, 0.236102, 0.249855, 0.334222],
        [1.072295, 0.735288, 0.467911, 0.402111, 0.317717, 0.247453, 0.227744, 0.279729],
        [0.525206, 0.402111, 0.329937, 0.295806, 0.249855, 0.212687, 0.214459, 0.254803],
        [0.357432, 0.279729, 0.270896, 0.262603, 0.229778, 0.257351, 0.249855, 0.259950],
    ]
)
# How much each coefficient's energy masks.
_MASKING = np.array(
    [
        [0.390625, 0.826446, 1.000000, 0.390625, 0.173611, 0.062500, 0.038447, 0.026874],
        [0.694444, 0.694444, 0.510204, 0.277008, 0.147929, 0.029727, 0.027778, 0.033058],
        [0.510204, 0.591716, 0.390625, 0.173611, 0.062500, 0.030779, 0.021004, 0.031888],
        [0.510204, 0.346021, 0.206612, 0.118906, 0.038447, 0.013212, 0.015625, 0.026015],
        [0.308642, 0.206612, 0.073046, 0.031888, 0.021626, 0.008417, 0.009426, 0.016866],
        [0.173611, 0.081633, 0.033058, 0.024414, 0.015242, 0.009246, 0.007831, 0.011815],
        [0.041649, 0.024414, 0.016437, 0.013212, 0.009426, 0.006830, 0.006944, 0.009803],
        [0.019290, 0.011815, 0.011080, 0.010412, 0.007972, 0.010000, 0.009426, 0.010203],
    ]
)

# Orthonormal DCT-II of eight samples: rows are basis functions.
_N = 8
_DCT = np.sqrt(2 / _N) * np.cos(np.pi * np.outer(np.arange(_N), 2 * np.arange(_N) + 1) / (2 * _N))
_DCT[0] /= math.sqrt(2)

# Blocks are done in bands of about so many, to keep memory small.
_BAND_BLOCKS = 1 << 14


def psnr_hvs_m(reference: npt.NDArray[np.uint8], candidate: npt.NDArray[np.uint8]) -> float:
    """PSNR-HVS-M in decibels on luma, infinite where nothing can be seen.

    reference, candidate: uint8 (height, width[, 3]) of one shape, at least 8 x 8. Blocks that do not fit
    at the right and the lower border are left out, as in the authors' program.
    Errors: ValueError for pictures that hold no whole block.
    """
    first, second = luma(reference), luma(candidate)
    rows, columns = (n // _N for n in first.shape)
    if not rows or not columns:
        raise ValueError("PSNR-HVS-M needs 8 x 8 pixels at least")
    step = max(1, _BAND_BLOCKS // columns)
    total = sum(
        _visible_error(_blocks(first[_N * top : _N * (top + step)]), _blocks(second[_N * top : _N * (top + step)]))
        for top in range(0, rows, step)
    )
    return decibels(total / (rows * columns * _N * _N))


def _blocks(plane: FloatArray) -> FloatArray:
    """(number, 8, 8): the whole blocks of a plane."""
    rows, columns = (n // _N for n in plane.shape)
    whole = plane[: rows * _N, : columns * _N]
    return np.ascontiguousarray(whole.reshape(rows, _N, columns, _N).swapaxes(1, 2)).reshape(-1, _N, _N)


def _visible_error(first: FloatArray, second: FloatArray) -> float:
    """Sum of squared errors, weighed and masked."""
    first_dct, second_dct = (_DCT @ blocks @ _DCT.T for blocks in (first, second))
    mask = np.maximum(_masking(first, first_dct), _masking(second, second_dct))
    hidden = mask[:, None, None] / _MASKING
    hidden[:, 0, 0] = 0  # the mean is never masked
    visible = np.maximum(np.abs(first_dct - second_dct) - hidden, 0) * _SENSITIVITY
    return float(np.sum(visible * visible))


def _masking(blocks: FloatArray, coefficients: FloatArray) -> FloatArray:
    """How much each block hides (the paper's eq. 4 to 6): less where it holds an edge."""
    energy = coefficients * coefficients * _MASKING
    total = energy.sum(axis=(1, 2)) - energy[:, 0, 0]
    quarters = blocks.reshape(-1, 2, 4, 2, 4).swapaxes(2, 3).reshape(-1, 4, 16)
    whole = _spread(blocks.reshape(-1, 64))
    parts = _spread(quarters).sum(axis=1)
    share = np.divide(parts, whole, out=np.zeros_like(whole), where=whole > 0)
    return np.asarray(np.sqrt(np.maximum(total, 0) * share) / 32)


def _spread(values: FloatArray) -> FloatArray:
    """Variance times number of samples, as the authors count both."""
    return np.asarray(values.var(axis=-1, ddof=1) * values.shape[-1])
