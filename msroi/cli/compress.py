"""Make ordinary JPEG files that spend their bytes where people look.

By default each file has at most the bytes of plain JPEG at --quality with the same metadata.
Without -o or -d the result stands beside the input as NAME.msroi.jpg; an input is replaced by --in-place alone.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from msroi.cli import files
from msroi.cli.arguments import (
    add_budgets,
    add_inputs,
    add_limits,
    add_map_options,
    add_running,
    given,
    limits_of,
    map_of,
    percentage,
    whole_number,
)
from msroi.cli.each import run_several
from msroi.cli.output import Screen
from msroi.cli.photos import Photos
from msroi.errors import OptionError
from msroi.work.inputs import JPEG_SUFFIXES, PICTURE_SUFFIXES, STANDARD_STREAM, Input, expand
from msroi.work.outputs import beside, planned

SUFFIX = ".msroi.jpg"

EXAMPLES = """\
examples:
  msroi compress photo.jpg                         photo.msroi.jpg, the size of plain JPEG at quality 75
  msroi compress photo.png -o small.jpg --size 120k      the best file of at most 120,000 bytes
  msroi compress photo.png --match quality         the fewest bytes as good as plain JPEG
  msroi compress photos -d web --max-side 1600     a folder, with its structure, reduced
  msroi compress photo.jpg --focus 400,300,250,250 --save-overlay
  msroi compress shoot --in-place --backup .orig --size 500KB
  msroi compress - < photo.png > photo.jpg         in a pipe

