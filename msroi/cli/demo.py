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

from msroi.cli.arguments import add_running, whole_number
from msroi.cli.compare import score_file
from msroi.cli.output import Screen, as_json, render
from msroi.cli.pages import add_open, make_page, open_page
from msroi.cli.scores import Scored, own_weights, scales_note, tables
from msroi.cli.words import record as report_record
from msroi.errors import OptionError, OutputError, OutputExistsError
from msroi.work.outputs import check_free

if TYPE_CHECKING:
    import numpy as np

    from msroi.images import Picture
    from msroi.report.place import Place

DEFAULT_FOLDER = Path("msroi-demo")
PHOTO = Path(__file__).with_name("astronaut.webp")
"""Eileen Collins, 512 x 512, without loss, the pixels of scikit-image's `astronaut`; NASA, in the public domain."""
# Visible differences, and the middle one of the three qualities at which the paper measures.
DEFAULT_QUALITY = 50
PAGE = "index.html"
SCORES = "scores.json"
FILES = (
    "original.png", "plain.jpg", "msroi.jpg", "map.png", "heat.png", "overlay.png",
    PAGE, "scores.txt", SCORES,
)  # fmt: skip
MADE_BY = "msroi demo"
# Between eyes and teeth of the photo that comes along, (x, y) in pixels.
FACE = (224, 116)
# From this share of the error on, the page says that ours is better where it opens.
_WORTH_SAYING = 0.1
# What lies above the map's mean by this much is where people look.
_STANDS_OUT = 0.05

EXAMPLES = """\
examples:
  msroi demo                               a photo that comes with msroi
  msroi demo trial --image photo.jpg       one of yours
  msroi demo --quality 30 --open           smaller files, larger differences; the page in the browser
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    where = f"where to write (default {DEFAULT_FOLDER})"
    parser.add_argument("folder", metavar="DIR", nargs="?", type=Path, help=where)
    parser.add_argument("-d", "--directory", metavar="DIR", type=Path, help="the same, as the other verbs have it")
    parser.add_argument("--image", metavar="FILE", type=Path, help="a photo of yours")
    parser.add_argument(
        "--quality",
        metavar="Q",
        type=whole_number(1, 100),
        default=DEFAULT_QUALITY,
        help=f"of the plain JPEG, 1 to 100 (default {DEFAULT_QUALITY})",
    )
    add_open(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace files that no demo made")
    add_running(parser, "one JSON object: what was written, and the scores", threads=False)


def run(arguments: argparse.Namespace) -> int:
    from msroi.images import write_atomically

    start = time.perf_counter()
    folder = _folder(arguments)
    screen = Screen(arguments)
    never = [] if arguments.image is None else [arguments.image]
    _check_folder(folder, arguments.overwrite)
    for name in FILES:
        check_free(folder / name, overwrite=True, never=never)
    picture = _photo(arguments.image)
    made, record = make(picture, arguments.quality, FACE if arguments.image is None else None)
    for name, data in made.items():
        write_atomically(folder / name, data, overwrite=True, never=never, make_folder=True)
    for line in made["scores.txt"].decode().splitlines():
        screen.line(line)
    screen.line("")
    screen.line(f"{len(made)} files in {folder}, {time.perf_counter() - start:.1f} s. Look at {folder / PAGE}")
    screen.record({"output": str(folder), "outputs": {name: str(folder / name) for name in made}, **record})
    if arguments.open:
        open_page(folder / PAGE, screen)
    return 0


def _folder(arguments: argparse.Namespace) -> Path:
    named: list[Path] = [folder for folder in (arguments.folder, arguments.directory) if folder is not None]
    if len(named) > 1:
        raise OptionError(f"{named[0]} and -d {named[1]}: the demo writes into one folder; leave one out")
    return named[0] if named else DEFAULT_FOLDER


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
    return read(PHOTO.read_bytes(), name=PHOTO.stem)


def make(
    picture: Picture, quality: int, face: tuple[float, float] | None = None
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Everything that the demo writes, name -> bytes, and its record for JSON.

    face: where the page opens, (x, y) in pixels upright, if that is known to be a face; None: where ours gains most.
    """
    from msroi.comparison import make_weights
    from msroi.images import png_file, read
    from msroi.pipeline import compress
    from msroi.report.place import place_of_gain
    from msroi.saliency.pictures import grey_map, heat_map, overlay

    # Without metadata on both sides, so that the files' sizes are those of the pictures.
    options: Mapping[str, Any] = {"quality": quality, "strip_all": True, "gain_map": False, "force": True}
    plain = compress(picture, method="plain", **options)
    ours = compress(picture, **options)
    photo, report = picture.source.name, ours.report
    saliency, identity = make_weights(picture, None)
    weights = own_weights(saliency, identity, photo)
    pair = {"plain.jpg": plain.data, "msroi.jpg": ours.data}
    decoded = [read(data, name=name) for name, data in pair.items()]
    scored = [score_file(picture, one, weights) for one in decoded]
    place = place_of_gain(picture.upright, decoded[0].upright, decoded[1].upright, saliency, at=face)
    making = f"{report.method}; target: {report.target}; reached: {report.reached}"
    notes = [_verdict(*scored), *report.notices]
    profile = picture.metadata.icc_profile
    page = make_page(
        "msroi demo:",
        picture,
        scored,
        weights,
        notes,
        facts={"msroi.jpg": making},
        lead=_lead(scored[0], scored[1], place, saliency, is_face=face is not None),
        look_at=(place.x, place.y),
    )
    text = [f"msroi.jpg was made by {making}.", *notes, *weights.notes(), *scales_note(scored)]
    made = {
        "original.png": png_file(picture.upright, profile),
        **pair,
        "map.png": png_file(grey_map(saliency), smooth=True),
        "heat.png": png_file(heat_map(saliency), smooth=True),
        "overlay.png": png_file(overlay(picture.upright, saliency), profile),
        PAGE: page.encode(),
        "scores.txt": _as_text(scored, text).encode(),
    }
    scores = [item.as_dict() for item in scored]
    record = {"made_by": MADE_BY, "input": photo, "scores": scores, "report": report_record(report)}
    made[SCORES] = (as_json(record) + "\n").encode()
    return made, record


