"""One page that lays pictures over each other: what `msroi demo` and `msroi compare --html` write.

    reference, candidates, saliency --embed--> data URIs --+
    sizes, scores --table--> rows and their winners -------+--> page.html --> str

The page is a single file. It opens from a disk, loads nothing (its content security policy forbids
it) and runs only its own script. Names of files may hold anything: the template escapes every value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from msroi.errors import ImageError, OptionError, SaliencyError
from msroi.metrics import MS_SSIM_EXPONENTS, SMALLEST_SIDE_OF_ALL_SCALES, Scores
from msroi.report.document import readable, resource
from msroi.report.embed import Embedder
from msroi.report.table import largest_size_gap, make_groups
from msroi.report.templates import render, viewer_parts

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
    fewer_scales = candidates[0].scores.ms_ssim_scales < len(MS_SSIM_EXPONENTS)
    return render(
        "msroi.report/page.html",
        **viewer_parts(*(resource("msroi.report", name) for name in ("page.css", "page.js"))),
        title=title,
        lead=lead,
        size=_size(width, height),
        reference_name=reference_name,
        versions="one version" if len(candidates) == 1 else f"{len(candidates)} versions",
        notices=all_notices,
        width=view_width,
        height=view_height,
        look_at=_in_view(embedder, look_at),
        with_map=embedder.saliency is not None,
        figures=figures,
        names=[candidate.name for candidate in candidates],
        with_difference=len(candidates) == 2,
        groups=groups,
        side_of_all_scales=SMALLEST_SIDE_OF_ALL_SCALES if fewer_scales else None,
        facts={name: _fact_value(value) for name, value in (facts or {}).items() if value is not None},
    )


@dataclass(frozen=True)
class _Figure:
    """One picture of the page. kind: "reference", "candidate" or "map"; start: "left", "right" or ""."""

    kind: str
    name: str
    detail: str
    uri: Markup
    start: str = ""


def _figures(
    reference: npt.NDArray[np.uint8], candidates: Sequence[Candidate], embedder: Embedder, reference_name: str
) -> list[_Figure]:
    alone = len(candidates) == 1
    size = f"{embedder.width} \u00d7 {embedder.height}"
    figures = [
        _Figure("reference", reference_name, size, Markup(embedder.reference(reference)), "left" if alone else "")
    ]
    for index, candidate in enumerate(candidates):
        start = "right" if alone or index == 1 else "left" if index == 0 else ""
        uri = embedder.candidate(readable(candidate.name), candidate.data)
        figures.append(_Figure("candidate", candidate.name, f"{candidate.n_bytes:,} bytes", Markup(uri), start))
    if embedder.saliency is not None:
        figures.append(_Figure("map", "saliency map", "blue 0, red 1", Markup(embedder.heat_map())))
    return figures


def _in_view(embedder: Embedder, look_at: tuple[float, float] | None) -> tuple[str, str] | None:
    """Where the viewer opens, in pixels of what the page shows."""
    if look_at is None:
        return None
    left, top = (embedder.region.left, embedder.region.top) if embedder.region else (0, 0)
    return f"{look_at[0] - left:g}", f"{look_at[1] - top:g}"


def _size(width: int, height: int) -> str:
    megapixels = width * height / 1e6
    return f"{width} × {height} pixels, {megapixels:.{0 if megapixels >= 10 else 2}f} megapixels"


def _size_notice(candidates: Sequence[Candidate]) -> list[str]:
    gap = largest_size_gap([(c.n_bytes, c.scores) for c in candidates])
    if gap <= _EQUAL_SIZE:
        return []
    return [
        f"The largest file has {gap * 100:.0f} % more bytes than the smallest: part of any difference "
        "in the scores is a difference in size."
    ]


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
