"""What a run said of itself, a JSON object a line: `{"step": 200, "loss": 1.25, ...}`, and its picture."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from train.common.files import replacing

FILE = "history.jsonl"
PICTURE = "learning_curve.png"
Row = Mapping[str, Any]


def read(folder: Path) -> list[dict[str, Any]]:
    """The rows of a run's folder, [] without any; a last line that a killed run did not finish is left out."""
    path = folder / FILE
    rows: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows


def append(folder: Path, row: Row) -> None:
    """One row more."""
    with (folder / FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def go_back(folder: Path, step: int) -> None:
    """Leave the rows up to `step` alone: a run that goes on from there writes the later ones again."""
    if (folder / FILE).exists():
        kept = [row for row in read(folder) if row["step"] <= step]
        with replacing(folder / FILE) as beside:
            beside.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")


@dataclass(frozen=True)
class Panel:
    """One diagram over the steps. lines: from a row, values by the name of their line. limits: of the axis."""

    label: str
    lines: Callable[[Row], Mapping[str, float]]
    logarithmic: bool = False
    limits: tuple[float, float] | None = None


def draw(folder: Path, panels: Sequence[Panel]) -> None:
    """The learning curve of a run's folder as a PNG, a panel beside the other."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = read(folder)
    figure = Figure(figsize=(5.5 * len(panels) + 1.5 * (len(panels) == 1), 4), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        points: dict[str, list[tuple[int, float]]] = {}
        for row in rows:
            for name, value in panel.lines(row).items():
                points.setdefault(name, []).append((row["step"], value))
        for name, line in points.items():
            axes.plot(*zip(*line, strict=True), label=name, marker="." if len(line) < 50 else None)
        axes.set(xlabel="step", ylabel=panel.label, yscale="log" if panel.logarithmic else "linear")
        if panel.limits:
            axes.set_ylim(*panel.limits)
        axes.grid(alpha=0.3)
        if points:
            axes.legend(fontsize=8)
    with replacing(folder / PICTURE) as beside:
        figure.savefig(beside, dpi=100)
