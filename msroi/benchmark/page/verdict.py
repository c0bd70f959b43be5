"""The verdict: who wins on what and by how much, as sentences and as a table, for each encoder and target.

One panel for each encoder of ours and target, against each other encoder; one panel a target for everyone
against plain JPEG. All are in the page, one is shown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from msroi.benchmark.encoders import YARDSTICK, face_of
from msroi.benchmark.page.measures import GROUP_TITLES, and_join
from msroi.benchmark.page.results import FEWEST_IMAGES, Comparison, Results
from msroi.metrics.catalogue import MASKS, SAME_MAP
from msroi.report.document import text
from msroi.report.figures import NONE, Measure

EVERYONE = "*"
_MARKS = {"better": "▲", "worse": "▼", "unclear": "○"}
_SPOKEN = {"better": "better", "worse": "worse", "unclear": "no clear difference"}


@dataclass(frozen=True)
class _Line:
    """One line of a panel: `encoder` minus `against`; name: the one of them that the line is about."""

    encoder: str
    against: str
    name: str


def verdict_section(results: Results) -> str:
    """The whole card. A page of one encoder has no verdict and says so."""
    subjects = _subjects(results)
    panels = [
        _panel(results, subject, target) for subject in subjects for target in results.targets if results.encoders
    ]
    body = "\n".join(panels) if panels else "<p>One encoder alone made files: there is nothing to compare.</p>"
    controls = _controls(results, subjects) if panels else ""
    return (
        '<section class="card" id="verdict" aria-labelledby="verdict-title">\n'
        f'<div class="head"><h2 id="verdict-title">Verdict</h2>{controls}</div>\n{body}\n{_key(results)}</section>'
    )


def _subjects(results: Results) -> list[str]:
    """Encoders with comparisons of their own, ours first; and everyone against plain JPEG."""
    with_several = {
        c.encoder for c in results.comparisons.values() if c.encoder in results.ours or c.against != YARDSTICK
    }
    found = sorted(with_several, key=lambda name: (name not in results.ours, _place(name, results)))
    if any(c.against == YARDSTICK for c in results.comparisons.values()):
        found.append(EVERYONE)
    return found


def _place(name: str, results: Results) -> int:
    order = results.ours + results.encoders
    return order.index(name) if name in order else len(order)


def _controls(results: Results, subjects: Sequence[str]) -> str:
    options = "".join(f'<option value="{text(name)}">{_subject_name(name)}</option>' for name in subjects)
    buttons = "".join(
        f'<button type="button" class="button" data-target="{text(target)}" '
        f'aria-pressed="{"true" if target == results.headline_target else "false"}">{text(target)}</button>'
        for target in results.targets
    )
    return (
        '<div class="controls" hidden>'
        f'<label class="control"><span>Comparison</span><select id="verdict-encoder">{options}</select></label>'
        f'<div class="control"><span>Target</span><div class="segments" role="group" id="verdict-target" '
        f'aria-label="Target">{buttons}</div></div></div>'
    )


def _subject_name(name: str) -> str:
    return f"each against {YARDSTICK}" if name == EVERYONE else f"{text(name)} against each"


def _panel(results: Results, subject: str, target: str) -> str:
    shown = subject == _subjects(results)[0] and target == results.headline_target
    lines = _lines(results, subject)
    groups = _groups(results, lines, target)
    words = _words(results, subject, lines, target)
    rows = "\n".join(_row(results, line, target, groups) for line in lines)
    caption = f"{_subject_name(subject)} at {text(target)}, {len(results.images)} images"
    return (
        f'<div class="panel" data-encoder="{text(subject)}" data-target="{text(target)}"{"" if shown else " hidden"}>\n'
        f'<p class="panel-title">{caption}</p>\n{words}\n<div class="scroll" tabindex="0" role="region" '
        f'aria-label="Verdict: {caption}">\n<table class="verdict" role="table">\n'
        f'<caption class="unseen">{caption}: mean difference, its 95 % interval, images won and lost</caption>\n'
        f'{table_head(groups)}\n<tbody role="rowgroup">{rows}</tbody>\n</table>\n</div>\n</div>'
    )


def _lines(results: Results, subject: str) -> list[_Line]:
    if subject == EVERYONE:
        return [_Line(name, YARDSTICK, name) for name in results.encoders if name != YARDSTICK]
    others = [name for name in results.encoders if name != subject]
    # Strangers first: how our variants compare with each other comes last.
    others.sort(key=lambda name: name in results.ours)
    return [_Line(subject, name, name) for name in others]


def _groups(results: Results, lines: Sequence[_Line], target: str) -> list[tuple[str, list[Measure]]]:
    """Measures that have a comparison in this panel, by what their pixels are weighted with."""
    groups: dict[str, list[Measure]] = {}
    for measure in results.measures:
        keys = [(line.encoder, line.against, target, measure.key) for line in lines]
        if not measure.repeats and any(key in results.comparisons for key in keys):
            groups.setdefault(measure.group, []).append(measure)
    return [(group, groups[group]) for group in GROUP_TITLES if group in groups]


def table_head(groups: Sequence[tuple[str, list[Measure]]]) -> str:
    """Columns' names, under what their pixels are weighted with where they differ in that."""
    top = "".join(
        f'<th role="columnheader" scope="colgroup" colspan="{len(measures)}">{text(GROUP_TITLES[group])}</th>'
        for group, measures in groups
    )
    second = "".join(
        f'<th role="columnheader" scope="col">{text(measure.label)}'
        f'<span class="unit">{text(measure.unit) or "&nbsp;"}</span></th>'
        for _, measures in groups
        for measure in measures
    )
    several = f'<tr class="groups" role="row"><td role="cell"></td>{top}</tr>' if len(groups) > 1 else ""
    return (
        f'<thead role="rowgroup">{several}<tr role="row"><th role="columnheader" scope="col">'
        f'<span class="unseen">Against</span></th>{second}</tr></thead>'
    )


