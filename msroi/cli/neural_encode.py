"""Code pictures with a neural network, the bytes where people look.

A file has the mean level of iterations asked for, or is the largest found of at most so many bytes, metadata
included. Without -o or -d it stands beside the input as NAME.msn; the input is never replaced.
"""

from __future__ import annotations

import argparse
import time
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
    hints_of,
    limits_of,
    positive_number,
)
from msroi.cli.each import run_each
from msroi.cli.neural_options import SUFFIX, add_weights, load_codec
from msroi.cli.output import Screen
from msroi.work.inputs import STANDARD_STREAM, Input, expand
from msroi.work.outputs import TO_STDOUT, check_free, inputs_on_disk, named, planned

if TYPE_CHECKING:
    from msroi.codecs.neural import NeuralCodec
    from msroi.codecs.neural.coding import Encoded

DEFAULT_LEVEL = 6.0

EXAMPLES = """\
examples:
  msroi neural encode photo.png                    photo.msn, 6 iterations in the mean: about .75 bits per pixel
  msroi neural encode photo.png --size 12k -o small.msn
  msroi neural encode photos -d out --bpp 0.25     a folder, with its structure
  msroi neural encode photo.png --map-kind none    the same iterations everywhere
  msroi neural encode - < photo.png > photo.msn    in a pipe

A line a file: bytes before and coded, bits per pixel, mean level of iterations, seconds. Where the file goes to
standard output, lines and JSON go to standard error.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from msroi.codecs.neural.contract import CODECS

    add_inputs(parser)
    group = parser.add_argument_group("targets")
    group.add_argument("--codec", choices=list(CODECS), default="recurrent", help="default recurrent")
    target = group.add_mutually_exclusive_group()
    target.add_argument(
        "--level",
        metavar="K",
        type=positive_number,
        default=argparse.SUPPRESS,
        help=f"mean number of iterations, 1 to 24, of 1/8 bit per pixel each before coding (default {DEFAULT_LEVEL:g})",
    )
    add_budgets(target)
    add_weights(group)
    add_map_options(parser)
    parser.add_argument_group("metadata (profile, EXIF and XMP are kept by default)").add_argument(
        "--strip", action="store_true", help="drop all metadata but artist, copyright and the colour profile"
    )
    files.add_output_options(parser, f"default: NAME{SUFFIX} beside the input")
    add_limits(parser)
    add_running(parser, "one JSON object a line instead of the table", threads=False)


def run(arguments: argparse.Namespace) -> int:
    from msroi.codecs.neural import Rate

    output = files.single_output(arguments, frozenset({SUFFIX}), "a neural codec's file")
    options = given(arguments, "level", "bpp") | ({"n_bytes": arguments.size} if hasattr(arguments, "size") else {})
    rate = Rate(**options or {"level": DEFAULT_LEVEL})
    inputs, problems = expand(arguments.inputs, arguments.directory)
    outputs = planned(inputs, output, named(SUFFIX, arguments.directory))
    screen = Screen(arguments, data_on_stdout=output == STANDARD_STREAM, slow=True)
    codec = load_codec(arguments.codec, arguments.weights)
    job = _Job(arguments, screen, outputs, codec, rate)
    return run_each(inputs, problems, job.encode, screen)


class _Job:
    """One run of the verb."""

    def __init__(
        self,
        arguments: argparse.Namespace,
        screen: Screen,
        outputs: dict[Input, Path],
        codec: NeuralCodec,
        rate: Any,
    ) -> None:
        self.arguments = arguments
        self.screen = screen
        self.outputs = outputs
        self.codec = codec
        self.rate = rate
        self.hints = hints_of(arguments)
        self.inputs = inputs_on_disk(list(outputs))
        self.name_width = max((len(item.name) for item in outputs), default=4)
        self.n_told = 0

    def encode(self, item: Input) -> None:
        from msroi.codecs.neural.coding import encode
        from msroi.images import read

        started = time.perf_counter()
        output = self.outputs[item]
        if output != TO_STDOUT:
            check_free(output, self.arguments.overwrite, self.inputs)
        picture = read(item.open(), name=item.name, limits=limits_of(self.arguments))
        made = encode(
            self.codec, picture, self.hints, self.rate, strip=self.arguments.strip, progress=self.screen.advance
        )
        files.write_planned(self.arguments, output, made.data, self.inputs)
        before = None if picture.source.data is None else len(picture.source.data)
        self._tell(item, output, before, made, time.perf_counter() - started)

    def _tell(self, item: Input, output: Path, before: int | None, made: Encoded, seconds: float) -> None:
        from msroi.codecs.neural.facts import file_facts

        facts = file_facts(made.data, self.arguments.weights)
        if not self.n_told:
            self.screen.line(self._row("file", "before", "coded", "bpp", "level", "seconds"))
        self.n_told += 1
        row = self._row(
            item.name,
            "-" if before is None else f"{before:,}",
            f"{len(made.data):,}",
            f"{facts['bits_per_pixel']:.4f}",
            f"{facts['mean_level']:.2f}",
            f"{seconds:.2f}",
        )
        self.screen.line("; ".join((row, *made.notices)))
        names = ("codec", "width", "height", "bits_per_pixel", "mean_level", "network")
        self.screen.record(
            {
                "input": item.name,
                "output": str(output),
                "input_bytes": before,
                "output_bytes": len(made.data),
                **{name: facts[name] for name in names},
                "metadata_bytes": sum(s["n_bytes"] for s in facts["sections"] if s["kind"] >= 16),
                "map": made.map_identity or None,
                "notices": list(made.notices),
                "seconds": round(seconds, 3),
            }
        )

    def _row(self, name: str, *figures: str) -> str:
        before, coded, bpp, level, seconds = figures
        return f"{name:<{self.name_width}}  {before:>10}  {coded:>10}  {bpp:>7}  {level:>5}  {seconds:>7}"
