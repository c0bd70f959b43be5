"""The page's plain tables: BD-rates, means, encoders and what went wrong, the papers' protocols, facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from msroi.benchmark.encoders import face_of
from msroi.benchmark.page.measures import COSTS, measure_named, percent, quality_measures
from msroi.benchmark.page.results import FEWEST_IMAGES, Results, number
from msroi.benchmark.page.verdict import Group, grouped
from msroi.benchmark.rows import TIMES, Row
from msroi.report.figures import NONE, Measure
from msroi.report.templates import render

_COSTS = ("bytes", "size_difference_percent", "bpp")


@dataclass(frozen=True)
class Cell:
    """A cell of more than text: the best of its column, code, or else a name with what stands behind and below it."""

    text: str
    after: str = ""
    flag: str = ""
    note: str | None = None
    is_best: bool = False
    is_code: bool = False


@dataclass(frozen=True)
class Heading:
    """Of a column of a table in which others have units."""

    label: str
    unit: str = ""


# BD-rates.


@dataclass(frozen=True)
class _Rate:
    """One BD-rate as it is written. verdict: of less bytes."""

    label: str
    verdict: str
    mean: str
    interval: str
    reach: str


@dataclass(frozen=True)
class _RateRow:
    name: str
    meaning: str
    cells: Sequence[_Rate | None]


@dataclass(frozen=True)
class _RatePanel:
    encoder: str
    groups: Sequence[Group]
    rows: Sequence[_RateRow]


def bd_section(results: Results) -> Markup:
    """Bytes saved at equal quality, over the common range of rates, for each encoder of ours."""
    stated = [e for e in results.summary.get("bd_rates") or [] if number(e.get("mean_percent")) is not None]
    entries = [entry for entry in stated if not measure_named(str(entry.get("metric"))).repeats]
    subjects = list(dict.fromkeys(str(entry.get("encoder")) for entry in entries))
    subjects.sort(key=lambda name: results.ours.index(name) if name in results.ours else len(results.ours))
    if not subjects:
        return Markup()
    panels = [_bd_panel(results, name, [e for e in entries if str(e.get("encoder")) == name]) for name in subjects]
    return Markup(render("msroi.benchmark.page/bd_rates.html", panels=panels))


def _bd_panel(results: Results, encoder: str, entries: Sequence[Mapping[str, Any]]) -> _RatePanel:
    found = {(str(e.get("against")), str(e.get("metric"))): e for e in entries}
    known = [measure.key for measure in quality_measures()]
    stated = dict.fromkeys(metric for _, metric in found)
    keys = [key for key in known if key in stated] + [key for key in stated if key not in known]
    groups = grouped([replace(measure_named(key), unit="") for key in keys])
    measures = [measure for group in groups for measure in group.measures]
    others = sorted(dict.fromkeys(against for against, _ in found), key=lambda name: name in results.ours)
    rows = [
        _RateRow(
            against,
            face_of(against).meaning,
            [_bd_cell(measure, found.get((against, measure.key)), len(results.images)) for measure in measures],
        )
        for against in others
    ]
    return _RatePanel(encoder, groups, rows)


def _bd_cell(measure: Measure, entry: Mapping[str, Any] | None, n_images: int) -> _Rate | None:
    if entry is None:
        return None
    mean, low, high = (number(entry.get(key)) for key in ("mean_percent", "low", "high"))
    verdict = "unclear"
    n = int(number(entry.get("n")) or 0)
    if low is not None and high is not None and n >= FEWEST_IMAGES:
        verdict = "better" if high < 0 else "worse" if low > 0 else "unclear"
    interval = f"{percent(low)} to {percent(high)}" if low is not None and high is not None else "no interval"
    overlap = [number(end) for end in entry.get("overlap") or []]
    ends = [end for end in overlap if end is not None]
    reach = f"{ends[0]:.2f} to {ends[1]:.2f} bpp" if len(ends) == 2 else ""
    few = f", {n} of {n_images} images" if n < n_images else ""
    return _Rate(measure.label, verdict, percent(mean), interval, reach + few)


# Means.


@dataclass(frozen=True)
class _Means:
    target: str
    head: Sequence[Heading | Measure]
    rows: Sequence[Sequence[str | Cell]]


def means_section(results: Results) -> Markup:
    """Everything measured, averaged over the images, a table a target."""
    entries = results.summary.get("means") or []
    if not entries:
        return Markup()
    return Markup(
        render(
            "msroi.benchmark.page/means.html",
            panels=[_means_panel(results, target, entries) for target in results.targets],
            targets=results.targets,
            headline_target=results.headline_target,
        )
    )


def _means_panel(results: Results, target: str, entries: Sequence[Mapping[str, Any]]) -> _Means:
    here = {str(e.get("encoder")): e for e in entries if str(e.get("target")) == target}
    names = [name for name in results.encoders if name in here]
    costs = [COSTS[key] for key in _COSTS]
    times = [COSTS[key] for key in TIMES if any(_mean(results, name, target, here, key) for name in names)]
    columns = [*costs, *results.measures, *times]
    values = {m.key: [_mean(results, name, target, here, m.key) for name in names] for m in columns}
    counts = [int(number(here[name].get("n")) or 0) for name in names]
    whole = [n == max(counts) for n in counts]
    rows: list[list[str | Cell]] = []
    for index, name in enumerate(names):
        cells = [
            _mean_cell(m, values[m.key], index, [m in results.measures and fair for fair in whole]) for m in columns
        ]
        rows.append([Cell(name), str(counts[index]), *cells])
    return _Means(target, [Heading("Encoder"), Heading("n"), *columns], rows)


def _mean(results: Results, name: str, target: str, here: Mapping[str, Mapping[str, Any]], key: str) -> float | None:
    """The summary's mean; of costs that a summary may leave out, the rows' own."""
    stated = number(here[name].get(key))
    return stated if stated is not None else results.mean_figure(name, target, key)


def _mean_cell(measure: Measure, values: Sequence[float | None], index: int, comparable: Sequence[bool]) -> str | Cell:
    """comparable: which of the values may be the best of the column; none where it is not contested."""
    value = values[index]
    written = measure.difference(value) if measure.key == "size_difference_percent" else measure.figure(value)
    gains = [measure.gain(v) for v, fair in zip(values, comparable, strict=True) if fair and v is not None]
    if comparable[index] and value is not None and len(gains) > 1 and measure.gain(value) == max(gains):
        return Cell(written, is_best=True)
    return written


# Encoders.


def encoders_section(results: Results) -> Markup:
    """What ran, in which version and setting, what was absent and how to get it, and what went wrong."""
    stated = {str(entry["name"]): entry for entry in results.stated_encoders}
    names = list(dict.fromkeys([*stated, *results.encoders]))
    head = ["Encoder", "Version", "Files", "Not reached", "Failed", "Settings, the first file’s"]
    unreadable = results.summary.get("unreadable") or []
    fruitless = [row for row in results.not_ok() if row.status != "unreadable"]
    return Markup(
        render(
            "msroi.benchmark.page/encoders.html",
            head=head + (["To install"] if results.absent else []),
            rows=[_encoder_row(results, name, stated.get(name, {})) for name in names],
            fruitless=_troubles(fruitless),
            n_fruitless=len(fruitless),
            unreadable=[[Cell(str(e.get("image"))), str(e.get("message") or "")] for e in unreadable],
        )
    )


def _encoder_row(results: Results, name: str, entry: Mapping[str, Any]) -> list[str | Cell]:
    statuses = results.statuses(name)
    available = bool(entry.get("available", True))
    first = next((row for row in results.rows if row.encoder == name and row.ok), None)
    counts = [str(statuses[kind]) if available else NONE for kind in ("ok", "unreachable", "failed")]
    settings = Cell(first.settings, is_code=True) if first is not None and first.settings else NONE
    install = str(entry.get("install") or "") if not available else ""
    return [
        Cell(name, flag="" if available else "absent", note=face_of(name).meaning),
        str(entry.get("version") or NONE),
        *counts,
        settings,
        *([install or NONE] if results.absent else []),
    ]


def _troubles(rows: Sequence[Row]) -> list[list[str | Cell]]:
    """Rows without a measurement, the same message once."""
    kinds = Counter((row.encoder, row.status, row.message) for row in rows)
    examples: dict[tuple[str, str, str], Row] = {}
    for row in rows:
        examples.setdefault((row.encoder, row.status, row.message), row)
    return [
        [Cell(key[0]), key[1], str(count), Cell(examples[key].image, f" at {examples[key].target}"), key[2]]
        for key, count in kinds.items()
    ]


# The papers' protocols.


@dataclass(frozen=True)
class _Table:
    title: str
    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def protocol_section(results: Results) -> Markup:
    """Analysis of variance, mean final Q, and how SI-SSIM goes with SSIM, where they were asked for."""
    tables = [table for table in (_anova(results), _q_final(results), _correlations(results)) if table.rows]
    return Markup(render("msroi.benchmark.page/protocol.html", tables=tables)) if tables else Markup()


def _anova(results: Results) -> _Table:
    rows = [
        [str(e.get("target")), _label(e, "metric"), _short(e.get("f")), _short(e.get("p"))]
        for e in results.summary.get("anova") or []
    ]
    return _Table("One-way analysis of variance", "Analysis of variance", ["Target", "Measure", "F", "p"], rows)


def _q_final(results: Results) -> _Table:
    rows = [[str(e.get("target")), _short(e.get("mean"))] for e in results.summary.get("q_final") or []]
    return _Table("Mean final Q of two-pass", "Mean final Q", ["Target", "Q"], rows)


def _correlations(results: Results) -> _Table:
    rows = []
    for e in results.summary.get("correlations") or []:
        figures = [_short(e.get(key)) for key in ("srocc", "krocc", "plcc", "rmse")]
        rows.append([f"{_label(e, 'of')} with {_label(e, 'with')}", *figures, str(int(number(e.get("n")) or 0))])
    return _Table("Correlations", "Correlations", ["Pair", "SROCC", "KROCC", "PLCC", "RMSE", "n"], rows)


def _label(entry: Mapping[str, Any], key: str) -> str:
    return measure_named(str(entry.get(key))).label


def _short(value: Any) -> str:
    """Four significant digits, as far as they are short."""
    figure = number(value)
    return NONE if figure is None else f"{figure:.4g}".replace("-", "−")


# Facts.


def facts_section(results: Results) -> Markup:
    """Command, versions and settings: what it takes to make the same rows again."""
    made = results.summary.get("made") or {}
    command = str(results.run.get("command") or made.get("command") or "")
    facts: dict[str, Any] = {}
    for found in (results.run.get("settings"), made.get("versions") or results.run.get("versions")):
        if isinstance(found, dict):
            facts.update({str(name).replace("_", " "): value for name, value in found.items()})
    shown = {name: _fact(value) for name, value in facts.items() if value not in (None, "", [], {})}
    if not command and not shown:
        return Markup()
    return Markup(render("msroi.benchmark.page/made.html", command=command, facts=shown))


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
