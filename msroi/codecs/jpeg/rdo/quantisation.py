"""The quantiser of a session: tables and lambda at a setting, levels of components, and what they will cost."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from msroi.codecs.jpeg import _kernels
from msroi.codecs.jpeg.coefficients import BLACK_DC, WHITE_DC, Table
from msroi.codecs.jpeg.rdo import costs
from msroi.codecs.jpeg.rdo.costs import Levels
from msroi.codecs.jpeg.rdo.operating_point import OperatingPoint
from msroi.codecs.jpeg.rdo.signal import Signal
from msroi.codecs.jpeg.rdo.tables import BLEND
from msroi.codecs.jpeg.rdo.weighting import Weighting
from msroi.codecs.jpeg.source import for_source

# Prices of symbols are measured on every SPARSE-th row of blocks, of small pictures on more, down to ROWS_ENOUGH
# rows, and of large ones on fewer, down to BLOCKS_ENOUGH blocks. Where nothing is known of them, on a part of that
# before, down to FIRST_BLOCKS.
SPARSE = 6
ROWS_ENOUGH = 16
BLOCKS_ENOUGH = 8192
FIRST_BLOCKS = 2048

# How far a DC value may be moved, in steps; .5 is rounding. Flips near the middle save most of what a trellis over DC
# can; mozjpeg's, which goes further, drew lines in smooth areas.
DC_REACH = 0.6

# For estimates: markers and tables in bytes, of a file and of each of its components, and how many bytes stuffing makes
# of one.
_OVERHEAD, _OVERHEAD_EACH = 50, 250
_STUFFING = 1.004


@dataclass(frozen=True, eq=False)
class Sample:
    """Quantised blocks: the prices of symbols by what occurs in them, their bits, and how many times as many blocks
    the component has."""

    prices: costs.Prices
    bits: float
    share: float = 1.0


@dataclass(frozen=True, eq=False)
class Quantiser:
    """A signal with weights, at an operating point."""

    signal: Signal
    weighting: Weighting
    point: OperatingPoint

    def tables_and_lambda(self, setting: float) -> tuple[list[Table], float]:
        """Steps of each component, uint16 (64,), and lambda. A JPEG source's tables are multiples of its own."""
        scale, own = self.point.scale_at(setting), self.signal.coefficients.tables
        tables = [shape.table(scale) for shape in self.weighting.shapes[: len(self.weighting.components)]]
        if own is not None:
            tables = for_source(tables, own)
        if own is None or tables[0][0] % own[0][0]:
            tables[0][0] = self.signal.best_dc_step(int(tables[0][0]))
        return tables, self.point.lambda_at(setting, self.weighting.preset.price)

    def levels(self, index: int, table: Table, lagrangian: float, prices: costs.Prices) -> Levels:
        """All levels of a component: int16 (rows, columns, 64)."""
        levels = self._quantised(index, table, lagrangian, prices, 0, 1)
        self._settle_dc(index, levels, table, lagrangian)
        return levels

    def luma(self, setting: float) -> tuple[Levels, Table, float]:
        """Luma's levels before DC is settled, its table, and how many times the bits that a sample promised they
        have."""
        tables, lagrangian = self.tables_and_lambda(setting)
        sample = self._sampled(0, tables[0], lagrangian)
        levels = self._quantised(0, tables[0], lagrangian, sample.prices, 0, 1)
        return levels, tables[0], self._measured(0, levels).bits / (sample.share * sample.bits)

    def samples(self, setting: float) -> list[Sample]:
        """A sample of each component; those of the latest setting are kept, for they are asked for again."""
        point, latest = self.point, self.weighting.latest
        key = (setting, point.scale, point.shift, id(point.prices))
        if key not in latest:
            tables, lagrangian = self.tables_and_lambda(setting)
            samples = [self._sampled(index, table, lagrangian) for index, table in enumerate(tables)]
            latest.clear()
            latest[key] = point.prices, samples  # with the prices, whose id is no other's as long as they live
        found: list[Sample] = latest[key][1]
        return found

    def rough_bytes(self, setting: float) -> float:
        """About what a file takes that is like samples of its components."""
        samples = self.samples(setting)
        bits = sum(sample.share * sample.bits for sample in samples)
        return _STUFFING * bits / 8 + _OVERHEAD + _OVERHEAD_EACH * len(samples)

    def _sampled(self, index: int, table: Table, lagrangian: float) -> Sample:
        """A part of the rows, with the prices of symbols that settle there."""
        rows, columns = self.weighting.components[index].coefficients.shape[:2]
        step = max(1, min(max(SPARSE, rows * columns // BLOCKS_ENOUGH), rows // ROWS_ENOUGH))
        if self.point.prices is None:
            wide = max(step, min(rows * columns // FIRST_BLOCKS, rows // ROWS_ENOUGH))
            prices = self._priced(self._quantised(index, table, lagrangian, costs.START, wide // 2, wide))
        else:
            prices = self.point.prices[index]
        levels = self._quantised(index, table, lagrangian, prices, step // 2, step)
        return dataclasses.replace(self._measured(index, levels), share=rows / levels.shape[0])

    def _measured(self, index: int, levels: Levels) -> Sample:
        prices = self._priced(levels)
        tall = self.signal.baseline and self.weighting.components[index].sampling[1] > 1
        return Sample(prices, prices.total + costs.dc_bits(levels, tall))

    def _priced(self, levels: Levels) -> costs.Prices:
        blank, signal = self.weighting.preset.blank, self.signal
        return costs.measure(levels, blank, sequential=signal.baseline, threads=signal.threads)

    def _quantised(
        self, index: int, table: Table, lagrangian: float, prices: costs.Prices, first: int, step: int
    ) -> Levels:
        component = self.weighting.components[index]
        return _kernels.quantise(
            component.coefficients,
            table,
            self.weighting.shapes[index].weights(),
            component.low,
            component.high,
            BLEND,
            lagrangian,
            prices.cut,
            prices.symbols,
            prices.ends,
            first,
            step,
            self.signal.threads,
        )

    def _settle_dc(self, index: int, levels: Levels, table: Table, lagrangian: float) -> None:
        """Move DC levels that lie between two steps to where their differences cost less.

        Black and white blocks get levels at their limit or beyond it: decoders clip, so that is no error, while a
        level short of it would make all of a black area grey.
        """
        component, step = self.weighting.components[index], np.float32(table[0])
        scale = float(self.weighting.shapes[index].weights()[0] * step * step)
        bits = costs.dc_prices(levels) * np.float32(lagrangian)
        limits, ends = None if index else self.signal.coefficients.limits, (BLACK_DC, WHITE_DC)
        _kernels.settle_dc(
            levels, component.coefficients, limits, component.low, scale, float(step), ends, DC_REACH, bits
        )
