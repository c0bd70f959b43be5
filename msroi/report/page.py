"""One page that lays pictures over each other: what `msroi demo` and `msroi compare --html` write.

    reference, candidates, saliency --embed--> data URIs --+
    sizes, scores --table--> rows and their winners -------+--> page.html and what it takes in, filled --> str

The page is a single file. It opens from a disk, loads nothing (its content security policy forbids
it) and runs only its own script. Names of files may hold anything: every value is escaped here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Template
from typing import Any

import numpy as np
import numpy.typing as npt

from msroi.errors import ImageError, OptionError, SaliencyError
from msroi.metrics import MS_SSIM_EXPONENTS, SMALLEST_SIDE_OF_ALL_SCALES, Scores
from msroi.report.document import readable, resource, text
from msroi.report.embed import Embedder
from msroi.report.table import Group, Row, largest_size_gap, make_groups
from msroi.report.viewer import viewer_parts

# Files whose sizes differ by less are called equal.
_EQUAL_SIZE = 0.01


@dataclass(frozen=True)
class Candidate:
    """A picture to show beside the reference.

    name: how the page calls it; data: its file, embedded as it is; n_bytes: the size in bytes that the
    table compares; scores: against the reference.
    """

    name: str
    data: bytes
    n_bytes: int
    scores: Scores


def comparison_page(
    title: str,
    reference: npt.NDArray[np.uint8],
    candidates: Sequence[Candidate],
    saliency: npt.ArrayLike | None = None,
    facts: Mapping[str, Any] | None = None,
    notices: Sequence[str] = (),
    *,
    reference_name: str = "original",
    weights_name: str = "the saliency map",
    icc_profile: bytes | None = None,
    lead: str = "",
    look_at: tuple[float, float] | None = None,
) -> str:
    """A self-contained HTML page that compares pictures with their reference, and with each other.

    reference: uint8 (height, width, 3) RGB or (height, width) grey, upright.
    candidates: at least one; the first two open in the viewer, left and right (one alone opens beside
    the reference).
    saliency: numbers in [0, 1], (height, width), or None for a page without a map.
    facts: names and values listed below the pictures; notices: sentences set above them.
    weights_name: what the weighted scores were weighted with.
    icc_profile: the reference's colour profile, for display.
    lead: a sentence above all others, what to look at and why.
    look_at: (x, y), pixels of the upright pictures: the viewer opens there at 200 %, None for the whole picture.
    Errors: ImageError for a candidate that is no picture or has another size, SaliencyError for a map
    of another shape, OptionError for no candidates.
    """
    if not candidates:
        raise OptionError("comparison page: nothing to compare; pass at least one candidate")
    height, width = _checked_size(reference)
    embedder = Embedder(width, height, _checked_map(saliency, height, width), icc_profile, centre=look_at)
    figures = _figures(reference, candidates, embedder, reference_name)
    groups = make_groups([(c.n_bytes, c.scores) for c in candidates], width * height, weights_name)
    all_notices = [*notices, *embedder.notices, *_size_notice(candidates)]
    view_width, view_height = embedder.view_size
    own_style, own_script = (resource("msroi.report", name) for name in ("page.css", "page.js"))
    return Template(resource("msroi.report", "page.html")).substitute(
        **viewer_parts(own_style, own_script),
        title=text(title),
        lead=f'<p class="lead">{text(lead)}</p>' if lead else "",
        look=_look(embedder, look_at),
        lede=_lede(width, height, reference_name, len(candidates)),
        width=view_width,
        height=view_height,
        notices=_notices(all_notices),
        options="".join(f"<option>{text(figure.name)}</option>" for figure in figures),
        map_tools="" if embedder.saliency is None else _MAP_TOOLS,
        figures="\n".join(figure.html() for figure in figures),
        table=_table(candidates, groups),
        facts=_facts(facts or {}),
    )


_MAP_TOOLS = """<div class="map-tools">
<button type="button" class="button" id="map-button" aria-pressed="false">Map</button>
<input type="range" id="map-strength" min="10" max="100" value="55"
 aria-label="Strength of the map over the picture">
