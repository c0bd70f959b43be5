"""The results page: Markdown and plots from folders that `msroi benchmark` wrote.

    python -m train.studies.results_page docs/results kodak=OUT1 ecssd=OUT2 ... [--curves kodak-rates=OUT3]

Every table stands under the command that made it; folders in commands are cut to their last name. Nothing is
left out of a table because it was lost.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

from msroi.metrics import METRICS
from train.common import command

# Columns of a table of means: key in the summary, heading, format; what repeats another one is left out.
COLUMNS = (
    ("bytes", "bytes", "{:.0f}"),
    *((m.key, m.label, f"{{:.{m.digits}f}}") for m in METRICS.values() if not m.repeats),
)

# Scores whose differences are listed, and what stands for them.
COMPARED = {m.key: f"{m.label}, {m.unit}" if m.unit else m.label for m in METRICS.values() if m.speaks}


def command_of(summary: dict[str, Any]) -> str:
    """The command with folders cut to their last name."""
    return re.sub(r"(?:/[\w.-]+)+/([\w.-]+)", r"\1", str(summary["made"]["command"]))


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def means(summary: dict[str, Any]) -> str:
    """Means of every encoder at every target."""
    present = [c for c in COLUMNS if any(m.get(c[0]) is not None for m in summary["means"])]
    rows = []
    for mean in summary["means"]:
        cells = ["-" if mean.get(key) is None else form.format(mean[key]) for key, _, form in present]
        rows.append([mean["target"], f"`{mean['encoder']}`", *cells])
    return table(["target", "encoder", *(heading for _, heading, _ in present)], rows)


def comparisons(summary: dict[str, Any], encoder: str, target: str) -> str:
    """An encoder against each other one at a target: mean difference, interval, won and lost."""
    rows = []
    for item in summary["comparisons"]:
        if item["encoder"] != encoder or item["target"] != target or item["metric"] not in COMPARED:
            continue
        interval = f"{item['mean_difference']:+.4g} ({item['low']:+.4g} to {item['high']:+.4g})"
        score = f"{item['wins']} won, {item['losses']} lost"
        rows.append([f"`{item['against']}`", COMPARED[item["metric"]], interval, score, f"{item['p']:.1g}"])
    return table(["against", "score", "mean difference, 95 % interval", "pictures", "p"], rows) if rows else ""


def bd_rates(summary: dict[str, Any], encoder: str) -> str:
    """Per cent of bytes at equal score."""
    rows = []
    for item in summary["bd_rates"]:
        if item["encoder"] == encoder and item["metric"] in COMPARED:
            low, high = item["overlap"]
            interval = f"{item['mean_percent']:+.1f} % ({item['low']:+.1f} to {item['high']:+.1f})"
            rows.append([f"`{item['against']}`", COMPARED[item["metric"]], interval, f"{low:.2f} to {high:.2f}"])
    return table(["against", "score", "BD-rate, 95 % interval", "bits per pixel"], rows) if rows else ""


def draw_curves(out: Path, file: Path) -> None:
    """Mean scores against mean bits per pixel, a panel a score."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with (out / "rows.csv").open(newline="") as opened:
        rows = [row for row in csv.DictReader(opened) if row["status"] == "ok"]
    scores = [name for name in ("psnr", "ssim", "ms_ssim", "ssimulacra2") if any(row[name] for row in rows)]
    figure, axes = pyplot.subplots(1, len(scores), figsize=(4 * len(scores), 3.6), layout="constrained")
    for axis, score in zip(np.atleast_1d(axes), scores, strict=True):
        for encoder in dict.fromkeys(row["encoder"] for row in rows):
            targets: dict[str, list[tuple[float, float]]] = {}
            for row in rows:
                if row["encoder"] == encoder:
                    targets.setdefault(row["target"], []).append((float(row["bpp"]), float(row[score])))
            points = sorted(tuple(np.mean(values, axis=0)) for values in targets.values())
            axis.plot(*zip(*points, strict=True), marker=".", label=encoder)
        axis.set_xlabel("bits per pixel")
        axis.set_title(COMPARED.get(score, score))
        axis.grid(alpha=0.3)
    np.atleast_1d(axes)[0].legend()
    figure.savefig(file, dpi=80, metadata={"Software": None})
    pyplot.close(figure)


def section(name: str, out: Path, folder: Path, curves: bool) -> str:
    """One run."""
    summary = json.loads((out / "summary.json").read_text())
    made = summary["made"]
    absent = [f"{e['name']} ({e['install']})" for e in summary["encoders"] if not e["available"]]
    parts = [f"## {name}\n", f"`{command_of(summary)}`\n"]
    parts.append(f"{summary['n_images']} pictures; weight of weighted scores: {made['weights'] or 'none'}.\n")
    if absent:
        parts.append(f"Absent: {'; '.join(absent)}.\n")
    if curves:
        draw_curves(out, folder / f"{name}.png")
        parts += [f"![scores against bits per pixel]({name}.png)\n"]
    else:
        parts.append(means(summary))
    names = [e["name"] for e in summary["encoders"]]
    ours = next((n for n in ("rdo-masks", "rdo", "rdo-constant") if n in names), names[-1])
    if "rdo-masks" not in names and "fixation" not in str(made["weights"]) and "rdo-constant" in names:
        ours = "rdo-constant"
    target = "Q50" if "Q50" in summary["targets"] else summary["targets"][len(summary["targets"]) // 2]
    against = comparisons(summary, ours, target)
    if against:
        parts += [f"`{ours}` at {target} against the others:\n", against]
    rates = bd_rates(summary, ours)
    if rates:
        scale = "Per cent of bytes at equal score; scores near 1 count as -10 log10(1 - score):\n"
        parts += [f"BD-rates of `{ours}`. {scale}", rates]
    for c in summary["correlations"]:
        found = f"SROCC {c['srocc']:.3f}, KROCC {c['krocc']:.3f}, PLCC {c['plcc']:.3f}, RMSE {c['rmse']:.4f}"
        parts.append(f"SI-SSIM with SSIM over {c['n']} files (as Wang et al. 2019 ask): {found}.\n")
    versions = ", ".join(f"{key} {value}" for key, value in made["versions"].items() if key != "machine")
    encoders = ", ".join(f"{e['name']}: {e['version']}" for e in summary["encoders"] if e["available"])
    parts.append(f"Versions: {versions}. {encoders}.\n")
    return "\n".join(parts)


def main(argv: list[str] | None = None) -> int:
    """See the module's docstring."""
    return command.run(_arguments(), work, argv)


def work(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    arguments.folder.mkdir(parents=True, exist_ok=True)
    text = (arguments.folder / "introduction.md").read_text()
    for run in [*arguments.runs, *arguments.curves]:
        name, _, out = run.partition("=")
        text += "\n" + section(name, Path(out), arguments.folder, run in arguments.curves)
    (arguments.folder / "README.md").write_text(text)


def _arguments() -> argparse.ArgumentParser:
    parser = command.parser("train.studies.results_page", __doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("runs", nargs="+", help="NAME=OUT")
    parser.add_argument("--curves", nargs="*", default=[], help="NAME=OUT, drawn instead of listed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
