"""Selimović, Hladnik 2018, tables 1 to 4."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msroi.benchmark import rows
from msroi.benchmark.protocols.tables import Protocol, Table, scores_of
from msroi.benchmark.rows import Row
from msroi.benchmark.targets import Target
from msroi.metrics import METRICS

_SCORES = ("mse", "psnr", "ssim", "ms_ssim")


def _tables(all_rows: Sequence[Row], summary: dict[str, Any]) -> list[Table]:
    """The paper's four: a table of single pictures for each quality, then means, mean Q_final and ANOVA."""
    titles = [METRICS[key].title for key in _SCORES]
    columns: tuple[str, ...] = ("image", "encoder", "bytes", *titles, "setting")
    tables = []
    for number, target in enumerate(summary["targets"], 1):
        cells = [
            (row["image"], row["encoder"], f"{row['bytes']:,}", *scores_of(row, _SCORES), row["settings"].split(" ")[0])
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
            *scores_of(mean, _SCORES),
            q_final.get((mean["target"], mean["encoder"]), "-"),
        )
        for mean in summary["means"]
    ]
    columns = ("target", "encoder", "n", "bytes", *titles, "Q_final")
    tables.append(Table(f"Table {len(tables) + 1}: means", columns, cells))
    cells = [(entry["target"], entry["metric"], f"{entry['f']:.3f}", f"{entry['p']:.4f}") for entry in summary["anova"]]
    tables.append(Table("One-way analysis of variance between the encoders", ("target", "score", "F", "p"), cells))
    return tables


PROTOCOL = Protocol(
    "Selimović, Hladnik 2018, tables 1 to 4: Q 30, 50 and 70, plain and two-pass, analysis of variance",
    tuple(Target(quality=quality) for quality in (30, 50, 70)),
    ("pillow", "two-pass"),
    _tables,
)
