"""Score files against a reference picture: MSE, PSNR, SSIM, MS-SSIM, and the same weighted by a map.

MSE and PSNR stand over R, G and B, SSIM and MS-SSIM on luma. The weights are the map of the reference,
by default msroi's own, which its encoder follows: such figures favour its files and are no verdict.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from msroi.cli.arguments import MAP_OPTIONS, add_limits, add_map_options, add_running, fields_of, limits_of
from msroi.cli.each import run_each
from msroi.cli.output import Screen
from msroi.cli.pages import add_open, make_page, open_page
from msroi.cli.scores import Scored, Weights, own_weights, scales_note, tell
from msroi.errors import ImageError, OptionError
from msroi.work.inputs import STANDARD_STREAM, Input, expand
from msroi.work.outputs import check_free, inputs_on_disk

if TYPE_CHECKING:
    from msroi.images import Picture

EXAMPLES = """\
examples:
  msroi compare photo.png photo.msroi.jpg other.jpg
  msroi compare photo.png *.jpg --html page.html --open      a page with a slider and a difference view, in the browser
  msroi compare photo.png a.jpg --map eyes.png         weighted by a map of your own
  msroi compare photo.png a.jpg --no-map --json        an object a line

PSNR of an identical picture is inf, null in JSON. Bytes are the whole file's, metadata included.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reference", metavar="REFERENCE", help="the original; - is standard input")
    parser.add_argument("files", metavar="FILE", nargs="+", help="what is compared with it, of the same size")
    group = add_map_options(parser, ("map_kind", "saliency", "focus"))
    group.add_argument("--no-map", action="store_true", help="no weighted columns")
    output = parser.add_argument_group("output")
    output.add_argument("--html", metavar="PAGE", type=Path, help="also write one self-contained page to look at")
    add_open(output)
    output.add_argument("--overwrite", action="store_true", help="replace an existing page")
    add_limits(parser)
    add_running(parser, "one JSON object a line, for each FILE", threads=False)


def run(arguments: argparse.Namespace) -> int:
    from msroi.images import read, write_atomically

    page: Path | None = arguments.html
    if arguments.open and page is None:
        raise OptionError("--open: there is no page to open; name one with --html PAGE")
    original = _only(arguments.reference)
    inputs, problems = _expand(arguments)
    never = inputs_on_disk([original, *inputs])
    if page is not None:
        check_free(page, arguments.overwrite, never)
    screen = Screen(arguments)
    limits = limits_of(arguments)
    reference = read(original.open(), name=original.name, limits=limits)
    weights = make_weights(reference, arguments)
    scored: list[Scored] = []
    notes = list(reference.notices)

    def score(item: Input) -> None:
        picture = read(item.open(), name=item.name, limits=limits)
        scored.append(score_file(reference, picture, weights))
        notes.extend(f"{item.name}: {notice}" for notice in picture.notices)
        screen.record({"reference": original.name, "map": weights.identity, **scored[-1].as_dict()})

    status = run_each(inputs, problems, score, screen)
    if not scored:
        return status
    width, height = reference.upright_size
    screen.line(f"reference {original.name}, {width} x {height} pixels")
    tell(scored, [*weights.notes(), *scales_note(scored), *notes], screen)
    if page is not None:
        html = make_page("Compared with", reference, scored, weights, notes)
        write_atomically(page, html.encode(), overwrite=arguments.overwrite, never=never)
        screen.line(f"page: {page}")
        if arguments.open:
            open_page(page, screen)
    return status


def _expand(arguments: argparse.Namespace) -> tuple[list[Input], list[tuple[str, ImageError]]]:
    if STANDARD_STREAM in arguments.files:
        raise OptionError("-: standard input can be the reference, not a file that is compared")
    return expand(arguments.files, include_ours=True)


def _only(word: str) -> Input:
    inputs, problems = expand([word])
    if problems:
        raise problems[0][1]
    if Path(word).is_dir():
        raise ImageError(f"{word}: is a folder; the reference is one picture")
    return inputs[0]


def make_weights(reference: Picture, arguments: argparse.Namespace) -> Weights:
    """The map of the reference that the options ask for."""
    from msroi import comparison

    options = fields_of(arguments, *MAP_OPTIONS)
    if arguments.no_map and options:
        raise OptionError("--no-map and a map exclude each other")
    if arguments.no_map or (options.get("map_kind") == "none" and "focus" not in options):
        return Weights()
    saliency, identity = comparison.make_weights(
        reference,
        options.get("saliency"),
        kind=options.get("map_kind", "ms-roi"),
        focus=options.get("focus", ()),
    )
    boxes = ["the boxes of --focus"] if "focus" in options else []
    if "saliency" in options:
        return Weights(saliency, identity, " and ".join([f"the map {Path(options['saliency']).name}", *boxes]))
    if options.get("map_kind") == "none":
        return Weights(saliency, identity, boxes[0])
    own = own_weights(saliency, identity, reference.source.name)
    return replace(own, name=" and ".join([own.name, *boxes]))


def score_file(reference: Picture, picture: Picture, weights: Weights) -> Scored:
    """The scores of a picture that came from a file."""
    from msroi.comparison import score_pictures

    width, height = picture.upright_size
    scores = score_pictures(reference, picture, weights.saliency)
    assert picture.source.data is not None
    return Scored(picture.source.name, picture.source.data, width * height, scores)