def _row(results: Results, line: _Line, target: str, groups: Sequence[tuple[str, list[Measure]]]) -> str:
    keys = [(line.encoder, line.against, target, m.key) for _, measures in groups for m in measures]
    found = [results.comparisons.get(key) for key in keys]
    counts = [comparison.n for comparison in found if comparison is not None]
    if counts:
        fewer = max(counts) < len(results.images)
        notes = [_share(results, line.name, target), f"{max(counts)} of {len(results.images)} images" if fewer else ""]
    else:
        notes = [_why_nothing(results, line, target)]
    meaning = face_of(line.name).meaning
    detail = "".join(f'<span class="note">{text(note)}</span>' for note in [meaning, *notes] if note)
    measures = [m for _, group in groups for m in group]
    cells = "".join(_cell(measure, comparison) for measure, comparison in zip(measures, found, strict=True))
    return f'<tr role="row"><th role="rowheader" scope="row"><bdi>{text(line.name)}</bdi>{detail}</th>{cells}</tr>'


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


def _cell(measure: Measure, comparison: Comparison | None) -> str:
    if comparison is None:
        return f'<td role="cell" class="none">{NONE}</td>'
    verdict = comparison.verdict
    interval = f"{_end(measure, comparison.low)} to {_end(measure, comparison.high)}"
    if comparison.low is None or comparison.high is None:
        interval = "no interval"
    record = f"{comparison.wins}\u2009:\u2009{comparison.losses}"
    return (
        f'<td role="cell" class="{verdict}"><button type="button" class="figure" '
        f'data-encoder="{text(comparison.encoder)}" data-against="{text(comparison.against)}" '
        f'data-target="{text(comparison.target)}" data-measure="{text(measure.key)}">'
        f'<span class="measure">{text(measure.title)}</span>'
        f'<span class="value"><span class="mark" aria-hidden="true">{_MARKS[verdict]}</span>'
        f'{measure.difference(comparison.mean)}<span class="unseen">, {_SPOKEN[verdict]}, interval</span></span> '
        f'<span class="interval">{interval}</span> '
        f'<span class="record"><span class="unseen">images won and lost </span>{_bar(comparison)}{record}</span>'
        "</button></td>"
    )


def _end(measure: Measure, value: float | None) -> str:
    """An end of an interval; one that rounds to nothing keeps its sign, because the verdict hangs on it."""
    written = measure.difference(value)
    if value and math.isfinite(value) and written[0].isdigit():
        return ("+" if value > 0 else "−") + written
    return written


def _bar(comparison: Comparison) -> str:
    """Won, tied and lost images as shares of a line."""
    n = max(1, comparison.wins + comparison.losses + comparison.ties)
    won, tied = 100 * comparison.wins / n, 100 * comparison.ties / n
    lost = 100 - won - tied
    return (
        '<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="won" width="{won:.1f}" height="4"/>'
        f'<rect class="tied" x="{won:.1f}" width="{tied:.1f}" height="4"/>'
        f'<rect class="lost" x="{won + tied:.1f}" width="{lost:.1f}" height="4"/></svg>'
    )


