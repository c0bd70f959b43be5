"""How pages write figures: digits, thousands, signs, what is infinite and what is not there."""

from __future__ import annotations

import math
from dataclasses import dataclass

from msroi.metrics import Metric

# How a figure that does not exist is written: an en dash.
NONE = "–"


@dataclass(frozen=True)
class Measure:
    """One row or column of figures: a metric's, or what a file costs.

    key: its name in rows.csv and summary.json; label, unit: on the page; digits: shown behind the point; group: what
    its pixels are weighted by, one of the catalogue's, or a page's own. speaks, repeats: as `Metric` says.
    """

    key: str
    label: str
    unit: str
    digits: int
    higher_is_better: bool
    group: str = ""
    speaks: bool = True
    repeats: str = ""

    @staticmethod
    def of(metric: Metric) -> Measure:
        """That of a metric."""
        return Measure(
            *(metric.key, metric.label, metric.unit, metric.digits, metric.higher_is_better, metric.group),
            speaks=metric.speaks,
            repeats=metric.repeats,
        )

    @property
    def title(self) -> str:
        return f"{self.label}, {self.unit}" if self.unit else self.label

    def figure(self, value: float | None) -> str:
        """The value as the tables show it: ∞ for identical pictures, a dash for none."""
        if value is None or math.isnan(value):
            return NONE
        if math.isinf(value):
            return "∞" if value > 0 else "−∞"
        return f"{value:,.{self.digits}f}".replace("-", "−")

    def difference(self, value: float | None) -> str:
        """The value with its sign; what rounds to nothing has none."""
        if value is None or not math.isfinite(value):
            return NONE if value is None or math.isnan(value) else ("+∞" if value > 0 else "−∞")
        if round(value, self.digits) == 0:
            return f"{0:.{self.digits}f}"
        return f"{value:+,.{self.digits}f}".replace("-", "−")

    def gain(self, value: float) -> float:
        """The difference turned so that more is better."""
        return value if self.higher_is_better else -value
