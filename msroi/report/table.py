"""The score table: which rows there are, how a figure is written, and who wins a row."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msroi.metrics import MS_SSIM_EXPONENTS, Metric, Scores
from msroi.metrics.catalogue import METRICS, repeats_last
from msroi.report.figures import NONE, Measure

# A picture's bytes and its scores: all that a row looks at.
Entry = tuple[int, Scores]


@dataclass(frozen=True)
class Cell:
    text: str
    best: bool


@dataclass(frozen=True)
class ScoreRow:
    """name, note; a cell a candidate; the difference of the last to the first where there are two."""

    name: str
    note: str
    cells: tuple[Cell, ...]
    difference: str | None


@dataclass(frozen=True)
class Group:
    name: str
    note: str
    rows: tuple[ScoreRow, ...]


def make_groups(entries: Sequence[Entry], n_pixels: int, weights_name: str) -> list[Group]:
    """Size, whole-picture and weighted rows; entries are (bytes, scores) in the order of the columns."""
    sizes = [
        _row(_BYTES, "", [n_bytes for n_bytes, _ in entries]),
        _row(_BITS_PER_PIXEL, "", [8 * n_bytes / n_pixels for n_bytes, _ in entries]),
    ]
    groups = [
        Group("Size", "smaller is better", tuple(row for row in sizes if row is not None)),
        Group("Whole picture", "every pixel counts alike", _score_rows(entries, lambda metric: metric.name)),
    ]
    weighted = _score_rows(entries, lambda metric: metric.weighted_name)
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


_BYTES = Measure("bytes", "Bytes", "", 0, False)
_BITS_PER_PIXEL = Measure("bpp", "Bits per pixel", "", 3, False)


def _score_rows(entries: Sequence[Entry], name_of: Callable[[Metric], str]) -> tuple[ScoreRow, ...]:
    """A row for each metric that at least one of the candidates has, under the name that is given for it."""
    rows = [
        _row(Measure.of(metric), _note(metric, entries), [scores.get(name_of(metric)) for _, scores in entries])
        for metric in repeats_last(METRICS.values())
    ]
    return tuple(row for row in rows if row is not None)


def _note(metric: Metric, entries: Sequence[Entry]) -> str:
    n_scales = min(scores.ms_ssim_scales for _, scores in entries)
    if metric.key == "ms_ssim" and n_scales < len(MS_SSIM_EXPONENTS):
        return f"{n_scales} of {len(MS_SSIM_EXPONENTS)} scales"
    return "" if metric.higher_is_better else "lower is better"


def _row(measure: Measure, note: str, values: Sequence[float | None]) -> ScoreRow | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    texts = [measure.figure(value) for value in values]
    best_text = measure.figure(max(known, key=measure.gain))
    # Figures that read alike share the win; where all do, nobody has won.
    contested = len(values) > 1 and len(set(texts)) > 1
    cells = tuple(Cell(text, contested and text == best_text) for text in texts)
    return ScoreRow(measure.title, note, cells, _difference(values, measure))


def _difference(values: Sequence[float | None], measure: Measure) -> str | None:
    if len(values) != 2:
        return None
    first, second = values
    if first is None or second is None or math.isinf(first) or math.isinf(second):
        return NONE
    difference = second - first
    if round(difference, measure.digits) == 0 or measure.figure(first) == measure.figure(second):
        return "0"
    return measure.difference(difference)
