"""Make ordinary JPEG files that spend their bytes where people look.

By default each file has at most the bytes of plain JPEG at --quality with the same metadata.
Without -o or -d the result stands beside the input as NAME.msroi.jpg; the input is never replaced.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from msroi.cli.each import run_each
from msroi.cli.inputs import JPEG_SUFFIXES, STANDARD_STREAM, TO_STDOUT, Input, beside, expand, planned
from msroi.cli.output import Screen
from msroi.errors import OptionError

if TYPE_CHECKING:
    import numpy as np

    from msroi.pipeline import Report

SUFFIX = ".msroi.jpg"

EXAMPLES = """\
examples:
  msroi compress photo.jpg                         photo.msroi.jpg, the size of plain JPEG at quality 75
  msroi compress photo.png -o small.jpg --size 120k      the best file of at most 120,000 bytes
  msroi compress photo.png --match quality         the fewest bytes as good as plain JPEG
  msroi compress photos -d web --max-side 1600     a folder, with its structure, reduced
  msroi compress photo.jpg --focus 400,300,250,250 --save-overlay
  msroi compress - < photo.png > photo.jpg         in a pipe

A line a file: bytes before, of plain JPEG, and of ours (the whole file), what was reached, seconds. With
--json an object a line with everything known. Where the picture goes to standard output, lines and JSON go
to standard error. Status: 0 done (an original kept is done), 2 wrong usage, 3 an input cannot be read, 4 the target
cannot be reached, 5 an output cannot be written, 1 inputs failed in different ways.
"""

# Options handed on to msroi.compress under the same name.
_PASSED_ON = (
    "quality", "match", "size", "bpp", "method", "q_low", "q_high", "levels", "chroma", "tune", "guard",
    "baseline", "strip", "strip_gps", "srgb", "max_side", "min_savings", "force", "threads",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_inputs(parser)
    _add_targets(parser)
    _add_map(parser)
    _add_encoder(parser)
    _add_metadata(parser)
    output = files.add_output_options(parser, f"default: NAME{SUFFIX} beside the input")
    output.add_argument("--save-map", action="store_true", help="also write the map, NAME.map.png beside the output")
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
    add_running(parser, "one JSON object a line instead of the table")


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
    from msroi.jpeg import CODECS
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
        help="colour sampling; auto: 444 where 420 visibly harms coloured text and edges, else as keep; "
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
    flag("--strip", help="drop all metadata but the colour profile and the orientation")
    flag("--strip-gps", help="drop where the photo was taken: positions, names of places, and what may hide one")
    flag("--srgb", help="convert the colours to sRGB")
    group.add_argument(
        "--max-side",
        metavar="N",
        type=whole_number(1, 65_500),
        default=argparse.SUPPRESS,
        help="reduce the picture until its longer side has at most N pixels",
    )


def run(arguments: argparse.Namespace) -> int:
    output = files.single_output(arguments, JPEG_SUFFIXES, "a JPEG")
    _check(arguments, output)
    inputs, problems = expand(arguments.inputs, arguments.directory)
    outputs = planned(inputs, output, _place(arguments.directory))
    screen = Screen(arguments, data_on_stdout=output == STANDARD_STREAM)
    job = _Job(arguments, screen, outputs)
    status = run_each(inputs, problems, job.compress, screen)
    job.sum_up()
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
    from msroi.jpeg import CODECS
    from msroi.pipeline import DEFAULT_METHOD

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
    from msroi.jpeg import CODEC_OPTIONS, make_codec
    from msroi.pipeline import DEFAULT_METHOD, Request

    options = given(arguments, *_PASSED_ON)
    options.pop("threads", None)
    codec_options = {name: options[name] for name in CODEC_OPTIONS if name in options}
    options = {name: value for name, value in options.items() if name not in codec_options or name == "baseline"}
    Request(codec=make_codec(options.pop("method", DEFAULT_METHOD), codec_options), **options)


class _Job:
    """One run of the verb: what was asked, and the sums so far."""

    def __init__(self, arguments: argparse.Namespace, screen: Screen, outputs: dict[Input, Path]) -> None:
        self.arguments = arguments
        self.screen = screen
        self.outputs = outputs
        self.beside = arguments.output is None and arguments.directory is None
        self.options: dict[str, Any] = {
            **given(arguments, *_PASSED_ON),
            **map_of(arguments),
            "limits": limits_of(arguments),
        }
        self.inputs = files.inputs_on_disk(list(outputs))
        self.reports: list[Report] = []
        self.name_width = max((len(item.name) for item in outputs), default=4)

    def compress(self, item: Input) -> None:
        from msroi.pipeline import ALREADY_MADE, compress

        output = self.outputs[item]
        pictures = self._pictures_beside(output)
        if output != TO_STDOUT:
            for path in (output, *pictures.values()):
                files.check_free(path, self.arguments.overwrite, self.inputs)
        result = compress(item.open(), name=item.name, **self.options)
        if output == TO_STDOUT:
            self._write(output, result.data)
        elif item.path is not None and self.beside and result.report.reason == ALREADY_MADE:
            output = item.path  # a second copy beside it, a.msroi.msroi.jpg, would help nobody
        else:
            self._write(output, result.data)
            for kind, path in pictures.items():
                if result.saliency is not None:
                    self._write(path, _draw(kind, result.saliency, result.data))
        self._tell(item, output, result.report)

    def _write(self, path: Path, data: bytes) -> None:
        files.write_planned(self.arguments, path, data, self.inputs)

    def _pictures_beside(self, output: Path) -> dict[str, Path]:
        name = output.stem if output.suffix.lower() in JPEG_SUFFIXES else output.name
        name = name.removesuffix(".msroi")
        wanted = {"map": self.arguments.save_map, "overlay": self.arguments.save_overlay}
        return {kind: output.with_name(f"{name}.{kind}.png") for kind, asked in wanted.items() if asked}

    # --- what is told ---

    def _row(self, name: str, *figures: str) -> str:
        before, plain, ours, seconds = figures
        return f"{name:<{self.name_width}}  {before:>10}  {plain:>10}  {ours:>10}  {seconds:>7}"

    def _tell(self, item: Input, output: Path, report: Report) -> None:
        if not self.reports:
            self.screen.line(self._row("file", "before", "plain", "ours", "seconds") + "  reached")
        self.reports.append(report)
        row = self._row(
            item.name,
            "-" if report.source_bytes is None else f"{report.source_bytes:,}",
            f"{report.plain_bytes:,}",
            f"{report.output_bytes:,}",
            f"{report.seconds:.2f}",
        )
        told = what_was_reached(report)
        width = self.screen.width
        if width is not None and len(row) + 2 + len(told) > width:
            self.screen.line(row)
            self.screen.line(f"  {told}")
        else:
            self.screen.line(f"{row}  {told}")
        facts = report.as_dict()
        del facts["name"]  # the same as the input's
        self.screen.record({"input": item.name, "output": str(output), **facts})

    def sum_up(self) -> None:
        if len(self.reports) > 1:
            before = sum(report.source_bytes or 0 for report in self.reports)
            ours = sum(report.output_bytes for report in self.reports)
            plain = sum(report.plain_bytes for report in self.reports)
            seconds = sum(report.seconds for report in self.reports)
            name = f"{len(self.reports)} files"
            self.screen.line(self._row(name, f"{before:,}", f"{plain:,}", f"{ours:,}", f"{seconds:.2f}"))


def what_was_reached(report: Report) -> str:
    """What came out in words; why the original was kept; what should be known."""
    parts = [report.reached]
    if report.kept_original:
        parts.append(report.reason or "")
    else:
        if report.match == "size":
            share = 100 * report.coded_bytes / report.plain_bytes
            parts = [f"picture {report.coded_bytes:,} bytes, {share:.1f} % of plain"]
        if isinstance(report.setting, int):
            parts.append(f"Q {report.setting}")
    return "; ".join(part for part in (", ".join(parts[:2]), *report.notices) if part)


def _draw(kind: str, saliency: np.ndarray, jpeg: bytes) -> bytes:
    """The map, or the coded picture under it, as a PNG file."""
    from msroi.images import read
    from msroi.saliency.pictures import grey_map, overlay

    if kind == "map":
        return files.png(grey_map(saliency))

    picture = read(jpeg)
    return files.png(overlay(picture.upright, saliency), picture.metadata.icc_profile)
