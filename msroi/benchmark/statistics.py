"""What differences between encoders are worth: intervals, tests, BD-rate, analysis of variance, correlations.

Pure functions of numbers; the same numbers give the same results every time.
"""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from msroi import extras
from msroi.arrays import FloatArray

# Bootstrap: so many resamples, from a fixed seed, and the interval that holds this share of their means.
RESAMPLES = 10_000
SEED = 20180101
CONFIDENCE = 0.95

# A curve needs so many points for an interpolation to mean something.
LEAST_POINTS = 4


def check_installed() -> None:
    """Errors: MissingExtraError without scipy; asked before anything is measured, not hours later."""
    _scipy("stats")


def _scipy(part: str) -> Any:
    try:
        return importlib.import_module(f"scipy.{part}")
    except ModuleNotFoundError as error:
        raise extras.missing("the benchmark's statistics need scipy", "benchmark") from error


def bootstrap_interval(differences: npt.ArrayLike) -> tuple[float, float]:
    """Interval of the mean of (n,) differences: the middle CONFIDENCE of the means of RESAMPLES resamples.

    Source: Efron, Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (percentile interval).
    """
    values = np.asarray(differences, np.float64)
    means = _resamples(len(values)) @ values
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(means, [tail, 100 - tail])
    return float(low), float(high)


@functools.lru_cache(maxsize=8)
def _resamples(n: int) -> FloatArray:
    """(RESAMPLES, n): the share of each value in each resample; the same for all metrics, so they are paired."""
    generator = np.random.default_rng(SEED)
    return generator.multinomial(n, np.full(n, 1 / n), RESAMPLES) / n


def paired_test(differences: npt.ArrayLike) -> float:
    """Two-sided p of Wilcoxon's signed-rank test that (n,) paired differences lie around 0.

    Zeros are left out; 1 where nothing else is left. Source: Wilcoxon 1945; scipy's `wilcoxon`, exact up to 50
    differences without ties.
    """
    values = np.asarray(differences, np.float64)
    values = values[values != 0]
    return 1.0 if not len(values) else float(_scipy("stats").wilcoxon(values).pvalue)


def anova(groups: Sequence[npt.ArrayLike]) -> tuple[float, float] | None:
    """F and p of a one-way analysis of variance; None with under two groups of two, or where none varies."""
    values = [np.asarray(group, np.float64) for group in groups if np.size(group) > 1]
    if len(values) < 2 or all(np.ptp(group) == 0 for group in values):
        return None
    result = _scipy("stats").f_oneway(*values)
    return float(result.statistic), float(result.pvalue)


def correlations(first: npt.ArrayLike, second: npt.ArrayLike) -> dict[str, float] | None:
    """srocc (Spearman), krocc (Kendall's tau-b), plcc (Pearson, no fit before) and rmse of two (n,) series.

    None with under three pairs, or where one does not vary.
    """
    x, y = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    stats = _scipy("stats")
    return {
        "srocc": float(stats.spearmanr(x, y).statistic),
        "krocc": float(stats.kendalltau(x, y).statistic),
        "plcc": float(stats.pearsonr(x, y).statistic),
        "rmse": float(np.sqrt(np.mean((x - y) ** 2))),
    }


def bd_rate(
    rates: npt.ArrayLike, scores: npt.ArrayLike, anchor_rates: npt.ArrayLike, anchor_scores: npt.ArrayLike
) -> tuple[float, float, float] | None:
    """How many per cent more bytes a curve needs than the anchor for the same score, and where they were compared.

    rates: (n,) above 0, in any unit; scores: (n,), higher is better. The logarithm of the rate is
    interpolated over the score by PCHIP and averaged over the scores that both curves reach; points whose score is
    not above that of all smaller rates are left out. Returns (per cent, and the anchor's rates at the
    ends of those scores), or None where a curve has under LEAST_POINTS points or they have no score in common.
    Source: Bjøntegaard, VCEG-M33, 2001; PCHIP after JVET's common test conditions (JCTVC-L1100).
    """
    curves = [_rising(rates, scores), _rising(anchor_rates, anchor_scores)]
    if any(len(score) < LEAST_POINTS for _, score in curves):
        return None
    low = max(score[0] for _, score in curves)
    high = min(score[-1] for _, score in curves)
    if low >= high:
        return None
    fits = [_scipy("interpolate").PchipInterpolator(score, log_rate) for log_rate, score in curves]
    own, anchor = (float(fit.integrate(low, high)) / (high - low) for fit in fits)
    ends = (math.exp(float(fits[1](low))), math.exp(float(fits[1](high))))
    return 100 * math.expm1(own - anchor), *ends


def _rising(rates: npt.ArrayLike, scores: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Log rates and scores of the points whose score is above that of all smaller rates."""
    rate, score = np.asarray(rates, np.float64), np.asarray(scores, np.float64)
    order = np.argsort(rate, kind="stable")
    log_rate, score = np.log(rate[order]), score[order]
    before = np.maximum.accumulate(np.concatenate([[-np.inf], score[:-1]]))
    # Equal rates would make the inverse curve jump: the first of them counts.
    kept = (score > before) & np.isfinite(score) & (np.diff(log_rate, prepend=-np.inf) > 0)
    return log_rate[kept], score[kept]
