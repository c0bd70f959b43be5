"""Curves as SVG: a measure against bits per pixel, and the difference to plain JPEG at equal bytes.

Drawn here and not by a plotting library, so that colours follow the page's theme, lines can be switched off,
and a page of twelve charts stays small.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from msroi.benchmark.encoders import YARDSTICK, face_of
from msroi.benchmark.page.measures import and_join
from msroi.benchmark.page.results import Results, number
from msroi.report.figures import Measure
from msroi.report.templates import render

_WIDTH, _HEIGHT = 380, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 12, 10, 34
_N_COLOURS = 8
# Of the values' range, left free at each end of an axis.
_ROOM = 0.05
_MARKERS = ("circle", "square", "diamond", "triangle", "down", "ring")


@dataclass(frozen=True)
class Style:
    """How an encoder is drawn. colour: 0 to 7, a class of page.css; dash, marker: names; ours: a thicker line."""

    colour: int
    dash: str
    marker: str
    ours: bool

    @property
    def classes(self) -> str:
        return f"c{self.colour} {self.dash}{' ours' if self.ours else ''}"


def styles_of(results: Results) -> dict[str, Style]:
    """A style for each encoder; those that the page knows always look the same, others take what is free."""
    found: dict[str, Style] = {}
    free = (
        (colour, dash, _MARKERS[(colour + shift) % len(_MARKERS)])
        for dash, shift in (("dotted", 0), ("dashed", 2), ("solid", 4))
        for colour in (3, 6, 1, 5, 4, 7, 2, 0)
    )
    for name in results.encoders:
        face = face_of(name)
        if face.colour is None:
            colour, dash, marker = next(free, (len(found) % _N_COLOURS, "dotted", "ring"))
        else:
            colour, dash, marker = face.colour, face.dash, face.marker
        found[name] = Style(colour, dash, marker, name in results.ours)
    return found


@dataclass(frozen=True)
class _Point:
    """x: bits per pixel; y, low, high: of the measure; whole: whether it stands on every image."""

    target: str
    x: float
    y: float
    low: float | None
    high: float | None
    whole: bool


@dataclass(frozen=True)
class _Mark:
    """One mark as it is drawn. shape: "mark" or "hollow"; path: of what is no circle."""

    kind: str
    x: float
    y: float
    shape: str
    path: str = ""
    title: str = ""


@dataclass(frozen=True)
class _Word:
    """Text in a chart, at its place."""

    x: str
    y: str
    label: str


@dataclass(frozen=True)
class _Series:
    """An encoder's line. path, bars: of the line and of its intervals, as SVG writes them."""

    name: str
    classes: str
    path: str
    bars: str
    marks: Sequence[_Mark]


@dataclass(frozen=True)
class _Chart:
    """A measure's chart. grid, axis, zero: paths as SVG writes them; names: of the encoders that are drawn."""

    label: str
    names: str
    grid: str
    axis: str
    zero: str
    across: Sequence[_Word]
    along: Sequence[_Word]
    name: _Word
    series: Sequence[_Series]
    width: int = _WIDTH
    height: int = _HEIGHT


@dataclass(frozen=True)
class _Swatch:
    name: str
    classes: str
    mark: _Mark


def curves_section(results: Results, styles: Mapping[str, Style]) -> Markup:
    """The card of all charts; of one target it has no lines, only points, and is left to the table of means."""
    measures = [measure for measure in results.measures if not measure.repeats]
    values = [_chart(m, _values(results, m), styles, f"{m.title} against bits per pixel", False) for m in measures]
    gaps = [_chart(m, _gaps(results, m), styles, f"{m.title} minus {YARDSTICK}’s", True) for m in measures]
    values, gaps = [c for c in values if c], [c for c in gaps if c]
    if not values or len(results.targets) < 2:
        return Markup()
    legend = [
        _Swatch(name, styles[name].classes, _marker(styles[name].marker, 15, 6, True)) for name in results.encoders
    ]
    return Markup(
        render("msroi.benchmark.page/curves.html", legend=legend, values=values, gaps=gaps, yardstick=YARDSTICK)
    )


def _values(results: Results, measure: Measure) -> dict[str, list[_Point]]:
    points: dict[str, list[_Point]] = {}
    for entry in results.summary.get("means") or []:
        name, target = str(entry.get("encoder")), str(entry.get("target"))
        x, y, n = number(entry.get("bpp")), number(entry.get(measure.key)), number(entry.get("n"))
        if name in results.encoders and x is not None and y is not None and math.isfinite(x) and math.isfinite(y):
            whole = n is None or n >= len(results.images)
            points.setdefault(name, []).append(_Point(target, x, y, None, None, whole))
    return {name: sorted(line, key=lambda point: point.x) for name, line in points.items()}


