"""Make ordinary JPEG files that spend their bytes where people look.

By default each file has at most the bytes of plain JPEG at --quality with the same metadata.
Without -o or -d the result stands beside the input as NAME.msroi.jpg; an input is replaced by --in-place alone.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msroi.cli import files
from msroi.cli.arguments import (
    add_inputs,
    add_limits,
    add_options,
    add_running,
    add_settings,
    fields_of,
    limits_of,
    whole_number,
)
from msroi.cli.each import run_several
from msroi.cli.output import Screen
from msroi.cli.photos import Photos
from msroi.errors import OptionError
from msroi.work.inputs import JPEG_SUFFIXES, PICTURE_SUFFIXES, STANDARD_STREAM, Input, expand
from msroi.work.outputs import beside, planned

if TYPE_CHECKING:
    from msroi.settings import Settings

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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_inputs(parser)
    add_settings(parser, "targets", "map", "encoder", "metadata")
    output = files.add_output_options(parser, f"default: NAME{SUFFIX} beside the input")
    _add_what_is_replaced(output)
    output.add_argument(
        "--save-map", action="store_true", help="also write the map that steered, NAME.map.png beside the output"
    )
    output.add_argument(
        "--save-overlay", action="store_true", help="also write picture and map as one, NAME.overlay.png"
    )
    add_options({"output": output})
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


def run(arguments: argparse.Namespace) -> int:
    from msroi.settings import Settings
    from msroi.work import Budget, keep_memory

    output = None if arguments.in_place else files.single_output(arguments, JPEG_SUFFIXES, "a JPEG")
    _check_in_place(arguments)
    if hasattr(arguments, "match") and (hasattr(arguments, "size") or hasattr(arguments, "bpp")):
        raise OptionError("--match goes with --quality; --size and --bpp are targets of their own")
    settings = Settings.of(**fields_of(arguments), limits=limits_of(arguments))
    _check_pictures(arguments, output, settings)
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
    screen = Screen(arguments, data_on_stdout=output == STANDARD_STREAM)
    photos = Photos(arguments, screen, outputs, settings, budget.n_threads, passed_over)
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


def _check_pictures(arguments: argparse.Namespace, output: str | None, settings: Settings) -> None:
    """Pictures of the map need a map, and a place to stand."""
    if not arguments.save_map and not arguments.save_overlay:
        return
    option = "--save-map" if arguments.save_map else "--save-overlay"
    if output == STANDARD_STREAM:
        raise OptionError(f"{option} stands beside the output and needs one with a name; use -o FILE")
    if not settings.codec.uses_map:
        raise OptionError(f"{option}: method {settings.codec.name} follows no map; use `msroi map`")
    if settings.map_kind == "none" and not settings.focus and settings.saliency is None:
        raise OptionError(f"{option}: with --map-kind none there is no map")


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