def _lead(plain: Scored, ours: Scored, place: Place, saliency: np.ndarray, *, is_face: bool) -> str:
    """What to look at and why, in one sentence that says no more than was measured."""
    smaller = 1 - ours.n_bytes / plain.n_bytes
    size = "Same size on disk" if abs(smaller) < 0.01 else f"Ours is {100 * smaller:.0f} % smaller on disk"
    size += f" (plain JPEG {plain.n_bytes:,} bytes, ours {ours.n_bytes:,})"
    if place.less_error < _WORTH_SAYING:
        where = "the eyes and the teeth" if is_face else "the middle of this view"
        return f"{size}: compare {where}, but at this quality the two are hard to tell apart there."
    less = f"({100 * place.less_error:.0f} % less error there)"
    # Where the map's part gains no more than the whole, bytes were saved rather than moved.
    moved = _gains(plain, ours)[1] > _gains(plain, ours)[0]
    if is_face:
        how = " with bytes that plain JPEG spends on the backdrop" if moved else ""
        return f"{size}: look at the eyes and the teeth, which ours keeps cleaner{how} {less}."
    first = moved and saliency[int(place.y), int(place.x)] > saliency.mean() + _STANDS_OUT
    why = " because people look there first" if first else ""
    return f"{size}: look at the middle of this view, where ours stays closer to your photo{why} {less}."


def _gains(plain: Scored, ours: Scored) -> tuple[float, float]:
    """What ours gains on plain in dB: over the whole picture, and weighted by the map."""
    before, after = plain.scores, ours.scores
    if before.mse == after.mse == 0:  # infinite on both sides
        return 0.0, 0.0
    return after.psnr_db - before.psnr_db, (after.weighted_psnr_db or 0) - (before.weighted_psnr_db or 0)


def _verdict(plain: Scored, ours: Scored) -> str:
    """Ours against plain in one sentence, win or lose."""
    share = 100 * (ours.n_bytes / plain.n_bytes - 1)
    psnr, weighted = _gains(plain, ours)
    size = f"{share:+.1f} % bytes" if abs(share) >= 0.05 else "equal bytes"
    return f"Against plain JPEG: {size}, {psnr:+.2f} dB, {weighted:+.2f} dB weighted by the map."


def _as_text(scored: list[Scored], notes: list[str]) -> str:
    blocks = ["\n".join(render(table, None)) for table in tables(scored, 100)]
    return "\n\n".join([*blocks, "\n".join(notes)]) + "\n"
