"""Pages to look at: made of what was scored, and opened in a browser. For compare and demo."""

from __future__ import annotations

import os
import webbrowser
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from msroi.cli.output import Screen
from msroi.cli.scores import Scored, Weights

if TYPE_CHECKING:
    from msroi.images import Picture


def make_page(
    heading: str,
    reference: Picture,
    scored: Sequence[Scored],
    weights: Weights,
    notes: Sequence[str],
    *,
    facts: Mapping[str, Any] | None = None,
    lead: str = "",
    look_at: tuple[float, float] | None = None,
) -> str:
    """One self-contained HTML page with a slider between reference and files.

    heading: what stands before the reference's name in the title. A page is passed on, so it names files and not the
    folders that they lie in, wherever a name occurs: `short_names`. facts, lead, look_at: as `comparison_page` says.
    """
    from msroi import __version__
    from msroi.report.page import Candidate, comparison_page

    width, height = reference.upright_size
    full = [reference.source.name, *(item.name for item in scored)]
    shown = dict(zip(full, short_names(full), strict=True))
    name = shown[reference.source.name]

    def short(text: str) -> str:
        for long in sorted(shown, key=len, reverse=True):
            if long != shown[long]:
                text = text.replace(long, shown[long])
        return text

    return comparison_page(
        f"{heading} {name}",
        reference.upright,
        [Candidate(shown[item.name], item.data, item.n_bytes, item.scores) for item in scored],
        weights.saliency,
        {
            "reference": f"{name}, {width} x {height}",
            **(facts or {}),
            "weights": weights.name,
            "map": weights.identity or "none",
            "msroi": __version__,
        },
        [short(note) for note in notes],
        reference_name=name,
        weights_name=weights.name,
        icc_profile=reference.metadata.icc_profile,
        lead=lead,
        look_at=look_at,
    )


def short_names(names: Sequence[str]) -> list[str]:
    """Names of files without their folders, but for as many as it takes to tell files of one name apart."""
    parts = [[part for part in PurePath(name).parts if part != PurePath(name).anchor] or [name] for name in names]
    depths = [1] * len(parts)
    while True:
        tails = ["/".join(pieces[-depth:]) for pieces, depth in zip(parts, depths, strict=True)]
        count = Counter(tails)
        longer = [
            depth + (count[tail] > 1 and depth < len(pieces))
            for pieces, depth, tail in zip(parts, depths, tails, strict=True)
        ]
        if longer == depths:
            return tails
        depths = longer


# --- opening -----------------------------------------------------------------------------------


def add_open(group: Any) -> None:
    """--open."""
    group.add_argument("--open", action="store_true", help="open the page in the browser")


def open_page(path: Path, screen: Screen) -> None:
    """Open the page in the browser; where there is none, say where it lies."""
    place = path.resolve()
    if not _opened(place.as_uri()):
        screen.error(f"no browser found; open {place} in one")


def _opened(uri: str) -> bool:
    """Whether a browser with a window took the address."""
    try:
        browser = webbrowser.get()
        # Browsers in the terminal show no pictures, and take the terminal; who wants one names it in BROWSER.
        in_terminal = type(browser) is webbrowser.GenericBrowser or type(browser).__name__ == "Elinks"
        if in_terminal and "BROWSER" not in os.environ:
            return False
        return browser.open(uri)
    except (webbrowser.Error, OSError):
        return False
