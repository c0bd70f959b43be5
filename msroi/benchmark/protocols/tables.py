"""What a protocol is, and the tables that several of them print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from msroi.benchmark.rows import Row
from msroi.benchmark.targets import Target
from msroi.metrics import METRICS, Metric


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


def rate_tables(all_rows: Sequence[Row], summary: dict[str, Any]) -> list[Table]:
    """The curves as figures, BD-rates, and how SI-SSIM goes with SSIM."""
    cells = [
        (
            *(mean["target"], mean["encoder"], str(mean["n"]), f"{mean['bpp']:.3f}"),
            *scores_of(mean, _CURVES),
        )
        for mean in summary["means"]
    ]
    columns = ("target", "encoder", "n", "bpp", *(METRICS[key].title for key in _CURVES))
    tables = [Table("Rate and distortion, means", columns, cells)]
    return [*tables, *bd_rate_tables(summary), *correlation_tables(summary)]


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


def scores_of(row: dict[str, Any], keys: Sequence[str]) -> list[str]:
    """A row's scores as text, "-" for one that it does not have."""
    return [_number(row.get(key), METRICS[key].digits) for key in keys]


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
