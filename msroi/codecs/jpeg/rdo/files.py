"""From quantised levels to a file: progressive or sequential, whichever is smaller."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from msroi.codecs.jpeg import _kernels
from msroi.codecs.jpeg.coefficients import Table
from msroi.codecs.jpeg.rdo.costs import Levels
from msroi.codecs.jpeg.rdo.signal import Signal

# Pixels of a small picture, of which tables and markers are a large part; of one whose file is made component by
# component.
_SMALL = 200_000
_LARGE = 12_000_000


def write(made: Callable[[int], Levels], tables: list[Table], signal: Signal) -> bytes:
    """The file of a signal. made: the levels of a component, by its index, made when they are asked for."""
    if signal.n_pixels > _LARGE and not signal.baseline:
        return _written_apart(made, tables, signal)
    return _written([made(index) for index in range(len(tables))], tables, signal)


def _written_apart(made: Callable[[int], Levels], tables: list[Table], signal: Signal) -> bytes:
    """The progressive file, made component by component: levels of one at a time take memory."""
    dc, ac = [], []
    for index in range(len(tables)):
        levels = made(index)
        ac.append(_kernels.ac_scans(levels, index, signal.threads))
        dc.append(np.ascontiguousarray(levels[..., 0]))
        del levels
    return _kernels.join_scans(dc, ac, tables, signal.coefficients.samplings, signal.height, signal.width)


def _written(levels: list[Levels], tables: list[Table], signal: Signal) -> bytes:
    samplings, size = signal.coefficients.samplings, (signal.height, signal.width)
    sequential = progressive = None
    # Only of small pictures is the sequential file ever the smaller one: fewer tables.
    if signal.baseline or signal.n_pixels <= _SMALL:
        sequential = _kernels.write_jpeg(levels, tables, samplings, *size, False, signal.threads)
    if not signal.baseline:
        progressive = _kernels.write_jpeg(levels, tables, samplings, *size, True, signal.threads)
    return min((data for data in (progressive, sequential) if data is not None), key=len)
