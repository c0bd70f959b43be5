"""The one table of scores. What compares, measures or shows pictures reads it; a new metric is a line of it.

Pair (pictures, weights, regions) --Metric.value, Metric.weighted--> figures --> rows, tables, BD-rates, pages
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib import metadata

import numpy as np

from msroi.metrics.error import decibels
from msroi.metrics.pair import Pair
from msroi.metrics.psnr_hvs_m import psnr_hvs_m
from msroi.metrics.similarity import combined, si_ssim_of_map, worst
from msroi.metrics.ssimulacra2 import ssimulacra2_score

# What a metric's pixels are weighted by: nothing, masks, fixations, or the map that an encoder may have followed.
WHOLE, MASKS, WEIGHTED, SAME_MAP = "whole", "masks", "weighted", "map"

# Blocks of 8 x 8 are the least that some can judge.
_BLOCK = 8


@dataclass(frozen=True)
class Metric:
    """One score.

    key: its name in rows.csv and summary.json, and with its unit in JSON (`name`). label: on pages; heading: in narrow
    tables, where the label and the unit are too wide. of: the figure of a `Pair`, None where it has no meaning; a
    function of a module, for it travels to worker processes. unit; digits: shown behind the point.
    weighted: the form by `Pair.weights`, None where there is none. group: WHOLE, MASKS, WEIGHTED or SAME_MAP.
    saturates: a perfect picture has 1, so that BD-rates are taken of -10 log10(1 - value).
    repeats: the key of the metric whose order it shares; it is listed, and no verdict, curve or BD-rate shows it.
    is_detail: a closer look at another one: in rows and on pages, not in the BD-rates of a terminal.
    rank: among those measured the page opens with that of the highest.
    only_benchmark: too slow to be taken wherever pictures are compared. least_side: in pixels; smaller pictures have no
    figure. module, install: what must be there to be imported, and the command that installs it.
    """

    key: str
    label: str
    of: Callable[[Pair], float | None]
    unit: str = ""
    digits: int = 4
    higher_is_better: bool = True
    weighted: Callable[[Pair], float | None] | None = None
    group: str = WHOLE
    saturates: bool = False
    repeats: str = ""
    is_detail: bool = False
    rank: int = 0
    heading: str = ""
    only_benchmark: bool = False
    least_side: int = 1
    module: str = ""
    install: str = ""

    @property
    def name(self) -> str:
        """In `Scores` and JSON: the key, with its unit where that is decibels."""
        return f"{self.key}_db" if self.unit == "dB" else self.key

    @property
    def weighted_name(self) -> str:
        """That of its weighted form."""
        return f"weighted_{self.name}"

    @property
    def title(self) -> str:
        """At the head of a column."""
        return self.heading or f"{self.label} {self.unit}".rstrip()

    @property
    def speaks(self) -> bool:
        """Whether sentences may rest on it: not on what another one says, nor on weights that an encoder followed."""
        return not self.repeats and self.group != SAME_MAP

    def missing(self) -> str:
        """What is missing to take it, and what to do; "" if nothing is."""
        if self.module and importlib.util.find_spec(self.module) is None:
            return f"not installed: {self.install}"
        return ""

    def version(self) -> str:
        """Of what it is taken by; "" for this package."""
        return metadata.version(self.module) if self.module else ""

    def value(self, pair: Pair) -> float | None:
        """The figure of a pair, None where it has none."""
        return None if min(pair.reference.shape[:2]) < self.least_side else self.of(pair)

    def weighted_value(self, pair: Pair) -> float | None:
        """That of its weighted form, None where there is no such form or there are no weights."""
        if self.weighted is None or pair.weights is None or min(pair.reference.shape[:2]) < self.least_side:
            return None
        return self.weighted(pair)


def measured(pair: Pair, metrics: Iterable[Metric]) -> dict[str, float | None]:
    """The figures of a pair by key."""
    return {metric.key: metric.value(pair) for metric in metrics}


def compared() -> list[Metric]:
    """What is taken wherever two pictures are compared."""
    return [m for m in METRICS.values() if m.group == WHOLE and not m.only_benchmark and not m.missing()]


def repeats_last(metrics: Iterable[Metric]) -> list[Metric]:
    """As pages list them: those that repeat another one behind the others."""
    return sorted(metrics, key=lambda metric: bool(metric.repeats))


# --- the figures of a pair ------------------------------------------------------------------------


def _mse(pair: Pair) -> float:
    return pair.squared_error


def _weighted_mse(pair: Pair) -> float:
    return pair.weighted_squared_error


def _psnr(pair: Pair) -> float:
    return decibels(pair.squared_error)


def _weighted_psnr(pair: Pair) -> float:
    return decibels(pair.weighted_squared_error)


def _ssim(pair: Pair) -> float:
    return pair.scales[0].ssim


def _weighted_ssim(pair: Pair) -> float:
    return pair.scales[0].weighted_ssim


def _ms_ssim(pair: Pair) -> float:
    return combined(pair.scales, weighted=False)


def _weighted_ms_ssim(pair: Pair) -> float:
    return combined(pair.scales, weighted=True)


def _si_ssim(pair: Pair) -> float | None:
    importance = None if pair.regions is None else pair.regions.importance
    return None if importance is None else si_ssim_of_map(pair.similarity, importance)


def _ssimulacra2(pair: Pair) -> float:
    return ssimulacra2_score(pair.reference, pair.candidate)


def _psnr_hvs_m(pair: Pair) -> float:
    return psnr_hvs_m(pair.reference, pair.candidate)


def _worst_ssim(pair: Pair) -> float:
    return worst(pair.similarity)


def _psnr_in(region: str, pair: Pair) -> float | None:
    weights = pair.region(region)
    return None if weights is None else decibels(pair.error_in(weights))


def _ssim_in(region: str, pair: Pair) -> float | None:
    weights = pair.region(region)
    if weights is None:
        return None
    if weights.dtype == np.bool_:
        return float(pair.similarity[weights].mean())
    return float(np.average(pair.similarity, weights=weights.astype(np.float64)))


# --- the table ------------------------------------------------------------------------------------

_ALL = (
    Metric("mse", "MSE", _mse, digits=2, higher_is_better=False, weighted=_weighted_mse, repeats="psnr"),
    Metric("psnr", "PSNR", _psnr, "dB", 2, weighted=_weighted_psnr, rank=1),
    Metric("ssim", "SSIM", _ssim, weighted=_weighted_ssim, saturates=True, rank=2),
    Metric("ms_ssim", "MS-SSIM", _ms_ssim, digits=5, weighted=_weighted_ms_ssim, saturates=True, rank=3),
    Metric("si_ssim", "SI-SSIM", _si_ssim, group=SAME_MAP, saturates=True),
    Metric(
        *("ssimulacra2", "SSIMULACRA2", _ssimulacra2),
        digits=1,
        rank=4,
        only_benchmark=True,  # half a second a megapixel
        least_side=_BLOCK,
        module="ssimulacra2",
        install="pip install ssimulacra2",
    ),
    Metric(
        *("psnr_hvs_m", "PSNR-HVS-M", _psnr_hvs_m, "dB", 2),
        heading="HVS-M dB",
        only_benchmark=True,
        least_side=_BLOCK,
    ),
    Metric(
        *("worst_ssim", "SSIM worst 5 %", _worst_ssim),
        saturates=True,
        is_detail=True,
        heading="worst",
        only_benchmark=True,
    ),
    Metric(
        "psnr_inside", "PSNR inside", partial(_psnr_in, "inside"), "dB", 2, group=MASKS, rank=5, heading="dB inside"
    ),
    Metric(
        *("psnr_outside", "PSNR outside", partial(_psnr_in, "outside"), "dB", 2),
        group=MASKS,
        is_detail=True,
        heading="dB outside",
    ),
    Metric("ssim_inside", "SSIM inside", partial(_ssim_in, "inside"), group=MASKS, saturates=True, is_detail=True),
    Metric("ssim_outside", "SSIM outside", partial(_ssim_in, "outside"), group=MASKS, saturates=True, is_detail=True),
    Metric(
        *("psnr_weighted", "PSNR weighted", partial(_psnr_in, "fixations"), "dB", 2),
        group=WEIGHTED,
        rank=6,
        heading="dB weighted",
    ),
    Metric(
        *("ssim_weighted", "SSIM weighted", partial(_ssim_in, "fixations")),
        group=WEIGHTED,
        saturates=True,
        is_detail=True,
    ),
)

# Key -> metric, in the order of the columns of rows.csv.
METRICS: dict[str, Metric] = {metric.key: metric for metric in _ALL}