# In words.


def _words(results: Results, subject: str, lines: Sequence[_Line], target: str) -> str:
    if subject == EVERYONE:
        return ""
    by_pattern: dict[tuple[tuple[str, ...], ...], list[str]] = {}
    for line in lines:
        pattern = _pattern(results, line, target)
        if any(pattern):
            by_pattern.setdefault(pattern, []).append(line.name)
    items = [_sentence(pattern, names) for pattern, names in by_pattern.items()]
    items += _left_out(results, lines, target)
    return f'<ul class="words">{"".join(f"<li>{item}</li>" for item in items)}</ul>' if items else ""


def _pattern(results: Results, line: _Line, target: str) -> tuple[tuple[str, ...], ...]:
    """Labels of the measures in which the encoder is better, worse, and neither for certain."""
    found: dict[str, list[str]] = {"better": [], "worse": [], "unclear": []}
    for measure in results.measures:
        comparison = results.comparisons.get((line.encoder, line.against, target, measure.key))
        if comparison is not None and results.speaks(measure, line.encoder, line.against):
            found[comparison.verdict].append(measure.label)
    return tuple(tuple(labels) for labels in found.values())


def _sentence(pattern: tuple[tuple[str, ...], ...], names: list[str]) -> str:
    """What is so in most measures first, with the exceptions named."""
    n_measures = sum(len(labels) for labels in pattern)
    parts = sorted(zip(_SPOKEN, pattern, strict=True), key=lambda part: -len(part[1]))
    (main, labels), *others = [part for part in parts if part[1]]
    if not others:
        place = "in the one measure" if n_measures == 1 else f"in all {n_measures} measures"
    elif len(labels) > max(3, n_measures / 2):
        place = f"in {len(labels)} of {n_measures} measures"
    else:
        place = f"in {_listed(labels)}"
    said = "; ".join([f"{_phrase(main)} {place}", *(f"{_phrase(kind)} in {_listed(rest)}" for kind, rest in others)])
    who = and_join([f"<bdi>{text(name)}</bdi>" for name in names])
    return f"Against {who}: {said}."


def _phrase(kind: str) -> str:
    return f'<strong class="{kind}">{_MARKS[kind]}\u00a0{_SPOKEN[kind]}</strong>'


def _listed(labels: Sequence[str]) -> str:
    return and_join([text(label) for label in labels])


def _left_out(results: Results, lines: Sequence[_Line], target: str) -> list[str]:
    """What the means do not stand on: targets that an encoder could not reach, commands that failed."""
    items = []
    for name in dict.fromkeys(name for line in lines for name in (line.encoder, line.against)):
        statuses = results.statuses(name, target)
        missing = [f"{statuses[kind]} {kind}" for kind in ("unreachable", "failed") if statuses[kind]]
        if missing:
            items.append(
                f"<bdi>{text(name)}</bdi> lacks images: {and_join(missing)} of {sum(statuses.values())}. "
                "Its comparisons stand on the rest."
            )
    return items


def _key(results: Results) -> str:
    """How the table is read, and what the weighted figures are weighted with."""
    made = results.summary.get("made") or {}
    weights = str(made.get("weights") or "").strip().rstrip(".")
    groups = {measure.group for measure in results.measures}
    lines = [
        '<span class="better-text">▲ better</span>, <span class="worse-text">▼ worse</span>: the 95 % bootstrap '
        "interval of the mean difference over the images lies on one side of zero. ○: it does not, or there are fewer "
        f"than {FEWEST_IMAGES} images. The bar and the figures beside it: images won and lost. Intervals are not "
        "widened for the number of comparisons. Every figure opens its images below."
    ]
    if weights:
        lines.append(f"Weights: {text(weights)}.")
    if SAME_MAP in groups:
        lines.append(
            "The map that drove an encoder is never the weight of a headline: SI-SSIM is in the table for the papers’ "
            "sake and has no part in the sentences."
        )
    if MASKS in groups and results.driven_by_masks:
        names = and_join([f"<bdi>{text(name)}</bdi>" for name in results.driven_by_masks])
        lines.append(f"{names} followed the very masks: its figures inside and outside have no part in the sentences.")
    return "".join(f'<p class="key">{line}</p>\n' for line in lines)