</div>"""


@dataclass(frozen=True)
class _Figure:
    """One picture of the page. kind: "reference", "candidate" or "map"; start: "left", "right" or ""."""

    kind: str
    name: str
    detail: str
    uri: str
    start: str = ""

    def html(self) -> str:
        name, detail = text(self.name), text(self.detail)
        scale = '<span class="scale" aria-hidden="true"></span>' if self.kind == "map" else ""
        return (
            f'<figure data-picture="{self.kind}" data-name="{name}" data-label="{name}, {detail}" '
            f'data-start="{self.start}">\n'
            f'<img src="{self.uri}" alt="{name}, {detail}">\n'
            f'<figcaption><span class="name"><bdi>{name}</bdi>{scale}'
            f'<span class="detail">{detail}</span></span>'
            f'<span class="choose" hidden>{_side_button("left", name)}{_side_button("right", name)}</span>'
            "</figcaption>\n</figure>"
        )


def _side_button(side: str, name: str) -> str:
    return (
        f'<button type="button" class="button" data-side="{side}" aria-pressed="false" '
        f'aria-label="Show {name} on the {side}">{side.capitalize()}</button>'
    )


def _figures(
    reference: npt.NDArray[np.uint8], candidates: Sequence[Candidate], embedder: Embedder, reference_name: str
) -> list[_Figure]:
    alone = len(candidates) == 1
    size = f"{embedder.width} \u00d7 {embedder.height}"
    figures = [_Figure("reference", reference_name, size, embedder.reference(reference), "left" if alone else "")]
    for index, candidate in enumerate(candidates):
        start = "right" if alone or index == 1 else "left" if index == 0 else ""
        uri = embedder.candidate(readable(candidate.name), candidate.data)
        figures.append(_Figure("candidate", candidate.name, f"{candidate.n_bytes:,} bytes", uri, start))
    if embedder.saliency is not None:
        figures.append(_Figure("map", "saliency map", "blue 0, red 1", embedder.heat_map()))
    return figures


def _look(embedder: Embedder, look_at: tuple[float, float] | None) -> str:
    """The attributes that tell the viewer where to open, in pixels of what the page shows."""
    if look_at is None:
        return ""
    left, top = (embedder.region.left, embedder.region.top) if embedder.region else (0, 0)
    return f' data-look-x="{look_at[0] - left:g}" data-look-y="{look_at[1] - top:g}"'


def _lede(width: int, height: int, reference_name: str, n_candidates: int) -> str:
    versions = "one version" if n_candidates == 1 else f"{n_candidates} versions"
    megapixels = width * height / 1e6
    return (
        f"{width} \u00d7 {height} pixels, {megapixels:.{0 if megapixels >= 10 else 2}f} megapixels. "
        f"Compared with <bdi>{text(reference_name)}</bdi>: {versions}."
    )


def _size_notice(candidates: Sequence[Candidate]) -> list[str]:
    gap = largest_size_gap([(c.n_bytes, c.scores) for c in candidates])
    if gap <= _EQUAL_SIZE:
        return []
    return [
        f"The largest file has {gap * 100:.0f} % more bytes than the smallest: part of any difference "
        "in the scores is a difference in size."
    ]


def _notices(notices: Sequence[str]) -> str:
    if not notices:
        return ""
    items = "".join(f"<li>{text(notice)}</li>" for notice in notices)
    return f'<ul class="notices" aria-label="Please note">{items}</ul>'


def _table(candidates: Sequence[Candidate], groups: Sequence[Group]) -> str:
    names = [text(candidate.name) for candidate in candidates]
    head = "".join(f'<th scope="col" title="{name}"><bdi>{name}</bdi></th>' for name in names)
    with_difference = len(names) == 2
    if with_difference:
        head += '<th scope="col">Difference</th>'
    columns = len(names) + 1 + with_difference
    bodies = "\n".join(_table_body(group, columns, with_difference) for group in groups)
    return (
        '<section class="card" aria-labelledby="scores-title">\n<h2 id="scores-title">Scores</h2>\n'
        '<div class="scroll" tabindex="0" role="region" aria-labelledby="scores-title">\n<table>\n'
        '<caption class="unseen">Sizes and scores of each picture against the reference</caption>\n'
        f'<thead><tr><th scope="col"><span class="unseen">Measure</span></th>{head}</tr></thead>\n'
        f"{bodies}\n</table>\n</div>\n{_table_key(candidates)}</section>"
    )


def _table_key(candidates: Sequence[Candidate]) -> str:
    """What the marks mean, and why MS-SSIM stands on fewer scales where it does."""
    key = ""
    if len(candidates) > 1:
        key += (
            '<p class="key"><span class="dot" aria-hidden="true">\u25cf</span> best of its row. '
            "Figures that read alike share it; where all do, none is marked.</p>\n"
        )
    if candidates[0].scores.ms_ssim_scales < len(MS_SSIM_EXPONENTS):
        key += (
            '<p class="key">MS-SSIM takes fewer scales here, because a side of the picture is under '
            f"{SMALLEST_SIDE_OF_ALL_SCALES} pixels.</p>\n"
        )
    return key


def _table_body(group: Group, columns: int, with_difference: bool) -> str:
    rows = "\n".join(_table_row(row, with_difference) for row in group.rows)
    # The inner span stays in view while a wide table is scrolled sideways.
    return (
        f'<tbody><tr><th class="group" scope="rowgroup" colspan="{columns}"><span>{text(group.name)}'
        f'<span class="note">{text(group.note)}</span></span></th></tr>\n{rows}</tbody>'
    )


def _table_row(row: Row, with_difference: bool) -> str:
    note = f'<span class="note">{text(row.note)}</span>' if row.note else ""
    cells = "".join(
        f'<td class="best">{text(cell.text)}<span class="unseen"> (best)</span></td>'
        if cell.best
        else f"<td>{text(cell.text)}</td>"
        for cell in row.cells
    )
    if with_difference:
        cells += f'<td class="difference">{text(row.difference or "")}</td>'
    return f'<tr><th scope="row">{text(row.name)}{note}</th>{cells}</tr>'


def _facts(facts: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<div><dt>{text(name)}</dt><dd><bdi>{text(_fact_value(value))}</bdi></dd></div>"
        for name, value in facts.items()
        if value is not None
    )
    if not rows:
        return ""
    return (
        '<section class="card" aria-labelledby="facts-title">\n<h2 id="facts-title">How it was made</h2>\n'
        f'<dl class="facts">{rows}</dl>\n</section>'
    )


def _fact_value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_fact_value(item) for item in value)
    return str(value)


def _checked_size(reference: npt.NDArray[np.uint8]) -> tuple[int, int]:
    if reference.dtype != np.uint8 or reference.ndim < 2 or reference.shape[2:] not in ((), (3,)):
        raise ImageError(
            f"reference: an array of {reference.dtype} and shape {reference.shape}; "
            "pass uint8 of shape (height, width, 3) or (height, width)"
        )
    return reference.shape[0], reference.shape[1]


def _checked_map(saliency: npt.ArrayLike | None, height: int, width: int) -> npt.NDArray[np.float32] | None:
    if saliency is None:
        return None
    values = np.asarray(saliency, dtype=np.float32)
    if values.shape != (height, width):
        raise SaliencyError(
            f"saliency: shape {values.shape}, but the reference is {width}x{height}; pass shape ({height}, {width})"
        )
    if not (values.min() >= -1e-5 and values.max() <= 1 + 1e-5):
        raise SaliencyError("saliency: values outside 0 to 1, or not a number somewhere; scale them to 0 to 1")
    return values
