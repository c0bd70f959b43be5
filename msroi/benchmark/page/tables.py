"""The page's plain tables: BD-rates, means, encoders and what went wrong, the papers' protocols, facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from msroi.benchmark.encoders import face_of
from msroi.benchmark.page.measures import COSTS, GROUP_TITLES, measure_named, percent, quality_measures
from msroi.benchmark.page.results import FEWEST_IMAGES, Results, number
from msroi.benchmark.page.verdict import table_head
from msroi.benchmark.rows import Row
from msroi.report.document import text
from msroi.report.figures import NONE, Measure

_NO_UNIT = '<span class="unit">&nbsp;</span>'
_COSTS = ("bytes", "size_difference_percent", "bpp")
_TIMES = ("seconds_encode", "seconds_decode")


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """A table of ready HTML cells, the first of each row its header, in a box that scrolls sideways."""
    first = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "\n".join(
        f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>' for row in rows
    )
    return _scrolled(
        caption,
        f'<table class="{kind}"><caption class="unseen">{text(caption)}</caption>'
        f"<thead><tr>{first}</tr></thead>\n<tbody>{body}</tbody></table>",
    )


def _scrolled(label: str, inner: str) -> str:
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{text(label)}">{inner}</div>'


def _card(name: str, title: str, body: str, controls: str = "") -> str:
    head = f'<h2 id="{name}-title">{title}</h2>'
    if controls:
        head = f'<div class="head">{head}{controls}</div>'
    return f'<section class="card" id="{name}" aria-labelledby="{name}-title">\n{head}\n{body}\n</section>'


# BD-rates.


def bd_section(results: Results) -> str:
    """Bytes saved at equal quality, over the common range of rates, for each encoder of ours."""
    stated = [e for e in results.summary.get("bd_rates") or [] if number(e.get("mean_percent")) is not None]
    entries = [entry for entry in stated if not measure_named(str(entry.get("metric"))).repeats]
    subjects = list(dict.fromkeys(str(entry.get("encoder")) for entry in entries))
    subjects.sort(key=lambda name: results.ours.index(name) if name in results.ours else len(results.ours))
    if not subjects:
        return ""
    options = "".join(f'<option value="{text(name)}">{text(name)} against each</option>' for name in subjects)
    controls = (
        '<div class="controls" hidden><label class="control"><span>Comparison</span>'
        f'<select id="bd-encoder">{options}</select></label></div>'
    )
    panels = "\n".join(
        _bd_panel(results, name, [e for e in entries if str(e.get("encoder")) == name], shown=name == subjects[0])
        for name in subjects
    )
    key = (
        '<p class="key">Bytes needed for the same score, in per cent more (+) or fewer (−), by PCHIP over the range of '
        "rates that both curves of an image share; mean over the images with its 95 % bootstrap interval, and that "
        "range in bits per pixel.</p>"
    )
    return _card("bd-rates", "BD-rates", f"{panels}\n{key}", controls)


def _bd_panel(results: Results, encoder: str, entries: Sequence[Mapping[str, Any]], shown: bool) -> str:
    found = {(str(e.get("against")), str(e.get("metric"))): e for e in entries}
    keys = [measure.key for measure in quality_measures()]
    stated = {metric: None for _, metric in found}
    measures = [
        measure_named(key) for key in [*(k for k in keys if k in stated), *(k for k in stated if k not in keys)]
    ]
    n_images = len(results.images)
    groups: dict[str, list[Measure]] = {}
    for measure in measures:
        groups.setdefault(measure.group, []).append(replace(measure, unit=""))
    measures = [measure for group in GROUP_TITLES for measure in groups.get(group, [])]
    rows = "\n".join(
        f'<tr role="row"><th role="rowheader" scope="row"><bdi>{text(against)}</bdi>'
        f'<span class="note">{text(face_of(against).meaning)}</span></th>'
        f"{''.join(_bd_cell(measure, found.get((against, measure.key)), n_images) for measure in measures)}</tr>"
        for against in sorted(dict.fromkeys(against for against, _ in found), key=lambda name: name in results.ours)
    )
    title = f"{text(encoder)}: bytes at equal quality"
    return (
        f'<div class="panel" data-encoder="{text(encoder)}"{"" if shown else " hidden"}>'
        f'<p class="panel-title">{title}</p>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="BD-rates: {title}">'
        f'<table class="verdict" role="table"><caption class="unseen">{title}</caption>'
        f"{table_head([(group, groups[group]) for group in GROUP_TITLES if group in groups])}"
        f'<tbody role="rowgroup">{rows}</tbody></table></div></div>'
    )


def _bd_cell(measure: Measure, entry: Mapping[str, Any] | None, n_images: int) -> str:
    if entry is None:
        return f'<td role="cell" class="none">{NONE}</td>'
    mean, low, high = (number(entry.get(key)) for key in ("mean_percent", "low", "high"))
    verdict = "unclear"
    n = int(number(entry.get("n")) or 0)
    if low is not None and high is not None and n >= FEWEST_IMAGES:
        verdict = "better" if high < 0 else "worse" if low > 0 else "unclear"
    mark = {"better": "▲", "worse": "▼", "unclear": "○"}[verdict]
    interval = f"{percent(low)} to {percent(high)}" if low is not None and high is not None else "no interval"
    overlap = [number(end) for end in entry.get("overlap") or []]
    ends = [end for end in overlap if end is not None]
    reach = f"{ends[0]:.2f} to {ends[1]:.2f} bpp" if len(ends) == 2 else ""
    few = f", {n} of {n_images} images" if n < n_images else ""
    return (
        f'<td role="cell" class="{verdict}"><div class="figure"><span class="measure">{text(measure.label)}</span>'
        f'<span class="value"><span class="mark" aria-hidden="true">{mark}</span>{percent(mean)}</span> '
        f'<span class="interval">{interval}</span> '
        f'<span class="reach">{reach}{few}</span></div></td>'
    )


# Means.


def means_section(results: Results) -> str:
    """Everything measured, averaged over the images, a table a target."""
    entries = results.summary.get("means") or []
    if not entries:
        return ""
    buttons = "".join(
        f'<button type="button" class="button" data-target="{text(target)}" '
        f'aria-pressed="{"true" if target == results.headline_target else "false"}">{text(target)}</button>'
        for target in results.targets
    )
    controls = (
        '<div class="controls" hidden><div class="control"><span>Target</span>'
        f'<div class="segments" role="group" id="means-target" aria-label="Target">{buttons}</div></div></div>'
    )
    panels = "\n".join(_means_panel(results, target, entries) for target in results.targets)
    key = (
        '<p class="key"><span class="dot" aria-hidden="true">●</span> best of its column, among the encoders with the '
        "most images (n): means over unlike images do not compare. The verdict’s differences stand on the images that "
        "both encoders coded.</p>"
    )
    return _card("means", "Means", f"{panels}\n{key}", controls)


def _means_panel(results: Results, target: str, entries: Sequence[Mapping[str, Any]]) -> str:
    here = {str(e.get("encoder")): e for e in entries if str(e.get("target")) == target}
    names = [name for name in results.encoders if name in here]
    costs = [COSTS[key] for key in _COSTS]
    times = [COSTS[key] for key in _TIMES if any(_mean(results, name, target, here, key) for name in names)]
    columns = [*costs, *results.measures, *times]
    values = {m.key: [_mean(results, name, target, here, m.key) for name in names] for m in columns}
    counts = [int(number(here[name].get("n")) or 0) for name in names]
    whole = [n == max(counts) for n in counts]
    rows = [
        [f"<bdi>{text(name)}</bdi>", str(counts[index])]
        + [_mean_cell(m, values[m.key], index, [m in results.measures and fair for fair in whole]) for m in columns]
        for index, name in enumerate(names)
    ]
    head = ["Encoder" + _NO_UNIT, "n" + _NO_UNIT] + [_column_head(measure) for measure in columns]
    shown = "" if target == results.headline_target else " hidden"
    body = table(f"Means at {target}", head, rows, "dense") if rows else "<p>No file was made for this target.</p>"
    return (
        f'<div class="panel" data-target="{text(target)}"{shown}><p class="panel-title">{text(target)}</p>{body}</div>'
    )


def _mean(results: Results, name: str, target: str, here: Mapping[str, Mapping[str, Any]], key: str) -> float | None:
    """The summary's mean; of costs that a summary may leave out, the rows' own."""
    stated = number(here[name].get(key))
    return stated if stated is not None else results.mean_figure(name, target, key)


def _mean_cell(measure: Measure, values: Sequence[float | None], index: int, comparable: Sequence[bool]) -> str:
    """comparable: which of the values may be the best of the column; none where it is not contested."""
    value = values[index]
    written = measure.difference(value) if measure.key == "size_difference_percent" else measure.figure(value)
    gains = [measure.gain(v) for v, fair in zip(values, comparable, strict=True) if fair and v is not None]
    if comparable[index] and value is not None and len(gains) > 1 and measure.gain(value) == max(gains):
        return f'<span class="top-value"><span class="unseen">best </span>{written}</span>'
    return written


def _column_head(measure: Measure) -> str:
    return f'{text(measure.label)}<span class="unit">{text(measure.unit) or "&nbsp;"}</span>'


# Encoders.


def encoders_section(results: Results) -> str:
    """What ran, in which version and setting, what was absent and how to get it, and what went wrong."""
    stated = {str(entry["name"]): entry for entry in results.stated_encoders}
    names = list(dict.fromkeys([*stated, *results.encoders]))
    rows = [_encoder_row(results, name, stated.get(name, {})) for name in names]
    head = ["Encoder", "Version", "Files", "Not reached", "Failed", "Settings, the first file’s"]
    head += ["To install"] if results.absent else []
    body = table("Encoders", head, rows, "dense words-table")
    return _card("encoders", "Encoders", body + _troubles(results))


def _encoder_row(results: Results, name: str, entry: Mapping[str, Any]) -> list[str]:
    statuses = results.statuses(name)
    meaning = f'<span class="note">{text(face_of(name).meaning)}</span>'
    available = bool(entry.get("available", True))
    first = next((row for row in results.rows if row.encoder == name and row.ok), None)
    version = text(str(entry.get("version") or NONE))
    counts = [str(statuses[kind]) if available else NONE for kind in ("ok", "unreachable", "failed")]
    settings = f"<code>{text(first.settings)}</code>" if first is not None and first.settings else NONE
    install = text(str(entry.get("install") or "")) if not available else ""
    last = [install or NONE] if results.absent else []
    flag = "" if available else '<span class="flag">absent</span>'
    return [f"<bdi>{text(name)}</bdi>{flag}{meaning}", version, *counts, settings, *last]


def _troubles(results: Results) -> str:
    """Rows without a measurement, the same message once; unreadable images."""
    kinds: Counter[tuple[str, str, str]] = Counter()
    examples: dict[tuple[str, str, str], Row] = {}
    for row in results.not_ok():
        if row.status == "unreadable":
            continue
        key = (row.encoder, row.status, row.message)
        kinds[key] += 1
        examples.setdefault(key, row)
    parts = []
    if kinds:
        items = [
            [
                f"<bdi>{text(encoder)}</bdi>",
                text(status),
                str(count),
                f"<bdi>{text(examples[encoder, status, message].image)}</bdi> at "
                f"{text(examples[encoder, status, message].target)}",
                text(message),
            ]
            for (encoder, status, message), count in kinds.items()
        ]
        inner = table(
            "Encodes without a result",
            ["Encoder", "Status", "Rows", "The first", "Message"],
            items,
            "dense words-table",
        )
        parts.append(f"<details><summary>Encodes without a result: {sum(kinds.values()):,}</summary>{inner}</details>")
    unreadable = results.summary.get("unreadable") or []
    if unreadable:
        lines = [[f"<bdi>{text(str(e.get('image')))}</bdi>", text(str(e.get("message") or ""))] for e in unreadable]
        inner = table("Unreadable images", ["Image", "Message"], lines, "dense words-table")
        parts.append(f"<details open><summary>Unreadable images: {len(unreadable):,}</summary>{inner}</details>")
    return "".join(parts)


def _place(row: Row) -> str:
    return f"<bdi>{text(row.image)}</bdi> at {text(row.target)}"


# The papers' protocols.


def protocol_section(results: Results) -> str:
    """Analysis of variance, mean final Q, and how SI-SSIM goes with SSIM, where they were asked for."""
    parts = [_anova(results), _q_final(results), _correlations(results)]
    parts = [part for part in parts if part]
    return _card("protocol", "The papers’ figures", "\n".join(parts)) if parts else ""


def _anova(results: Results) -> str:
    rows = [
        [
            text(str(e.get("target"))),
            text(measure_named(str(e.get("metric"))).label),
            _short(e.get("f")),
            _short(e.get("p")),
        ]
        for e in results.summary.get("anova") or []
    ]
    head = ["Target", "Measure", "F", "p"]
    return (
        "<h3>One-way analysis of variance</h3>" + table("Analysis of variance", head, rows, "dense short")
        if rows
        else ""
    )


def _q_final(results: Results) -> str:
    rows = [[text(str(e.get("target"))), _short(e.get("mean"))] for e in results.summary.get("q_final") or []]
    return (
        "<h3>Mean final Q of two-pass</h3>" + table("Mean final Q", ["Target", "Q"], rows, "dense short")
        if rows
        else ""
    )


def _correlations(results: Results) -> str:
    rows = []
    for e in results.summary.get("correlations") or []:
        figures = [_short(e.get(key)) for key in ("srocc", "krocc", "plcc", "rmse")]
        rows.append([f"{_label(e, 'of')} with {_label(e, 'with')}", *figures, str(int(number(e.get("n")) or 0))])
    head = ["Pair", "SROCC", "KROCC", "PLCC", "RMSE", "n"]
    return _titled("Correlations", head, rows)


def _titled(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return f"<h3>{title}</h3>{table(title, head, rows, 'dense short')}" if rows else ""


def _label(entry: Mapping[str, Any], key: str) -> str:
    return text(measure_named(str(entry.get(key))).label)


def _short(value: Any) -> str:
    """Four significant digits, as far as they are short."""
    figure = number(value)
    return NONE if figure is None else text(f"{figure:.4g}".replace("-", "−"))


# Facts.


def facts_section(results: Results) -> str:
    """Command, versions and settings: what it takes to make the same rows again."""
    made = results.summary.get("made") or {}
    command = str(results.run.get("command") or made.get("command") or "")
    facts: dict[str, Any] = {}
    for found in (results.run.get("settings"), made.get("versions") or results.run.get("versions")):
        if isinstance(found, dict):
            facts.update({str(name).replace("_", " "): value for name, value in found.items()})
    items = "".join(
        f"<div><dt>{text(name)}</dt><dd><bdi>{text(_fact(value))}</bdi></dd></div>"
        for name, value in facts.items()
        if value not in (None, "", [], {})
    )
    shown = f'<p class="command"><code>{text(command)}</code></p>' if command else ""
    listed = f'<dl class="facts">{items}</dl>' if items else ""
    return _card("made", "How it was made", shown + listed) if shown or listed else ""


def _fact(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return ", ".join(_fact(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_fact(item)}" for key, item in value.items())
    return str(value)
