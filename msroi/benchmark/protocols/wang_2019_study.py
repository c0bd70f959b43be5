"""What the paper of the recurrent codec asks beside rate and distortion: salient regions, and the cap on iterations.

    a benchmark's folder (rows.csv, files, summary.json) --> regions.csv --+
    pictures, codec --> caps.csv ------------------------------------------+--> study.json, tables.md, *.svg

Wang, Han, Wang 2019. In the paper the files are the codec's bits as they are; here they are coded further, so that of
files with as many bits before that, some are a little larger than others. Their sizes stand beside them.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from msroi import extras, metrics
from msroi.arrays import Floats, Pixels
from msroi.benchmark import rows
from msroi.benchmark.encoders import ENCODERS
from msroi.benchmark.inputs import Entry
from msroi.benchmark.measuring import decoded_place
from msroi.benchmark.protocols import wang_2019
from msroi.benchmark.protocols.tables import Table
from msroi.benchmark.subject import Subject
from msroi.benchmark.targets import like
from msroi.codecs.neural.recurrent import allocation
from msroi.images import put, read
from msroi.options import PixelBox

N_BOXES, BOX_SHARE = 3, 0.25
"""Boxes of a picture, and their sides as a share of its sides."""

DEFAULT_CAPS = (0, 1, 2, 4, 6, 8, 12, 16, 20, 24, 30)
PAPERS_CAP = 24
_REGION_SCORES = ("psnr", "ssim", "ms_ssim")
_DECIMALS = 6
_TARGETS = """\
K is the mean level of iterations, which the recurrent codec meets exactly; the others make their largest file within
the bits that it has then before they are coded, 32 K a cell of 16 x 16 pixels. At bits per pixel all make their largest
file within the same bytes. Means are those of the n pictures that reached the target.
"""

_REGION_SCORE_COLUMNS = tuple(f"{score}_{place}" for place in ("inside", "outside") for score in _REGION_SCORES)
REGION_COLUMNS = ("image", "target", "encoder", "bytes", "bpp", "boxes", *_REGION_SCORE_COLUMNS)
_CAP_TYPES = {"image": str, "network": str, "cap": int, "bytes": int}
CAP_COLUMNS = ("image", "network", "mean_level", "cap", "level_reached", "bytes", "bpp", "psnr", "ms_ssim", "si_ssim")


def check_installed() -> None:
    """Errors: MissingExtraError without matplotlib, which draws the curves at the end."""
    if importlib.util.find_spec("matplotlib") is None:
        raise extras.missing("the study's curves need matplotlib", "benchmark")


# --- regions ----------------------------------------------------------------------------------------


def salient_boxes(saliency: Floats, n: int = N_BOXES, share: float = BOX_SHARE) -> list[PixelBox]:
    """x, y, width, height of up to `n` boxes with the most of the map in them, one after the other, none over another.

    None for a map of one value.
    """
    height, width = saliency.shape
    if saliency.min() == saliency.max():
        return []
    h, w = max(1, round(share * height)), max(1, round(share * width))
    total = cv2.integral(np.asarray(saliency, np.float64))
    sums = total[h:, w:] - total[:-h, w:] - total[h:, :-w] + total[:-h, :-w]
    boxes = []
    for _ in range(n):
        y, x = np.unravel_index(int(np.argmax(sums)), sums.shape)
        if not np.isfinite(sums[y, x]):
            break
        boxes.append((int(x), int(y), w, h))
        sums[max(0, y - h + 1) : y + h, max(0, x - w + 1) : x + w] = -np.inf
    return boxes


def region_scores(reference: Pixels, decoded: Pixels, boxes: Sequence[PixelBox]) -> dict[str, float]:
    """psnr, ssim and ms_ssim, `_inside`: means over the boxes; `_outside`: of what is in none of them."""
    outside = np.ones(reference.shape[:2], np.float32)
    found: dict[str, list[float]] = {score: [] for score in _REGION_SCORES}
    for x, y, w, h in boxes:
        outside[y : y + h, x : x + w] = 0
        parts = [np.ascontiguousarray(pixels[y : y + h, x : x + w]) for pixels in (reference, decoded)]
        scores = metrics.score(*parts)
        for score, value in zip(_REGION_SCORES, (scores.psnr_db, scores.ssim, scores.ms_ssim), strict=True):
            found[score].append(value)
    around = metrics.score(reference, decoded, outside)
    return {
        **{f"{score}_inside": float(np.mean(values)) for score, values in found.items()},
        "psnr_outside": float(around.weighted_psnr_db or 0),
        "ssim_outside": float(around.weighted_ssim or 0),
        "ms_ssim_outside": float(around.weighted_ms_ssim or 0),
    }


def region_rows(out: Path, subjects: Callable[[], Iterator[tuple[str, Subject]]], target: str) -> list[dict[str, Any]]:
    """A row for each file of a benchmark at a target, of pictures whose map says something. out: its folder."""
    files = [row for row in rows.read_rows(out / rows.FILE) if row["target"] == target and row["status"] == rows.OK]
    found = []
    for name, subject in subjects():
        boxes = salient_boxes(subject.saliency)
        for row in (row for row in files if row["image"] == name and boxes):
            scores = region_scores(subject.pixels, like(_decoded(out, row), subject.pixels), boxes)
            known = {column: row[column] for column in ("image", "target", "encoder", "bytes", "bpp")}
            found.append(known | {"boxes": " ".join(",".join(map(str, box)) for box in boxes)} | scores)
    return found


def _decoded(out: Path, row: rows.Row) -> Pixels:
    path = out / row["file"]
    encoder = ENCODERS[row["encoder"]]
    return read(decoded_place(path)).upright if encoder.keeps_pixels else encoder.decode(path.read_bytes())


# --- the cap on iterations --------------------------------------------------------------------------


def cap_rows(
    codec: Any,
    subjects: Iterator[tuple[str, Subject]],
    level: float,
    caps: Sequence[int],
    known: Sequence[Mapping[str, Any]],
) -> Iterator[dict[str, Any]]:
    """A row for each picture and cap: at most `cap` iterations a cell, `level` in the mean as far as the cap allows.

    codec: with `encode_levels`. known: rows of an earlier run, which are not made again. Pictures whose map is flat are
    left out, and caps over those of the network, which change nothing.
    """
    network = codec.network_sha256[:16]
    made = {(r["image"], r["network"], float(r["mean_level"]), int(r["cap"])): r for r in known}
    for name, subject in subjects:
        steering = subject.steering(codec.curve)
        if steering.is_flat:
            continue
        values = allocation.cell_sums(steering.followed())
        for cap in sorted({cap for cap in caps if cap <= allocation.MOST}):
            key = (name, network, float(level), cap)
            yield dict(made[key]) if key in made else _cap_row(codec, subject, values, key)


def _cap_row(
    codec: Any, subject: Subject, values: npt.NDArray[np.float64], key: tuple[str, str, float, int]
) -> dict[str, Any]:
    name, network, level, cap = key
    levels = np.zeros(values.shape, np.uint8)
    if cap:
        levels = allocation.allocate(values, min(level, cap), most=cap)
    data = codec.encode_levels(subject.pixels, levels)
    decoded = codec.decode(data)
    scores = metrics.score(subject.pixels, decoded)
    height, width = subject.pixels.shape[:2]
    return {
        "image": name,
        "network": network,
        "mean_level": level,
        "cap": cap,
        "level_reached": float(levels.mean()),
        "bytes": len(data),
        "bpp": 8 * len(data) / (width * height),
        "psnr": scores.psnr_db,
        "ms_ssim": scores.ms_ssim,
        "si_ssim": metrics.si_ssim(subject.pixels, decoded, subject.saliency),
    }


# --- what is written --------------------------------------------------------------------------------


def study(
    out: Path,
    entries: Sequence[Entry],
    codec: Any,
    *,
    target: str,
    level: float,
    caps: Sequence[int],
    n_cap_pictures: int,
    tell: Callable[[str], None] = lambda name: None,
) -> list[Table]:
    """Regions and caps of a finished benchmark, written into its folder `out`; returns all tables.

    target: at which regions are looked at. level, caps: mean level and caps of the second study, on so many pictures,
    evenly chosen. tell: told of each picture's name as its caps begin.
    """

    def subjects(chosen: Sequence[Entry]) -> Iterator[tuple[str, Subject]]:
        for entry in chosen:
            tell(entry.name)
            yield entry.name, entry.subject()

    regions = region_rows(out, lambda: subjects(entries), target)
    _write_csv(out / "regions.csv", REGION_COLUMNS, regions)
    n = min(n_cap_pictures, len(entries))
    chosen = [entries[place * len(entries) // n] for place in range(n)]
    found: list[dict[str, Any]] = []
    for row in cap_rows(codec, subjects(chosen), level, caps, _read_csv(out / "caps.csv", CAP_COLUMNS)):
        found.append({name: _CAP_TYPES.get(name, float)(value) for name, value in row.items()})
        _write_csv(out / "caps.csv", CAP_COLUMNS, found)
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    facts = {"regions": _region_means(regions), "caps": _cap_means(found), "cap_pictures": [e.name for e in chosen]}
    facts |= {"region_target": target, "cap_mean_level": level}
    put(out / "study.json", (json.dumps(facts, indent=1) + "\n").encode())
    tables = wang_2019.PROTOCOL.tables(rows.read_rows(out / rows.FILE), summary)
    tables += [_region_table(facts, target), _cap_table(facts, level, max(caps, default=0))]
    put(out / "tables.md", _markdown(summary, tables).encode())
    for name, draw in {"curves.svg": _draw_curves, "caps.svg": _draw_caps}.items():
        put(out / name, draw(summary, facts))
    return tables


def _region_means(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    means = []
    for encoder in dict.fromkeys(row["encoder"] for row in found):
        own = [row for row in found if row["encoder"] == encoder]
        columns = ("bpp", *_REGION_SCORE_COLUMNS)
        values = {column: round(float(np.mean([row[column] for row in own])), _DECIMALS) for column in columns}
        means.append({"encoder": encoder, "n": len(own), **values})
    return means


def _cap_means(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    means = []
    for cap in sorted({int(row["cap"]) for row in found}):
        own = [row for row in found if row["cap"] == cap]
        columns = ("level_reached", "bytes", "bpp", "psnr", "ms_ssim", "si_ssim")
        values = {column: round(float(np.mean([row[column] for row in own])), _DECIMALS) for column in columns}
        means.append({"cap": cap, "n": len(own), **values})
    return means


def _region_table(facts: dict[str, Any], target: str) -> Table:
    scores = (f"{score} {place}" for place in ("inside", "outside") for score in ("dB", "SSIM", "MS-SSIM"))
    columns = ("encoder", "n", "bpp", *scores)
    cells = [
        (
            mean["encoder"],
            str(mean["n"]),
            f"{mean['bpp']:.3f}",
            *(
                f"{mean[f'{score}_{place}']:.{2 if score == 'psnr' else 4}f}"
                for place in ("inside", "outside")
                for score in _REGION_SCORES
            ),
        )
        for mean in facts["regions"]
    ]
    share = f"{BOX_SHARE:g} of the sides"
    return Table(f"Inside the {N_BOXES} most salient boxes ({share}) and outside, {target}", columns, cells)


def _cap_table(facts: dict[str, Any], level: float, highest: int) -> Table:
    cells = [
        (
            f"{mean['cap']}" + (" (the paper's)" if mean["cap"] == PAPERS_CAP else ""),
            str(mean["n"]),
            f"{mean['level_reached']:.2f}",
            f"{mean['bytes']:,.0f}",
            f"{mean['psnr']:.2f}",
            f"{mean['ms_ssim']:.4f}",
            f"{mean['si_ssim']:.4f}",
        )
        for mean in facts["caps"]
    ]
    beyond = (
        f"; caps over {allocation.MOST}, where this network ends, change nothing" if highest > allocation.MOST else ""
    )
    title = f"At most so many iterations a cell, {level:g} in the mean as far as they allow, before coding{beyond}"
    return Table(title, ("cap", "n", "mean level", "bytes", "PSNR dB", "MS-SSIM", "SI-SSIM"), cells)


def _markdown(summary: dict[str, Any], tables: Sequence[Table]) -> str:
    parts = [
        f"`{summary['made']['command']}`, {summary['n_images']} pictures; weights of SI-SSIM: the map.\n",
        _TARGETS,
    ]
    for table in (table for table in tables if table.cells):
        lines = [table.columns, ("---",) * len(table.columns), *table.cells]
        parts.append(f"**{table.title}**\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n")
    parts += [f"{e['encoder']}: {e['status']} ({e['n']} rows): {e['message']}\n" for e in summary["statuses"]]
    return "\n".join(parts)


def _draw_curves(summary: dict[str, Any], facts: dict[str, Any]) -> bytes:
    """MS-SSIM and SI-SSIM against bits per pixel: means over the pictures, where an encoder reached them all."""
    panels = {"MS-SSIM": "ms_ssim", "SI-SSIM, weighted by the map": "si_ssim"}
    series: dict[str, dict[str, list[tuple[float, float]]]] = {title: {} for title in panels}
    for mean in summary["means"]:
        if mean["n"] == summary["n_images"] and mean["target"].startswith("K"):
            for title, column in panels.items():
                if column in mean:
                    series[title].setdefault(mean["encoder"], []).append((mean["bpp"], mean[column]))
    return _svg(series, "bits per pixel")


def _draw_caps(summary: dict[str, Any], facts: dict[str, Any]) -> bytes:
    title = f"mean level {facts['cap_mean_level']:g}, {len(facts['cap_pictures'])} pictures"
    names = {"SI-SSIM": "si_ssim", "MS-SSIM": "ms_ssim"}
    lines = {name: [(mean["cap"], mean[column]) for mean in facts["caps"]] for name, column in names.items()}
    return _svg({title: lines}, "most iterations a cell")


def _svg(series: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]], x_title: str) -> bytes:
    """A panel for each title, with its named lines. The same figures give the same bytes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5 * len(series), 4), layout="constrained")
    for panel, (title, lines) in zip(figure.subplots(1, len(series), squeeze=False)[0], series.items(), strict=True):
        for name, points in lines.items():
            panel.plot(*zip(*sorted(points), strict=True), marker="o", markersize=4, label=name)
        panel.set(title=title, xlabel=x_title)
        panel.grid(alpha=0.3)
        if lines:
            panel.legend()
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "msroi"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def _write_csv(path: Path, columns: Sequence[str], found: Sequence[Mapping[str, Any]]) -> None:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    for row in found:
        writer.writerow({name: round(v, _DECIMALS) if isinstance(v, float) else v for name, v in row.items()})
    put(path, stream.getvalue().encode())


def _read_csv(path: Path, columns: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of an earlier run; none where there is no such file, or one of other columns."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            return list(reader) if tuple(reader.fieldnames or ()) == tuple(columns) else []
    except FileNotFoundError:
        return []
