"""What the columns of rows.csv are called on the page: the catalogue's scores, and what a file costs."""

from __future__ import annotations

import math

from msroi.metrics import METRICS
from msroi.metrics.catalogue import MASKS, SAME_MAP, WEIGHTED, WHOLE, repeats_last
from msroi.report.figures import NONE, Measure

COST = "cost"
_COSTS = (
    Measure("bytes", "Bytes", "", 0, False, COST),
    Measure("size_difference_percent", "Δ size", "%", 2, False, COST),
    Measure("bpp", "Bits/px", "", 3, False, COST),
    Measure("seconds_encode", "Encode", "s", 3, False, COST),
    Measure("seconds_decode", "Decode", "s", 3, False, COST),
)
COSTS = {measure.key: measure for measure in _COSTS}

# In the order of the verdict's columns: where people look is what a map is for.
GROUP_TITLES = {
    WEIGHTED: "Weighted by fixations",
    MASKS: "Inside and outside the masks",
    WHOLE: "Whole picture",
    SAME_MAP: "Weighted by saliency",
    COST: "Cost",
}


def quality_measures() -> list[Measure]:
    """The catalogue's, in the page's order: whole pictures, masks, fixations, maps; what repeats another one last."""
    metrics = repeats_last(METRICS.values())
    return [Measure.of(m) for group in (WHOLE, MASKS, WEIGHTED, SAME_MAP) for m in metrics if m.group == group]


def headline(keys: list[str]) -> str | None:
    """The key by which pictures are chosen: that of the highest rank, else the first; people's own weights lead."""
    return max(keys, key=lambda key: METRICS[key].rank if key in METRICS else 0, default=None)


def measure_named(key: str) -> Measure:
    """The measure of that key; one that the page does not know is shown under its own name."""
    if key in METRICS:
        return Measure.of(METRICS[key])
    return COSTS.get(key) or Measure(key, key.replace("_", " "), "", 4, True, WHOLE)


def and_join(names: list[str], last: str = "and") -> str:
    """Names as a sentence lists them: a, b and c."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"


def percent(value: float | None) -> str:
    """A signed percentage with one digit after the point."""
    if value is None or not math.isfinite(value):
        return NONE
    return f"{value:+.1f} %".replace("-", "−")
