"""The benchmark's page: one self-contained HTML file, made of rows.csv, summary.json, run.json and the coded files.

    rows, summary, run --results--> verdict, curves, tables (HTML) --+
    coded files, originals, maps --gallery--> data URIs -------------+--> page.html filled --> OUT/index.html
    rows --_data--> JSON for sorting and for image by image ---------+

It loads nothing (its content security policy forbids it) and runs only its own script. Names of images and
encoders and messages of commands may hold anything: every value is escaped.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from msroi.benchmark.encoders import YARDSTICK
from msroi.benchmark.page.curves import Style, curves_section, styles_of
from msroi.benchmark.page.gallery import Gallery, make_gallery, scripts, selection_text
from msroi.benchmark.page.measures import COSTS, and_join
from msroi.benchmark.page.results import Results, read_results
from msroi.benchmark.page.tables import bd_section, encoders_section, facts_section, means_section, protocol_section
from msroi.benchmark.page.verdict import verdict_section
from msroi.images import put
from msroi.options import real_number
from msroi.report.document import readable, resource, text
from msroi.report.viewer import viewer_parts

__all__ = ["DEFAULT_MEGABYTES", "MOST_MEGABYTES", "write_page"]

PAGE = "index.html"
DEFAULT_MEGABYTES = 40
MOST_MEGABYTES = 4000
_HERE = "msroi.benchmark.page"

_CONTENTS = {
    "verdict": "Verdict",
    "curves": "Curves",
    "bd_rates": "BD-rates",
    "images": "Worst and best",
    "viewer": "Viewer",
    "means": "Means",
    "rows": "Every image",
    "encoders": "Encoders",
    "protocol": "The papers’ figures",
    "made": "How it was made",
}

# How files were matched, by run.json's name for it.
_MATCHING = {
    "size": "Every encoder gives its largest file that is not above the target’s bytes.",
    "quality": "Every encoder gives its smallest file whose PSNR and SSIM are at least the target’s.",
    "number": "Every encoder was given the same quality number: sizes differ, and so scores do not compare.",
}


def write_page(out: Path, *, max_megabytes: float = DEFAULT_MEGABYTES) -> Path:
    """Writes OUT/index.html from what a benchmark left in OUT, and returns its path.

    max_megabytes: 10^6 bytes that the embedded pictures may take; 0 for a page without pictures. Which ones are
    in is said in the page: first the worst and best five of the headline encoder against each other one.
    Errors: OptionError where rows.csv, summary.json or run.json is missing or is not what a benchmark writes, and
    for a limit out of 0 to MOST_MEGABYTES; ImageError where the page cannot be written.
    """
    limit = real_number("max_megabytes", max_megabytes, 0, MOST_MEGABYTES)
    page = make_page(read_results(Path(out)), limit)
    path = Path(out) / PAGE
    put(path, page.encode("utf-8"))
    return path


def make_page(results: Results, max_megabytes: float = DEFAULT_MEGABYTES) -> str:
    """The page as text."""
    styles = styles_of(results)
    gallery = make_gallery(results, max_megabytes)
    parts = {
        "verdict": verdict_section(results),
        "curves": curves_section(results, styles),
        "bd_rates": bd_section(results),
        "means": means_section(results),
        "encoders": encoders_section(results),
        "protocol": protocol_section(results),
        "made": facts_section(results),
    }
    return Template(_own("page.html")).substitute(
        **parts,
        **viewer_parts(_own("page.css"), _own("page.js")),
        title=f"Benchmark of {_count(len(results.images), 'image')}",
        lede=_lede(results),
        contents=_contents(parts),
        absent=_absent(results),
        selection=selection_text(results, gallery, max_megabytes),
        notices=_notices(gallery),
        data=_as_script(_data(results, styles, gallery)),
        pictures=scripts(gallery),
    )


def _own(name: str) -> str:
    return resource(_HERE, name)


def _contents(parts: Mapping[str, str]) -> str:
    """Links to the parts that the page has."""
    return "".join(
        f'<li><a href="#{part.replace("_", "-")}">{title}</a></li>'
        for part, title in _CONTENTS.items()
        if parts.get(part, "always")
    )


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _lede(results: Results) -> str:
    targets = and_join([text(target) for target in results.targets])
    unreadable = results.summary.get("unreadable") or []
    settings = results.run.get("settings")
    matching = settings.get("match") if isinstance(settings, dict) else None
    parts = [
        f"{_count(len(results.encoders), 'encoder')} at {_count(len(results.targets), 'target')}: {targets}.",
        _MATCHING.get(str(matching), _MATCHING["size"]),
    ]
    if any(target.startswith("Q") for target in results.targets) and matching != "number":
        parts.append("A target Q is plain JPEG (Pillow) at that quality.")
    if unreadable:
        parts.append(f"{_count(len(unreadable), 'image')} could not be read.")
    return " ".join(parts)


def _absent(results: Results) -> str:
    """Encoders that are in no table: those that were not there, with what to install, and those that made no file."""
    absent = [_named(str(e["name"]), str(e.get("install") or "")) for e in results.absent]
    fruitless = []
    for name, rows in results.fruitless.items():
        reason = f"{rows[0].status} in all {len(rows)} tries: {rows[0].message}"
        fruitless.append(_named(name, reason))
    items = [f"<li>Not measured, because absent: {and_join(absent)}.</li>"] if absent else []
    items += [f"<li>Made no file: {and_join(fruitless)}.</li>"] if fruitless else []
    return f'<ul class="notices" aria-label="Please note">{"".join(items)}</ul>' if items else ""


def _named(name: str, reason: str) -> str:
    return f"<bdi>{text(name)}</bdi>" + (f" ({text(reason)})" if reason else "")


def _notices(gallery: Gallery) -> str:
    if not gallery.notices:
        return ""
    items = "".join(f"<li>{text(notice)}</li>" for notice in gallery.notices)
    n = _count(len(gallery.notices), "note")
    return f'<details class="small"><summary>{n} on the pictures</summary><ul class="plain-list">{items}</ul></details>'


def _data(results: Results, styles: Mapping[str, Style], gallery: Gallery) -> dict[str, Any]:
    """What the script needs: rows as lists of numbers in the order of `measures`, names by their places."""
    written = {key for row in results.rows for key in row.figures}
    costs = [cost for cost in COSTS.values() if cost.key in written]
    times = [cost for cost in costs if cost.unit == "s"]
    measures = [*(cost for cost in costs if cost not in times), *results.measures, *times]
    headline = results.headline_measure
    return {
        "images": [readable(name) for name in results.images],
        "targets": [readable(name) for name in results.targets],
        "encoders": [readable(name) for name in results.encoders],
        "ours": [results.encoders.index(name) for name in results.ours],
        "plain": results.encoders.index(YARDSTICK) if YARDSTICK in results.encoders else None,
        "classes": [styles[name].classes for name in results.encoders],
        "measures": [
            {
                "key": m.key,
                "label": m.label,
                "unit": m.unit,
                "decimals": m.digits,
                "higher": m.higher_is_better,
                "quality": m in results.measures,
                "signed": m.key == "size_difference_percent",
            }
            for m in measures
        ],
        "rows": _rows(results, [m.key for m in measures]),
        "albums": {readable(image): album for image, album in gallery.as_json().items()},
        "headline": {
            "encoder": readable(results.headline_encoder),
            "target": readable(results.headline_target),
            "measure": headline.key if headline else None,
            "image": readable(next(iter(gallery.albums), "")),
        },
    }


def _rows(results: Results, keys: list[str]) -> list[list[Any]]:
    images = {name: index for index, name in enumerate(results.images)}
    targets = {name: index for index, name in enumerate(results.targets)}
    encoders = {name: index for index, name in enumerate(results.encoders)}
    return [
        [
            images[row.image],
            targets[row.target],
            encoders[row.encoder],
            "" if row.ok else readable(f"{row.status}: {row.message}" if row.message else row.status),
            *(_json_number(row.figure(key)) for key in keys),
        ]
        for row in results.rows
        if row.image in images and row.target in targets and row.encoder in encoders
    ]


def _json_number(value: float | None) -> float | int | str | None:
    """JSON knows no infinity: identical pictures' PSNR goes as text."""
    if value is None:
        return None
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return int(value) if value == int(value) else value


def _as_script(data: Mapping[str, Any]) -> str:
    """JSON that can end no script element and begin no comment."""
    return json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
