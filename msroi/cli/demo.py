"""Try it: a photo in, everything out, one page to look at.

Writes the photo, plain JPEG, our JPEG of at most the same bytes, the map in three forms, the scores and
index.html, a self-contained page with a before/after slider, into a folder (default msroi-demo).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msroi.cli import files
from msroi.cli.arguments import add_running, whole_number
from msroi.cli.compare import score_file
from msroi.cli.output import Screen, as_json, render
from msroi.cli.scores import Scored, make_page, own_weights, scales_note, tables
from msroi.errors import MissingExtraError, OutputError, OutputExistsError

if TYPE_CHECKING:
    from msroi.images import Picture

DEFAULT_FOLDER = Path("msroi-demo")
# Visible differences, and the middle one of the three qualities at which the paper measures.
DEFAULT_QUALITY = 50
SCORES = "scores.json"
FILES = (
    "original.png", "plain.jpg", "msroi.jpg", "map.png", "heat.png", "overlay.png",
    "index.html", "scores.txt", SCORES,
)  # fmt: skip
MADE_BY = "msroi demo"

EXAMPLES = """\
examples:
  msroi demo                               a photo that comes with scikit-image
  msroi demo trial --image photo.jpg       one of yours
  msroi demo --quality 30                  smaller files, larger differences
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", nargs="?", type=Path, default=DEFAULT_FOLDER, help="where to write")
    parser.add_argument("--image", metavar="FILE", type=Path, help="a photo of yours")
    parser.add_argument(
        "--quality",
        metavar="Q",
        type=whole_number(1, 100),
        default=DEFAULT_QUALITY,
        help=f"of the plain JPEG, 1 to 100 (default {DEFAULT_QUALITY})",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that no demo made")
    add_running(parser, "one JSON object: what was written, and the scores", threads=False)


def run(arguments: argparse.Namespace) -> int:
    start = time.perf_counter()
    folder: Path = arguments.folder
    screen = Screen(arguments)
    never = [] if arguments.image is None else [arguments.image]
    _check_folder(folder, arguments.overwrite)
    for name in FILES:
        files.check_free(folder / name, overwrite=True, never=never)
    picture = _photo(arguments.image)
    made, record = make(picture, arguments.quality)
    for name, data in made.items():
        files.write(folder / name, data, overwrite=True, never=never, make_folder=True)
    for line in made["scores.txt"].decode().splitlines():
        screen.line(line)
    screen.line("")
    screen.line(f"{len(made)} files in {folder}, {time.perf_counter() - start:.1f} s. Look at {folder / 'index.html'}")
    screen.record({"folder": str(folder), "files": list(made), **record})
    return 0


def _check_folder(folder: Path, overwrite: bool) -> None:
    """A demo replaces what a demo wrote, known by its scores, and other files only when told to."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: is a file; the demo wants a folder")
    if overwrite or not folder.is_dir() or _made_here(folder):
        return
    present = sorted(name for name in FILES if (folder / name).exists())
    if present:
        path = folder / present[0]
        raise OutputExistsError(f"{path}: exists and no demo made it; name another folder or use --overwrite")


def _made_here(folder: Path) -> bool:
    try:
        scores = json.loads((folder / SCORES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(scores, dict) and scores.get("made_by") == MADE_BY


def _photo(path: Path | None) -> Picture:
    from msroi.images import read

    if path is not None:
        return read(path)
    try:
        from skimage import data
    except ImportError as error:
        raise MissingExtraError(
            "demo: its photo comes with scikit-image, which is not installed; pip install scikit-image, "
            "or give a photo with --image"
        ) from error
    return read(data.astronaut(), name="astronaut")


def make(picture: Picture, quality: int) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Everything that the demo writes, name -> bytes, and its record for JSON."""
    from msroi.images import read
    from msroi.pipeline import compress
    from msroi.saliency.pictures import grey_map, heat_map, overlay

    # Without metadata on both sides, so that the files' sizes are those of the pictures.
    options: Mapping[str, Any] = {"quality": quality, "strip": True, "force": True}
    plain = compress(picture, method="plain", **options)
    ours = compress(picture, **options)
    saliency = ours.saliency
    assert saliency is not None
    photo, report = picture.source.name, ours.report
    weights = own_weights(saliency, report.map_identity, photo)
    pair = {"plain.jpg": plain.data, "msroi.jpg": ours.data}
    scored = [score_file(picture, read(data, name=name), weights) for name, data in pair.items()]
    notes = [
        f"msroi.jpg was made by {report.method}; target: {report.target}; reached: {report.reached}.",
        _verdict(*scored),
        *report.notices,
    ]
    profile = picture.metadata.icc_profile
    made = {
        "original.png": files.png(picture.upright, profile),
        **pair,
        "map.png": files.png(grey_map(saliency)),
        "heat.png": files.png(heat_map(saliency)),
        "overlay.png": files.png(overlay(picture.upright, saliency), profile),
        "index.html": make_page(f"msroi demo: {photo}", picture, scored, weights, notes).encode(),
        "scores.txt": _as_text(scored, [*notes, *weights.notes(), *scales_note(scored)]).encode(),
    }
    scores = [item.as_dict() for item in scored]
    record = {"made_by": MADE_BY, "photo": photo, "scores": scores, "report": report.as_dict()}
    made[SCORES] = (as_json(record) + "\n").encode()
    return made, record


def _verdict(plain: Scored, ours: Scored) -> str:
    """Ours against plain in one sentence, win or lose."""
    share = 100 * (ours.n_bytes / plain.n_bytes - 1)
    psnr = ours.scores.psnr_db - plain.scores.psnr_db
    weighted = (ours.scores.weighted_psnr_db or 0) - (plain.scores.weighted_psnr_db or 0)
    return f"Against plain JPEG: {share:+.1f} % bytes, {psnr:+.2f} dB, {weighted:+.2f} dB weighted by the map."


def _as_text(scored: list[Scored], notes: list[str]) -> str:
    blocks = ["\n".join(render(table, None)) for table in tables(scored, 100)]
    return "\n\n".join([*blocks, "\n".join(notes)]) + "\n"
