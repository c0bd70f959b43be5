"""summary.json: what the rows say, made from rows.csv and run.json alone."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from msroi.benchmark import rows, statistics
from msroi.benchmark.encoders import YARDSTICK
from msroi.benchmark.peers.ours import Q_FINAL
from msroi.benchmark.rows import Row
from msroi.images import put
from msroi.metrics import METRICS, Metric

FILE = "summary.json"

# Columns of which means are taken, beside the scores.
_SIZES = ("bytes", "bpp", "size_difference_percent", "seconds_encode", "seconds_decode", "n_files")

_N_WORST = 5
_DECIMALS, _DIGITS, _SMALL = 6, 4, 1e-2


def write_summary(out: Path) -> dict[str, Any]:
    """Make summary.json in a run's folder and return what is in it."""
    facts = json.loads((out / "run.json").read_text(encoding="utf-8"))
    summary = _rounded(summarise(rows.read_rows(out / rows.FILE), facts))
    put(out / FILE, (json.dumps(summary, indent=1, allow_nan=False) + "\n").encode())
    return dict(summary)


def summarise(all_rows: Sequence[Row], facts: dict[str, Any]) -> dict[str, Any]:
    """The summary of rows. facts: run.json."""
    table = _Table(all_rows, facts)
    is_paper = facts["settings"]["protocol"] == "ms-roi-2018"
    return {
        "made": {name: facts[name] for name in ("command", "versions", "weights", "settings")},
        "encoders": [{k: e[k] for k in ("name", "version", "available", "install", "ours")} for e in facts["encoders"]],
        "targets": facts["settings"]["targets"],
        "n_images": len(facts["images"]),
        "unreadable": facts["unreadable"],
        "statuses": _statuses(all_rows),
        "means": list(_means(table)),
        "comparisons": list(_comparisons(table)),
        "bd_rates": list(_bd_rates(table)),
        "anova": list(_anova(table)) if is_paper else [],
        "q_final": list(_q_final(table)),
        "correlations": list(_correlations(table)),
    }


class _Table:
    """The rows that have a file, by target and encoder."""

    def __init__(self, all_rows: Sequence[Row], facts: dict[str, Any]) -> None:
        self.targets: list[str] = facts["settings"]["targets"]
        self.encoders: list[str] = [encoder["name"] for encoder in facts["encoders"]]
        self.ours = {encoder["name"] for encoder in facts["encoders"] if encoder["ours"]}
        self.matching: str = facts["settings"]["match"]
        self.images: list[str] = [image["name"] for image in facts["images"]]
        self._rows = {rows.key_of(row): row for row in all_rows if row["status"] == rows.OK}

    def rows_of(self, target: str, encoder: str) -> list[Row]:
        """In the order of the pictures."""
        keys = ((image, target, encoder) for image in self.images)
        return [self._rows[key] for key in keys if key in self._rows]

    def compared_scores(self) -> tuple[str, ...]:
        """Scores, and bytes where it is these that were sought."""
        return tuple(METRICS) if self.matching == "size" else ("bytes", *METRICS)

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Ours against every other, and every other against the yardstick."""
        for encoder in self.encoders:
            for other in self.encoders:
                if encoder != other and (encoder in self.ours or other == YARDSTICK):
                    yield encoder, other


def _statuses(all_rows: Sequence[Row]) -> list[dict[str, Any]]:
    """How often each encoder ended without a file, and the first message."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in all_rows:
        if row["status"] not in (rows.OK, rows.UNREADABLE):
            key = (row["encoder"], row["status"])
            entry = {"encoder": key[0], "status": key[1], "n": 0, "message": row["message"]}
            found.setdefault(key, entry)["n"] += 1
    return list(found.values())


def _means(table: _Table) -> Iterator[dict[str, Any]]:
    """Of pictures with a finite figure; the psnr of identical pictures is left out."""
    for target in table.targets:
        for encoder in table.encoders:
            own = table.rows_of(target, encoder)
            if not own:
                continue
            mean: dict[str, Any] = {"target": target, "encoder": encoder, "n": len(own)}
            for column in (*_SIZES, *METRICS):
                values = [row[column] for row in own if rows.finite(row[column])]
                if values:
                    mean[column] = float(np.mean(values))
            yield mean


def _comparisons(table: _Table) -> Iterator[dict[str, Any]]:
    for target in table.targets:
        for encoder, other in table.pairs():
            others = {row["image"]: row for row in table.rows_of(target, other)}
            pairs = [(row, others[row["image"]]) for row in table.rows_of(target, encoder) if row["image"] in others]
            for metric in table.compared_scores():
                differences = {a["image"]: _difference(a[metric], b[metric]) for a, b in pairs}
                known = {image: value for image, value in differences.items() if value is not None}
                if known:
                    names = {"target": target, "metric": metric, "encoder": encoder, "against": other}
                    yield names | _compared(known, metric)


