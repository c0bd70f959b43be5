"""The verdict: who wins on what and by how much, as sentences and as a table, for each encoder and target.

One panel for each encoder of ours and target, against each other encoder; one panel a target for everyone
against plain JPEG. All are in the page, one is shown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from msroi.benchmark.encoders import YARDSTICK, face_of
from msroi.benchmark.page.measures import GROUP_TITLES, and_join
from msroi.benchmark.page.results import FEWEST_IMAGES, Comparison, Results
from msroi.metrics.catalogue import MASKS, SAME_MAP
from msroi.report.figures import Measure
from msroi.report.templates import render

EVERYONE = "*"


@dataclass(frozen=True)
class Group:
    """Columns of measures whose pixels are weighted alike."""

    title: str
    measures: Sequence[Measure]


@dataclass(frozen=True)
class _Line:
    """One line of a panel: `encoder` minus `against`; name: the one of them that the line is about."""

    encoder: str
    against: str
    name: str


@dataclass(frozen=True)
class _Cell:
    """One figure. won, tied: shares of the images in per cent; mean, interval, record: as they are written."""

    encoder: str
    against: str
    target: str
    measure: Measure
    verdict: str
    mean: str
    interval: str
    won: float
    tied: float
    record: str


@dataclass(frozen=True)
class _Row:
    name: str
    notes: Sequence[str]
    cells: Sequence[_Cell | None]


@dataclass(frozen=True)
class _Sentence:
    """names: of the encoders of which it is said; parts: a verdict and in which measures it holds."""

    names: Sequence[str]
    parts: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class _Lack:
    """Images that an encoder made no file of: what the means do not stand on."""

    name: str
    missing: str
    total: int


@dataclass(frozen=True)
class _Panel:
    subject: str
    target: str
    is_shown: bool
    caption: str
    sentences: Sequence[_Sentence]
    lacking: Sequence[_Lack]
    groups: Sequence[Group]
    rows: Sequence[_Row]


def verdict_section(results: Results) -> Markup:
    """The whole card. A page of one encoder has no verdict and says so."""
    subjects = _subjects(results)
    panels = [
        _panel(results, subject, target) for subject in subjects for target in results.targets if results.encoders
    ]
    made = results.summary.get("made") or {}
    groups = {measure.group for measure in results.measures}
    return Markup(
        render(
            "msroi.benchmark.page/verdict.html",
            panels=panels,
            subjects={name: _subject_name(name) for name in subjects},
            targets=results.targets,
            headline_target=results.headline_target,
            fewest_images=FEWEST_IMAGES,
            weights=str(made.get("weights") or "").strip().rstrip("."),
            with_same_map=SAME_MAP in groups,
            driven_by_masks=results.driven_by_masks if MASKS in groups else [],
        )
    )


def grouped(measures: Sequence[Measure]) -> list[Group]:
    """By what their pixels are weighted with, in the page's order."""
    groups: dict[str, list[Measure]] = {}
    for measure in measures:
        groups.setdefault(measure.group, []).append(measure)
    return [Group(title, groups[group]) for group, title in GROUP_TITLES.items() if group in groups]


def _subjects(results: Results) -> list[str]:
    """Encoders with comparisons of their own, ours first; and everyone against plain JPEG."""
    comparisons = results.comparisons.values()
    with_several = {c.encoder for c in comparisons if c.encoder in results.ours or c.against != YARDSTICK}
    found = sorted(with_several, key=lambda name: (name not in results.ours, _place(name, results)))
    if any(c.against == YARDSTICK for c in comparisons):
        found.append(EVERYONE)
    return found


def _place(name: str, results: Results) -> int:
    order = results.ours + results.encoders
    return order.index(name) if name in order else len(order)


def _subject_name(name: str) -> str:
    return f"each against {YARDSTICK}" if name == EVERYONE else f"{name} against each"


def _panel(results: Results, subject: str, target: str) -> _Panel:
    lines = _lines(results, subject)
    groups = grouped(_compared(results, lines, target))
    in_words = [] if subject == EVERYONE else lines
    return _Panel(
        subject,
        target,
        is_shown=subject == _subjects(results)[0] and target == results.headline_target,
        caption=f"{_subject_name(subject)} at {target}, {len(results.images)} images",
        sentences=_sentences(results, in_words, target),
        lacking=_lacking(results, in_words, target),
        groups=groups,
        rows=[_row(results, line, target, [m for group in groups for m in group.measures]) for line in lines],
    )


def _lines(results: Results, subject: str) -> list[_Line]:
    if subject == EVERYONE:
        return [_Line(name, YARDSTICK, name) for name in results.encoders if name != YARDSTICK]
    others = [name for name in results.encoders if name != subject]
    # Strangers first: how our variants compare with each other comes last.
    others.sort(key=lambda name: name in results.ours)
    return [_Line(subject, name, name) for name in others]