def _gaps(results: Results, measure: Measure) -> dict[str, list[_Point]]:
    """Differences to plain JPEG over the images that both coded, with their intervals."""
    places = {
        (str(entry.get("encoder")), str(entry.get("target"))): number(entry.get("bpp"))
        for entry in results.summary.get("means") or []
    }
    points: dict[str, list[_Point]] = {}
    for comparison in results.comparisons.values():
        x, y = places.get((comparison.encoder, comparison.target)), comparison.mean
        if comparison.against != YARDSTICK or comparison.measure.key != measure.key or comparison.encoder == YARDSTICK:
            continue
        if x is not None and y is not None and math.isfinite(y):
            whole = comparison.n >= len(results.images)
            points.setdefault(comparison.encoder, []).append(
                _Point(comparison.target, x, y, comparison.low, comparison.high, whole)
            )
    return {name: sorted(line, key=lambda point: point.x) for name, line in points.items()}


def _chart(
    measure: Measure, lines: Mapping[str, Sequence[_Point]], styles: Mapping[str, Style], label: str, with_zero: bool
) -> _Chart | None:
    points = [point for line in lines.values() for point in line]
    if not points:
        return None
    ends = [end for p in points for end in (p.low, p.high) if end is not None and math.isfinite(end)]
    heights = [p.y for p in points] + ends + ([0.0] if with_zero else [])
    horizontal = _Axis.around([p.x for p in points], _LEFT, _WIDTH - _RIGHT, 6)
    vertical = _Axis.around(heights, _HEIGHT - _BOTTOM, _TOP, 6)
    write = measure.difference if with_zero else measure.figure
    return _Chart(
        label=label,
        names=and_join(list(lines)),
        grid="".join(f"M{_LEFT} {vertical.at(tick):.1f}H{_WIDTH - _RIGHT}" for tick in vertical.ticks),
        axis=f"M{_LEFT} {_HEIGHT - _BOTTOM}H{_WIDTH - _RIGHT}",
        zero=f"M{_LEFT} {vertical.at(0):.1f}H{_WIDTH - _RIGHT}" if with_zero else "",
        across=[_Word(f"{_LEFT - 6}", f"{vertical.at(t) + 3.5:.1f}", vertical.label(t)) for t in vertical.ticks],
        along=[
            _Word(f"{horizontal.at(t):.1f}", f"{_HEIGHT - _BOTTOM + 15}", horizontal.label(t)) for t in horizontal.ticks
        ],
        name=_Word(f"{(_LEFT + _WIDTH - _RIGHT) / 2}", f"{_HEIGHT - 4}", "bits per pixel"),
        series=[
            _series(name, line, styles[name], measure.unit, write, (horizontal, vertical))
            for name, line in lines.items()
        ],
    )


def _series(
    name: str,
    line: Sequence[_Point],
    style: Style,
    unit: str,
    write: Callable[[float], str],
    axes: tuple[_Axis, _Axis],
) -> _Series:
    horizontal, vertical = axes
    at = [(horizontal.at(point.x), vertical.at(point.y)) for point in line]
    bars = "".join(
        f"M{x:.1f} {vertical.at(point.low):.1f}V{vertical.at(point.high):.1f}"
        for (x, _), point in zip(at, line, strict=True)
        if point.low is not None and point.high is not None and math.isfinite(point.low + point.high)
    )
    marks = [
        _marker(
            *(style.marker, x, y, point.whole),
            title=f"{name} at {point.target}: {write(point.y)} {unit} at {point.x:.3f} bits per pixel",
        )
        for (x, y), point in zip(at, line, strict=True)
    ]
    return _Series(name, style.classes, "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in at), bars, marks)


def _marker(kind: str, x: float, y: float, filled: bool, title: str = "") -> _Mark:
    shape = "hollow" if not filled or kind == "ring" else "mark"
    paths = {
        "square": f"M{x - 3:.1f} {y - 3:.1f}h6v6h-6z",
        "diamond": f"M{x:.1f} {y - 4.2:.1f}l4.2 4.2l-4.2 4.2l-4.2 -4.2z",
        "triangle": f"M{x:.1f} {y - 4:.1f}l4 7h-8z",
        "down": f"M{x:.1f} {y + 4:.1f}l4 -7h-8z",
    }
    return _Mark(kind, x, y, shape, paths.get(kind, ""), title)


@dataclass(frozen=True)
class _Axis:
    """A linear axis. low, high: values at its ends; start, end: where these are drawn; ticks: round values between."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    decimals: int

    def at(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    @staticmethod
    def around(values: Sequence[float], start: float, end: float, n_ticks: int) -> _Axis:
        """An axis that holds all values with a little room at both ends, and about n_ticks ticks."""
        low, high = min(values), max(values)
        room = max(_ROOM * (high - low), 1e-6 * abs(high), 1e-9)
        low, high = low - room, high + room
        rough = (high - low) / n_ticks
        magnitude = 10.0 ** math.floor(math.log10(rough))
        step = next(m * magnitude for m in (1, 2, 2.5, 5, 10) if m * magnitude >= rough * 0.999)
        first, last = math.ceil(low / step), math.floor(high / step)
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        if round(step, decimals) != round(step, decimals + 1):  # steps of 2.5
            decimals += 1
        return _Axis(low, high, start, end, tuple(i * step for i in range(first, last + 1)), decimals)

    def label(self, value: float) -> str:
        return f"{value:.{self.decimals}f}".replace("-", "−")