def _difference(own: float | None, other: float | None) -> float | None:
    """Own minus other; 0 where both are infinite, None where one is or is not known."""
    if own is None or other is None:
        return None
    if math.isinf(own) or math.isinf(other):
        return 0.0 if own == other else None
    return own - other


def _compared(differences: dict[str, float], metric: str) -> dict[str, Any]:
    """differences: of each picture, encoder minus the other."""
    values = np.array(list(differences.values()))
    sign = 1 if metric in METRICS and METRICS[metric].higher_is_better else -1
    low, high = statistics.bootstrap_interval(values)
    by_gain = sorted(differences.items(), key=lambda item: (sign * item[1], item[0]))
    return {
        "n": len(values),
        "mean_difference": float(values.mean()),
        "low": low,
        "high": high,
        "p": statistics.paired_test(values),
        "wins": int(np.sum(sign * values > 0)),
        "losses": int(np.sum(sign * values < 0)),
        "ties": int(np.sum(values == 0)),
        "worst": [{"image": image, "difference": value} for image, value in by_gain[:_N_WORST]],
    }


def _bd_rates(table: _Table) -> Iterator[dict[str, Any]]:
    """Means of the pictures' BD-rates; overlap: means of the ends of what was compared, in the other's bpp."""
    if len(table.targets) < statistics.LEAST_POINTS:
        return
    curves = {encoder: _curves(table, encoder) for encoder in table.encoders}
    for encoder, other in table.pairs():
        for metric in METRICS.values():
            found = []
            for image in table.images:
                own, against = (_points(curves[name].get(image, []), metric) for name in (encoder, other))
                result = statistics.bd_rate(*own, *against)
                if result is not None:
                    found.append(result)
            if found:
                percents = np.array([result[0] for result in found])
                low, high = statistics.bootstrap_interval(percents)
                yield {
                    "encoder": encoder,
                    "against": other,
                    "metric": metric.key,
                    "mean_percent": float(percents.mean()),
                    "low": low,
                    "high": high,
                    "n": len(found),
                    "overlap": [float(np.mean([result[place] for result in found])) for place in (1, 2)],
                }


def _curves(table: _Table, encoder: str) -> dict[str, list[Row]]:
    """The rows of each picture over all targets."""
    curves: dict[str, list[Row]] = {}
    for target in table.targets:
        for row in table.rows_of(target, encoder):
            curves.setdefault(row["image"], []).append(row)
    return curves


def _points(curve: Sequence[Row], metric: Metric) -> tuple[list[float], list[float]]:
    """Bits per pixel and scores, higher is better."""
    points = [(row["bpp"], row[metric.key]) for row in curve if rows.finite(row[metric.key])]
    return [bpp for bpp, _ in points], [_curve_score(value, metric) for _, value in points]


def _curve_score(value: float, metric: Metric) -> float:
    """What a BD-rate is taken of: scores near 1 in decibels, or its mean would hang on the lowest rates alone."""
    if not metric.higher_is_better:
        return -10 * math.log10(value) if value > 0 else math.inf
    if metric.saturates:
        return -10 * math.log10(1 - value) if value < 1 else math.inf
    return value


def _anova(table: _Table) -> Iterator[dict[str, Any]]:
    for target in table.targets:
        for metric in METRICS:
            groups = [
                [row[metric] for row in table.rows_of(target, encoder) if rows.finite(row[metric])]
                for encoder in table.encoders
            ]
            result = statistics.anova([group for group in groups if group])
            if result is not None:
                yield {"target": target, "metric": metric, "f": result[0], "p": result[1]}


def _q_final(table: _Table) -> Iterator[dict[str, Any]]:
    """The mean of the qualities that second passes came to."""
    for target in table.targets:
        for encoder in table.encoders:
            words = [row.settings.split(" ")[0] for row in table.rows_of(target, encoder)]
            values = [int(word.removeprefix(Q_FINAL)) for word in words if word.startswith(Q_FINAL)]
            if values:
                yield {"target": target, "encoder": encoder, "mean": float(np.mean(values))}


def _correlations(table: _Table) -> Iterator[dict[str, Any]]:
    """SI-SSIM with SSIM over all files."""
    own = [row for target in table.targets for encoder in table.encoders for row in table.rows_of(target, encoder)]
    pairs = [(row["si_ssim"], row["ssim"]) for row in own if rows.finite(row["si_ssim"]) and rows.finite(row["ssim"])]
    if pairs:
        found = statistics.correlations(*zip(*pairs, strict=True))
        if found is not None:
            yield {"of": "si_ssim", "with": "ssim", **found, "n": len(pairs)}


def _rounded(value: Any) -> Any:
    """Numbers to _DECIMALS decimals or _DIGITS digits, and none where they are not finite."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        # Small values of p keep their digits.
        return round(value, _DECIMALS) if abs(value) >= _SMALL else float(f"{value:.{_DIGITS}g}")
    return value