def _compared(results: Results, lines: Sequence[_Line], target: str) -> list[Measure]:
    """Measures that have a comparison in this panel and say what no other one says."""
    return [
        measure
        for measure in results.measures
        if not measure.repeats
        and any((line.encoder, line.against, target, measure.key) in results.comparisons for line in lines)
    ]


def _row(results: Results, line: _Line, target: str, measures: Sequence[Measure]) -> _Row:
    found = [results.comparisons.get((line.encoder, line.against, target, m.key)) for m in measures]
    counts = [comparison.n for comparison in found if comparison is not None]
    if counts:
        fewer = max(counts) < len(results.images)
        notes = [_share(results, line.name, target), f"{max(counts)} of {len(results.images)} images" if fewer else ""]
    else:
        notes = [_why_nothing(results, line, target)]
    notes = [note for note in (face_of(line.name).meaning, *notes) if note]
    return _Row(line.name, notes, [_cell(m, c) for m, c in zip(measures, found, strict=True)])


def _share(results: Results, encoder: str, target: str) -> str:
    """How much of the budget the encoder used: the fairness of the line in one figure."""
    value = results.mean_figure(encoder, target, "size_difference_percent")
    return "" if value is None else f"{100 + value:.1f} % of the bytes"


def _why_nothing(results: Results, line: _Line, target: str) -> str:
    for name in (line.name, line.encoder, line.against):
        statuses = results.statuses(name, target)
        if statuses["ok"] == 0 and statuses:
            return f"{name}: {statuses.most_common(1)[0][0]} on every image"
    return "no image in common"


def _cell(measure: Measure, comparison: Comparison | None) -> _Cell | None:
    if comparison is None:
        return None
    interval = f"{_end(measure, comparison.low)} to {_end(measure, comparison.high)}"
    if comparison.low is None or comparison.high is None:
        interval = "no interval"
    n = max(1, comparison.wins + comparison.losses + comparison.ties)
    return _Cell(
        *(comparison.encoder, comparison.against, comparison.target, measure, comparison.verdict),
        mean=measure.difference(comparison.mean),
        interval=interval,
        won=100 * comparison.wins / n,
        tied=100 * comparison.ties / n,
        record=f"{comparison.wins}\u2009:\u2009{comparison.losses}",
    )


def _end(measure: Measure, value: float | None) -> str:
    """An end of an interval; one that rounds to nothing keeps its sign, because the verdict hangs on it."""
    written = measure.difference(value)
    if value and math.isfinite(value) and written[0].isdigit():
        return ("+" if value > 0 else "−") + written
    return written


# In words.


def _sentences(results: Results, lines: Sequence[_Line], target: str) -> list[_Sentence]:
    by_pattern: dict[tuple[tuple[str, ...], ...], list[str]] = {}
    for line in lines:
        pattern = _pattern(results, line, target)
        if any(pattern):
            by_pattern.setdefault(pattern, []).append(line.name)
    return [_Sentence(names, _said(pattern)) for pattern, names in by_pattern.items()]


_KINDS = ("better", "worse", "unclear")


def _pattern(results: Results, line: _Line, target: str) -> tuple[tuple[str, ...], ...]:
    """Labels of the measures in which the encoder is better, worse, and neither for certain."""
    found: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    for measure in results.measures:
        comparison = results.comparisons.get((line.encoder, line.against, target, measure.key))
        if comparison is not None and results.speaks(measure, line.encoder, line.against):
            found[comparison.verdict].append(measure.label)
    return tuple(tuple(labels) for labels in found.values())


def _said(pattern: tuple[tuple[str, ...], ...]) -> list[tuple[str, str]]:
    """What is so in most measures first, with the exceptions named."""
    n_measures = sum(len(labels) for labels in pattern)
    parts = sorted(zip(_KINDS, pattern, strict=True), key=lambda part: -len(part[1]))
    (main, labels), *others = [part for part in parts if part[1]]
    if not others:
        place = "the one measure" if n_measures == 1 else f"all {n_measures} measures"
    elif len(labels) > max(3, n_measures / 2):
        place = f"{len(labels)} of {n_measures} measures"
    else:
        place = and_join(list(labels))
    return [(main, place), *((kind, and_join(list(rest))) for kind, rest in others)]


def _lacking(results: Results, lines: Sequence[_Line], target: str) -> list[_Lack]:
    """Targets that an encoder could not reach, commands that failed."""
    found = []
    for name in dict.fromkeys(name for line in lines for name in (line.encoder, line.against)):
        statuses = results.statuses(name, target)
        missing = [f"{statuses[kind]} {kind}" for kind in ("unreachable", "failed") if statuses[kind]]
        if missing:
            found.append(_Lack(name, and_join(missing), sum(statuses.values())))
    return found
