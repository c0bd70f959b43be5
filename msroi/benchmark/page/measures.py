"""What the columns of rows.csv are called on the page, how their figures are written, which way is better."""

from __future__ import annotations

import math
from dataclasses import dataclass

# How a figure that does not exist is written: an en dash.
NONE = "–"
WHOLE, MASKS, WEIGHTED, SAME_MAP, COST = "whole", "masks", "weighted", "map", "cost"


@dataclass(frozen=True)
class Measure:
    """One column of figures.

    key: its name in rows.csv and summary.json; label, unit: on the page; decimals: shown; group: what its pixels
    are weighted by, one of the constants above.
    """

    key: str
    label: str
    unit: str
    decimals: int
    higher_is_better: bool
    group: str

    @property
    def title(self) -> str:
        return f"{self.label}, {self.unit}" if self.unit else self.label

    def figure(self, value: float | None) -> str:
        """The value as the tables show it: ∞ for identical pictures, a dash for none."""
        if value is None or math.isnan(value):
            return NONE
        if math.isinf(value):
            return "∞" if value > 0 else "−∞"
        return f"{value:,.{self.decimals}f}".replace("-", "−")

    def difference(self, value: float | None) -> str:
        """The value with its sign; what rounds to nothing has none."""
        if value is None or not math.isfinite(value):
            return NONE if value is None or math.isnan(value) else ("+∞" if value > 0 else "−∞")
        if round(value, self.decimals) == 0:
            return f"{0:.{self.decimals}f}"
        return f"{value:+,.{self.decimals}f}".replace("-", "−")

    def gain(self, value: float) -> float:
        """The difference turned so that more is better."""
        return value if self.higher_is_better else -value


_KNOWN = (
    Measure("psnr", "PSNR", "dB", 2, True, WHOLE),
    Measure("ssim", "SSIM", "", 4, True, WHOLE),
    Measure("ms_ssim", "MS-SSIM", "", 5, True, WHOLE),
    Measure("ssimulacra2", "SSIMULACRA2", "", 1, True, WHOLE),
    Measure("psnr_hvs_m", "PSNR-HVS-M", "dB", 2, True, WHOLE),
    Measure("worst_ssim", "SSIM worst 5 %", "", 4, True, WHOLE),
    Measure("mse", "MSE", "", 1, False, WHOLE),
    Measure("psnr_inside", "PSNR inside", "dB", 2, True, MASKS),
    Measure("psnr_outside", "PSNR outside", "dB", 2, True, MASKS),
    Measure("ssim_inside", "SSIM inside", "", 4, True, MASKS),
    Measure("ssim_outside", "SSIM outside", "", 4, True, MASKS),
    Measure("psnr_weighted", "PSNR weighted", "dB", 2, True, WEIGHTED),
    Measure("ssim_weighted", "SSIM weighted", "", 4, True, WEIGHTED),
    Measure("si_ssim", "SI-SSIM", "", 4, True, SAME_MAP),
    Measure("bytes", "Bytes", "", 0, False, COST),
    Measure("size_difference_percent", "Δ size", "%", 2, False, COST),
    Measure("bpp", "Bits/px", "", 3, False, COST),
    Measure("seconds_encode", "Encode", "s", 3, False, COST),
    Measure("seconds_decode", "Decode", "s", 3, False, COST),
)
MEASURES = {measure.key: measure for measure in _KNOWN}
QUALITY = tuple(measure.key for measure in _KNOWN if measure.group != COST)

# MSE says what PSNR says, and SI-SSIM may be weighted by the map that an encoder followed: both are in the
# tables, neither speaks in the verdict's sentences or is the measure the page opens with.
NOT_IN_WORDS = ("mse", "si_ssim")
# The measure by which pictures are chosen: the first of these that was measured. People's own weights come first.
HEADLINE_ORDER = ("psnr_weighted", "psnr_inside", "ssimulacra2", "ms_ssim", "ssim", "psnr")

# In the order of the verdict's columns: where people look is what a map is for.
GROUP_TITLES = {
    WEIGHTED: "Weighted by fixations",
    MASKS: "Inside and outside the masks",
    WHOLE: "Whole picture",
    SAME_MAP: "Weighted by saliency",
    COST: "Cost",
}


def measure_named(key: str) -> Measure:
    """The measure of that key; one that the page does not know is shown under its own name."""
    return MEASURES.get(key) or Measure(key, key.replace("_", " "), "", 4, True, WHOLE)


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
