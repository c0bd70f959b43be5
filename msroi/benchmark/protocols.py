"""The papers' protocols by name: what they code, at which targets, and the tables they print."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from msroi.arrays import Pixels
from msroi.benchmark import rows
from msroi.benchmark.rows import Row
from msroi.benchmark.targets import Target
from msroi.codecs.neural.recurrent.allocation import MOST, cells
from msroi.metrics import METRICS, Metric
from msroi.options import real_number
from msroi.search.knobs import Knob


@dataclass(frozen=True)
class Table:
    """A table to print: cells are text."""

    title: str
    columns: tuple[str, ...]
    cells: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Protocol:
    """line: what it is, for the help. encoders: what runs where none is named, None for the default ones.

    tables: from rows and summary.
    """

    line: str
    targets: tuple[Target, ...]
    encoders: tuple[str, ...] | None
    tables: Callable[[Sequence[Row], dict[str, Any]], list[Table]]


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


_PAPER_SCORES = ("mse", "psnr", "ssim", "ms_ssim")


def _ms_roi_tables(all_rows: Sequence[Row], summary: dict[str, Any]) -> list[Table]:
    """The paper's four: a table of single pictures for each quality, then means, mean Q_final and ANOVA."""
    titles = [METRICS[key].title for key in _PAPER_SCORES]
    columns: tuple[str, ...] = ("image", "encoder", "bytes", *titles, "setting")
    tables = []
    for number, target in enumerate(summary["targets"], 1):
        cells = [
            (row["image"], row["encoder"], f"{row['bytes']:,}", *_scores(row), row["settings"].split(" ")[0])
            for row in all_rows
            if row["target"] == target and row["status"] == rows.OK
        ]
        tables.append(Table(f"Table {number}: single pictures, {target}", columns, cells))
    q_final = {(entry["target"], entry["encoder"]): f"{entry['mean']:.1f}" for entry in summary["q_final"]}
    cells = [
        (
            mean["target"],
            mean["encoder"],
            str(mean["n"]),
            f"{mean['bytes']:,.0f}",
            *_scores(mean),
            q_final.get((mean["target"], mean["encoder"]), "-"),
        )
        for mean in summary["means"]
    ]
    columns = ("target", "encoder", "n", "bytes", *titles, "Q_final")
    tables.append(Table(f"Table {len(tables) + 1}: means", columns, cells))
    cells = [(entry["target"], entry["metric"], f"{entry['f']:.3f}", f"{entry['p']:.4f}") for entry in summary["anova"]]
    tables.append(Table("One-way analysis of variance between the encoders", ("target", "score", "F", "p"), cells))
    return tables


def _rate_tables(all_rows: Sequence[Row], summary: dict[str, Any]) -> list[Table]:
    """The curves as figures, BD-rates, and how SI-SSIM goes with SSIM."""
    cells = [
        (
            *(mean["target"], mean["encoder"], str(mean["n"]), f"{mean['bpp']:.3f}"),
            *_scores(mean, _CURVES),
        )
        for mean in summary["means"]
    ]
    columns = ("target", "encoder", "n", "bpp", *(METRICS[key].title for key in _CURVES))
    tables = [Table("Rate and distortion, means", columns, cells)]
    return [*tables, *bd_rate_tables(summary), *correlation_tables(summary)]


def _neural_tables(all_rows: Sequence[Row], summary: dict[str, Any]) -> list[Table]:
    """The curves as figures; at equal bytes, the map against none; how SI-SSIM goes with SSIM."""
    tables = _rate_tables(all_rows, summary)
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


_EQUAL_SCORES = ("si_ssim", "ms_ssim")

_CURVES = ("psnr", "ms_ssim", "si_ssim")


def bd_rate_tables(summary: dict[str, Any]) -> list[Table]:
    """BD-rates of ours against the others', where there are: per cent of bytes, a line for each pair."""
    ours = {encoder["name"] for encoder in summary["encoders"] if encoder["ours"]}
    pairs: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for entry in summary["bd_rates"]:
        if entry["encoder"] in ours and entry["against"] not in ours:
            pairs.setdefault((entry["encoder"], entry["against"]), {})[entry["metric"]] = entry
    wanted = [metric for metric in METRICS.values() if not metric.repeats and not metric.is_detail]
    shown = {m.key: _without_unit(m) for m in wanted if any(m.key in metrics for metrics in pairs.values())}
    cells = [
        (
            f"{encoder} against {against}",
            *(f"{metrics[name]['mean_percent']:+.1f}" if name in metrics else "-" for name in shown),
            "{:.2f} to {:.2f}".format(*next(iter(metrics.values()))["overlap"]),
        )
        for (encoder, against), metrics in pairs.items()
    ]
    columns = ("encoders", *shown.values(), "bpp compared")
    return [Table("BD-rate: per cent of bytes for the same score", columns, cells)] if cells else []


def _without_unit(metric: Metric) -> str:
    """Its title where every column is in per cent."""
    words = [word for word in metric.title.split(" ") if word != metric.unit]
    return " ".join(words)


def correlation_tables(summary: dict[str, Any]) -> list[Table]:
    """How one score goes with another, where there are figures."""
    cells = [
        (f"{entry['of']} with {entry['with']}", *(f"{entry[name]:.4f}" for name in _CORRELATIONS), str(entry["n"]))
        for entry in summary["correlations"]
    ]
    columns = ("correlation", *(name.upper() for name in _CORRELATIONS), "n")
    return [Table("Correlation of scores", columns, cells)] if cells else []


_CORRELATIONS = ("srocc", "krocc", "plcc", "rmse")


def _scores(row: dict[str, Any], keys: Sequence[str] = _PAPER_SCORES) -> list[str]:
    return [_number(row.get(key), METRICS[key].digits) for key in keys]


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


# Mean iterations, 1/8 bit per pixel each before they are coded; and where bytes are equal.
NEURAL_LEVELS = (1, 2, 3, 4, 6, 8, 12, 16)
NEURAL_RATES = (0.25, 0.5, 0.75)

# Ten rates, each 1.22 times the one before.
_RATES = (0.25, 0.3, 0.37, 0.45, 0.55, 0.68, 0.83, 1.0, 1.23, 1.5)

PROTOCOLS: dict[str, Protocol] = {
    "ms-roi-2018": Protocol(
        "Selimović, Hladnik 2018, tables 1 to 4: Q 30, 50 and 70, plain and two-pass, analysis of variance",
        tuple(Target(quality=quality) for quality in (30, 50, 70)),
        ("pillow", "two-pass"),
        _ms_roi_tables,
    ),
    "rate-distortion": Protocol(
        "ten rates from 0.25 to 1.5 bits per pixel: curves, BD-rates, SI-SSIM beside SSIM",
        tuple(Target(bpp=rate) for rate in _RATES),
        None,
        _rate_tables,
    ),
    "wang-2019": Protocol(
        "Wang, Han, Wang 2019: the recurrent codec with the map and with a constant one, JPEG, HEIC; "
        "mean levels 1 to 16 and equal bytes at .25, .5 and .75 bits per pixel",
        (*(Iterations(iterations=level) for level in NEURAL_LEVELS), *(Target(bpp=rate) for rate in NEURAL_RATES)),
        ("pillow", "heic", "recurrent-constant", "recurrent"),
        _neural_tables,
    ),
}
