"""Wang, Han, Wang 2019: the recurrent codec at mean numbers of iterations, with the map and with a constant one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msroi.arrays import Pixels
from msroi.benchmark.protocols.tables import Protocol, Table, rate_tables
from msroi.benchmark.rows import Row
from msroi.benchmark.targets import Target
from msroi.codecs.neural.recurrent.allocation import MOST, cells
from msroi.metrics import METRICS
from msroi.options import real_number
from msroi.search.knobs import Knob

# Mean iterations, 1/8 bit per pixel each before they are coded; and where bytes are equal.
LEVELS = (1, 2, 3, 4, 6, 8, 12, 16)
RATES = (0.25, 0.5, 0.75)

_EQUAL_SCORES = ("si_ssim", "ms_ssim")


@dataclass(frozen=True)
class Iterations(Target):
    """A mean number of iterations K of the recurrent codec (Wang, Han, Wang 2019), which has exactly that.

    For all others it is the bits of that codec's before they are coded, 32 K a cell of 16 x 16 pixels.
    """

    iterations: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "iterations", real_number("iterations", self.iterations, 1, MOST))

    @property
    def name(self) -> str:
        """K6."""
        return f"K{self.iterations:g}"

    def budget(self, pixels: Pixels) -> int:
        """Bytes before they are coded, 4 an iteration and cell."""
        return int(self.iterations * 4 * math.prod(cells(*pixels.shape[:2])))

    def setting_of(self, knob: Knob) -> float | None:
        """K itself, of the codec that has iterations."""
        return self.iterations if knob.name == "iterations" else None


def _tables(all_rows: Sequence[Row], summary: dict[str, Any]) -> list[Table]:
    """The curves as figures; at equal bytes, the map against none; how SI-SSIM goes with SSIM."""
    tables = rate_tables(all_rows, summary)
    pairs = [c for c in summary["comparisons"] if (c["encoder"], c["against"]) == ("recurrent", "recurrent-constant")]
    cells = [
        (
            f"{entry['target']}, {METRICS[name].label}",
            f"{entry['mean_difference']:+.4f}",
            f"{entry['low']:+.4f} to {entry['high']:+.4f}",
            f"{entry['wins']} of {entry['n']}",
        )
        for entry in pairs
        for name in _EQUAL_SCORES
        if entry["metric"] == name
    ]
    columns = ("target, score", "map minus constant", "95 %", "better with the map on")
    return [tables[0], Table("The recurrent codec with the map against a constant map", columns, cells), *tables[1:]]


PROTOCOL = Protocol(
    "Wang, Han, Wang 2019: the recurrent codec with the map and with a constant one, JPEG, HEIC; "
    "mean levels 1 to 16 and equal bytes at .25, .5 and .75 bits per pixel",
    (*(Iterations(iterations=level) for level in LEVELS), *(Target(bpp=rate) for rate in RATES)),
    ("pillow", "heic", "recurrent-constant", "recurrent"),
    _tables,
)
