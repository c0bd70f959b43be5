"""The score table: which rows there are, how a figure is written, and who wins a row."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msroi.metrics import Scores

# How a figure that does not exist is written: an en dash.
NONE = "\u2013"

# A picture's bytes and its scores: all that a row looks at.
Entry = tuple[int, Scores]


@dataclass(frozen=True)
class Metric:
    """One row: its name, a note under the name, where its figure comes from and how it is written."""

    name: str
    note: str
    value: Callable[[Entry], float | None]
    decimals: int
    unit: str = ""
    higher_is_better: bool = True


@dataclass(frozen=True)
class Cell:
    text: str
    best: bool


@dataclass(frozen=True)
class Row:
    """name, note; a cell a candidate; the difference of the last to the first where there are two."""

    name: str
    note: str
    cells: tuple[Cell, ...]
    difference: str | None


@dataclass(frozen=True)
class Group:
    name: str
    note: str
    rows: tuple[Row, ...]


def make_groups(entries: Sequence[Entry], n_pixels: int, weights_name: str) -> list[Group]:
    """Size, whole-picture and weighted rows; entries are (bytes, scores) in the order of the columns."""
    groups = [
        Group("Size", "smaller is better", _rows(_size_metrics(n_pixels), entries)),
        Group("Whole picture", "every pixel counts alike", _rows(_quality_metrics(entries, ""), entries)),
    ]
    weighted = _rows(_quality_metrics(entries, "weighted_"), entries)
    if weighted:
        note = (
            f"each pixel counts as much as {weights_name} says; "
            "an encoder that followed the same map has the advantage here"
        )
        groups.append(Group(f"Weighted by {weights_name}", note, weighted))
    return groups


def largest_size_gap(entries: Sequence[Entry]) -> float:
    """By how much the largest file exceeds the smallest, as a share of the smallest."""
    sizes = [n_bytes for n_bytes, _ in entries]
    return max(sizes) / min(sizes) - 1 if min(sizes) > 0 else 0.0


def format_figure(value: float | None, decimals: int) -> str:
    """A figure as the table shows it: thousands apart, ∞ where pictures are equal, a dash for none."""
    if value is None:
        return NONE
    return "\u221e" if math.isinf(value) else f"{value:,.{decimals}f}"


def _size_metrics(n_pixels: int) -> list[Metric]:
    return [
        Metric("Bytes", "", lambda entry: entry[0], 0, higher_is_better=False),
        Metric("Bits per pixel", "", lambda entry: entry[0] * 8 / n_pixels, 3, higher_is_better=False),
    ]


def _quality_metrics(entries: Sequence[Entry], prefix: str) -> list[Metric]:
    def field(name: str) -> Callable[[Entry], float | None]:
        return lambda entry: getattr(entry[1], prefix + name)

    n_scales = min(scores.ms_ssim_scales for _, scores in entries)
    fewer = "" if n_scales == 5 else f"{n_scales} of 5 scales"
    return [
        Metric("PSNR", "", field("psnr_db"), 2, "dB"),
        Metric("SSIM", "", field("ssim"), 4),
        Metric("MS-SSIM", fewer, field("ms_ssim"), 4),
        Metric("MSE", "lower is better", field("mse"), 2, higher_is_better=False),
    ]


def _rows(metrics: Sequence[Metric], entries: Sequence[Entry]) -> tuple[Row, ...]:
    rows = [_row(metric, [metric.value(entry) for entry in entries]) for metric in metrics]
    return tuple(row for row in rows if row is not None)


def _row(metric: Metric, values: Sequence[float | None]) -> Row | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    texts = [format_figure(value, metric.decimals) for value in values]
    target = max(known) if metric.higher_is_better else min(known)
    best_text = format_figure(target, metric.decimals)
    # Figures that read alike share the win; where all do, nobody has won.
    contested = len(values) > 1 and len(set(texts)) > 1
    cells = tuple(Cell(text, contested and text == best_text) for text in texts)
    name = f"{metric.name}, {metric.unit}" if metric.unit else metric.name
    return Row(name, metric.note, cells, _difference(values, metric.decimals))


def _difference(values: Sequence[float | None], decimals: int) -> str | None:
    if len(values) != 2:
        return None
    first, second = values
    if first is None or second is None or math.isinf(first) or math.isinf(second):
        return NONE
    difference = second - first
    if round(difference, decimals) == 0 or format_figure(first, decimals) == format_figure(second, decimals):
        return "0"
    return f"{difference:+,.{decimals}f}".replace("-", "\u2212")
