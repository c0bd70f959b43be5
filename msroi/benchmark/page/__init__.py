"""The benchmark's page: one self-contained HTML file, made of rows.csv, summary.json, run.json and the coded files.

    rows, summary, run --results--> verdict, curves, tables ---------+
    coded files, originals, maps --gallery--> data URIs -------------+--> page.html filled --> OUT/index.html
    rows --_data--> JSON for sorting and for image by image ---------+

It loads nothing (its content security policy forbids it) and runs only its own script. Names of images and
encoders and messages of commands may hold anything: the templates escape every value.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from msroi.benchmark.encoders import YARDSTICK
from msroi.benchmark.page.curves import Style, curves_section, styles_of
from msroi.benchmark.page.gallery import N_WORST, Gallery, make_gallery, selection_of
from msroi.benchmark.page.measures import COSTS, and_join
from msroi.benchmark.page.results import Results, read_results
from msroi.benchmark.page.tables import bd_section, encoders_section, facts_section, means_section, protocol_section
from msroi.benchmark.page.verdict import verdict_section
from msroi.images import put
from msroi.options import real_number
from msroi.report.document import readable, resource
from msroi.report.templates import render, viewer_parts

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
    return render(
        f"{_HERE}/page.html",
        **parts,
        **viewer_parts(resource(_HERE, "page.css"), resource(_HERE, "page.js")),
        title=f"Benchmark of {_count(len(results.images), 'image')}",
        lede=_lede(results),
        contents={name.replace("_", "-"): title for name, title in _CONTENTS.items() if parts.get(name, "always")},
        absent={str(entry["name"]): str(entry.get("install") or "") for entry in results.absent},
        fruitless={
            name: f"{rows[0].status} in all {len(rows)} tries: {rows[0].message}"
            for name, rows in results.fruitless.items()
        },
        selection=selection_of(results, gallery, max_megabytes),
        n_worst=N_WORST,
        notices=gallery.notices,
        notices_count=_count(len(gallery.notices), "note"),
        data=_as_script(_data(results, styles, gallery)),
        # Inert text, which a browser neither decodes nor keeps as a picture until one is asked for.
        pictures=[Markup(uri) for uri in gallery.data],
    )


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _lede(results: Results) -> str:
    targets = and_join(results.targets)
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


def _as_script(data: Mapping[str, Any]) -> Markup:
    """JSON that can end no script element and begin no comment."""
    written = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return Markup(written.replace("<", "\\u003c"))