A line a photo: before and after. --verbose tells what was aimed at and reached, --json everything, an object a line.
What is there already and is what would be made is left alone, so a second run takes no time; anything else that
stands where an output should go is an error without --overwrite. Where the picture goes to standard output, lines and
JSON go to standard error. Status: 0 done (an original kept is done), 2 wrong usage, 3 an input cannot be
read, 4 the target cannot be reached, 5 an output cannot be written, 1 inputs failed in different ways.
"""

# Options handed on to msroi.compress under the same name.
_PASSED_ON = (
    "quality", "match", "size", "bpp", "method", "q_low", "q_high", "levels", "chroma", "tune", "guard",
    "baseline", "strip", "strip_all", "strip_gps", "gain_map", "srgb", "max_side", "min_savings", "force", "threads",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_inputs(parser)
    _add_targets(parser)
    _add_map(parser)
    _add_encoder(parser)
    _add_metadata(parser)
    output = files.add_output_options(parser, f"default: NAME{SUFFIX} beside the input")
    _add_what_is_replaced(output)
    output.add_argument(
        "--save-map", action="store_true", help="also write the map that steered, NAME.map.png beside the output"
    )
    output.add_argument(
        "--save-overlay", action="store_true", help="also write picture and map as one, NAME.overlay.png"
    )
    output.add_argument(
        "--min-savings",
        metavar="PERCENT",
        type=percentage,
        default=argparse.SUPPRESS,
        help="keep a JPEG input as it is unless this much is saved (default 0: at least one byte)",
    )
    output.add_argument(
        "--force",
        action="store_true",
        default=argparse.SUPPRESS,
        help="write our encode even where it is larger than a JPEG input or it is our own file",
    )
    add_limits(parser)
    running = add_running(
        parser, "one JSON object a line, with everything that is known", threads="of all jobs together"
    )
    running.add_argument(
        "--verbose", action="store_true", help="also tell targets, figures, the guard, and seconds by stage"
    )
    running.add_argument(
        "--jobs",
        metavar="N",
        type=whole_number(1, 256),
        help="inputs to work on at a time (default: as many as there are threads, at most 8)",
    )


def _add_what_is_replaced(output: Any) -> None:
    """What is written where something stands already, and how it is dated."""
    output.add_argument(
        "--overwrite=older",
        dest="overwrite",
        action="store_const",
        const="older",
        help="replace outputs that are older than their inputs, and leave the others as they are",
    )
    output.add_argument(
        "--in-place",
        action="store_true",
        help="replace each input by its result, if that is smaller; JPEG files only, and no links",
    )
    output.add_argument(
        "--backup", metavar="SUFFIX", help="with --in-place: the input stays as NAME + SUFFIX, which must be free"
    )
    output.add_argument("--dry-run", action="store_true", help="do everything but write: tell what would come")
    output.add_argument(
        "--no-preserve",
        dest="preserve",
        action="store_false",
        help="today's date and the usual permissions for outputs, not those of their inputs",
    )


def _add_targets(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("targets")
    target = group.add_mutually_exclusive_group()
    target.add_argument(
        "--quality",
        metavar="Q",
        type=whole_number(1, 100),
        default=argparse.SUPPRESS,
        help="of the plain JPEG to measure up to, 1 to 100 (default 75)",
    )
    add_budgets(target)
    group.add_argument(
        "--match",
        choices=("size", "quality"),
        default=argparse.SUPPRESS,
        help="what is matched: plain JPEG's size, or its quality with the fewest bytes (default size)",
    )


def _add_map(parser: argparse.ArgumentParser) -> None:
    group = add_map_options(parser)
    add = partial(group.add_argument, default=argparse.SUPPRESS, metavar="N")
    add("--q-low", type=whole_number(1, 100), help="quality where the map is 0 (default 30)")
    add("--q-high", type=whole_number(1, 100), help="quality where the map is 1 (default 70)")
    add("--levels", type=whole_number(1, 256), help="steps between the two, two-pass only (default 5)")
    group.add_argument(
        "--no-guard",
        dest="guard",
        action="store_false",
        default=argparse.SUPPRESS,
        help="follow the map at full strength, whatever happens outside (method rdo)",
    )


def _add_encoder(parser: argparse.ArgumentParser) -> None:
    from msroi.codecs.jpeg import CODECS
    from msroi.pipeline import DEFAULT_METHOD

    group = parser.add_argument_group("encoder")
    group.add_argument(
        "--method",
        choices=list(CODECS),
        default=argparse.SUPPRESS,
        help=f"default {DEFAULT_METHOD}",
    )
    group.add_argument(
        "--chroma",
        choices=("keep", "auto", "420", "422", "444"),
        default=argparse.SUPPRESS,
        help="colour sampling; auto: the better of 420 and 444 on screens and drawings, elsewhere 444 where 420 "
        "visibly harms coloured text and edges, else as keep; "
        "two-pass and plain always have 420 (default keep: with method rdo that of a JPEG input, else 420)",
    )
    group.add_argument(
        "--tune",
        choices=("default", "psnr", "ssim"),
        default=argparse.SUPPRESS,
        help="what the encoder leans to (method rdo)",
    )
    flag = partial(group.add_argument, action="store_true", default=argparse.SUPPRESS)
    flag(
        "--baseline",
        help="sequential JPEG instead of progressive, for very old decoders; of a progressive input it may be larger",
    )


def _add_metadata(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("metadata and colour (kept as they are by default)")
    flag = partial(group.add_argument, action="store_true", default=argparse.SUPPRESS)
    flag("--strip", help="drop all metadata but artist, copyright, colour profile and orientation")
    flag("--strip-all", help="the same, artist and copyright too")
    flag("--strip-gps", help="drop where the photo was taken: positions, names of places, and what may hide one")
    group.add_argument(
        "--no-gain-map",
        dest="gain_map",
        action="store_false",
        default=argparse.SUPPRESS,
        help="drop the HDR gain map, which is pixels: --strip keeps it",
    )
    flag("--srgb", help="convert the colours to sRGB")
    group.add_argument(
        "--max-side",
        metavar="N",
        type=whole_number(1, 65_500),
        default=argparse.SUPPRESS,
        help="reduce the picture until its longer side has at most N pixels",
    )


def run(arguments: argparse.Namespace) -> int:
    from msroi.work import Budget, keep_memory

    output = None if arguments.in_place else files.single_output(arguments, JPEG_SUFFIXES, "a JPEG")
    _check(arguments, output)
    passed_over: list[Path] = []
    suffixes = JPEG_SUFFIXES if arguments.in_place else PICTURE_SUFFIXES
    inputs, problems = expand(arguments.inputs, arguments.directory, suffixes=suffixes, passed_over=passed_over)
    if arguments.in_place:
        outputs = {item: item.path for item in inputs if item.path is not None}
    else:
        outputs = planned(inputs, output, _place(arguments.directory))
    budget = Budget.of(len(inputs), arguments.jobs, getattr(arguments, "threads", None))
    budget.bound_process()
    if len(inputs) > 1:
        keep_memory()
    options = {
        **given(arguments, *_PASSED_ON),
        **map_of(arguments),
        "threads": budget.n_threads,
        "limits": limits_of(arguments),
    }
    screen = Screen(arguments, data_on_stdout=output == STANDARD_STREAM)
    photos = Photos(arguments, screen, outputs, options, passed_over)
    status = run_several(inputs, problems, photos.make, photos.finish, screen, budget.n_jobs)
    photos.sum_up()
    return status


def _place(folder: Path | None) -> Callable[[Input, bool], Path]:
    """NAME.msroi.jpg beside the input; under -d NAME.jpg, for a JPEG its own name."""

    def place(item: Input, with_suffix: bool) -> Path:
        if folder is None:
            return beside(item, SUFFIX, with_suffix=with_suffix)
        if item.relative.suffix.lower() in JPEG_SUFFIXES:
            return folder / item.relative
        return beside(item, ".jpg", with_suffix=with_suffix, folder=folder)

    return place


def _check(arguments: argparse.Namespace, output: str | None) -> None:
    """Combinations that make no sense, told before anything runs."""
    from msroi.codecs.jpeg import CODECS
    from msroi.pipeline import DEFAULT_METHOD

    _check_in_place(arguments)
    if hasattr(arguments, "match") and (hasattr(arguments, "size") or hasattr(arguments, "bpp")):
        raise OptionError("--match goes with --quality; --size and --bpp are targets of their own")
    if arguments.save_map or arguments.save_overlay:
        option = "--save-map" if arguments.save_map else "--save-overlay"
        if output == STANDARD_STREAM:
            raise OptionError(f"{option} stands beside the output and needs one with a name; use -o FILE")
        method = getattr(arguments, "method", DEFAULT_METHOD)
        if not CODECS[method].uses_map:
            raise OptionError(f"{option}: method {method} follows no map; use `msroi map`")
        if getattr(arguments, "map_kind", None) == "none" and not hasattr(arguments, "focus"):
            raise OptionError(f"{option}: with --map-kind none there is no map")
    _check_request(arguments)


def _check_request(arguments: argparse.Namespace) -> None:
    """What the library refuses whatever the picture, told once and not for every input."""
    from msroi.pipeline import asked

    options = {**given(arguments, *_PASSED_ON), **map_of(arguments)}
    # A map is read with each input: what is wrong with it is told in that input's line.
    asked({name: value for name, value in options.items() if name not in ("threads", "saliency")})


def _check_in_place(arguments: argparse.Namespace) -> None:
    """The one way in which an input is replaced goes with no other place for outputs."""
    backup: str | None = arguments.backup
    if not arguments.in_place:
        if backup is not None:
            raise OptionError("--backup goes with --in-place")
        return
    others = {"-o": arguments.output, "-d": arguments.directory, "--overwrite": arguments.overwrite or None}
    for option, value in others.items():
        if value is not None:
            raise OptionError(f"--in-place and {option} exclude each other")
    if STANDARD_STREAM in arguments.inputs:
        raise OptionError("--in-place: standard input is no file that could be replaced")
    if backup is not None and (not backup or "/" in backup or os.sep in backup):
        raise OptionError(f"--backup {backup!r}: give what is added to the names, like .orig")
