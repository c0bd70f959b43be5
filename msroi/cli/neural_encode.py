"""Code pictures with a neural network, the bytes where people look.

A file has the setting of its codec's knob that is asked for (of the recurrent codec the mean number of iterations), or
is the largest found of at most so many bytes, metadata included. Without -o or -d it stands beside the input as
NAME.msn; the input is never replaced.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from msroi.cli import files
from msroi.cli.arguments import (
    add_budgets,
    add_inputs,
    add_limits,
    add_map_options,
    add_running,
    given,
    limits_of,
    positive_number,
    sources_of,
)
from msroi.cli.each import run_each
from msroi.cli.neural_options import SUFFIX, add_weights, load_codec
from msroi.cli.output import Screen
from msroi.errors import OptionError
from msroi.work.inputs import STANDARD_STREAM, Input, expand
from msroi.work.outputs import TO_STDOUT, check_free, inputs_on_disk, named, planned

if TYPE_CHECKING:
    from msroi.codecs.neural import NeuralCodec, Rate
    from msroi.codecs.neural.coding import Encoded

EXAMPLES = """\
examples:
  msroi neural encode photo.png                    photo.msn, 6 iterations in the mean: about .75 bits per pixel
  msroi neural encode photo.png --size 12k -o small.msn
  msroi neural encode photos -d out --bpp 0.25     a folder, with its structure
  msroi neural encode photo.png --map-kind none    the same iterations everywhere
  msroi neural encode - < photo.png > photo.msn    in a pipe

A line a file: bytes before and coded, bits per pixel, the setting of the codec's knob, seconds. Where the file goes to
standard output, lines and JSON go to standard error.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from msroi.codecs.neural.registry import CODECS, DEFAULT

    add_inputs(parser)
    group = parser.add_argument_group("targets")
    group.add_argument("--codec", choices=list(CODECS), default=DEFAULT, help=f"default {DEFAULT}")
    target = group.add_mutually_exclusive_group()
    for knob, line in _knobs().items():
        target.add_argument(f"--{knob}", metavar="X", type=positive_number, default=argparse.SUPPRESS, help=line)
    add_budgets(target)
    add_weights(group)
    add_map_options(parser)
    parser.add_argument_group("metadata (profile, EXIF and XMP are kept by default)").add_argument(
        "--strip", action="store_true", help="drop all metadata but artist, copyright and the colour profile"
    )
    files.add_output_options(parser, f"default: NAME{SUFFIX} beside the input")
    add_limits(parser)
    add_running(parser, "one JSON object a line instead of the table", threads=False)


def _knobs() -> dict[str, str]:
    """The knobs of all codecs by name, and what help says of them."""
    from msroi.codecs.neural.registry import CODECS, find

    lines: dict[str, list[str]] = {}
    for name in CODECS:
        codec = find(name)
        line = f"of the codec {name}: {codec.knob_help} (default {codec.default:g})"
        lines.setdefault(codec.knob.name, []).append(line)
    return {knob: "; ".join(found) for knob, found in lines.items()}


def _target(arguments: argparse.Namespace) -> Rate | float | None:
    """What is asked for: a rate, or a setting of the chosen codec's knob. Errors: OptionError."""
    from msroi.codecs.neural import Rate
    from msroi.codecs.neural.contract import checked
    from msroi.codecs.neural.registry import find

    if hasattr(arguments, "size"):
        return Rate(n_bytes=arguments.size)
    if hasattr(arguments, "bpp"):
        return Rate(bpp=arguments.bpp)
    own = find(arguments.codec).knob
    for knob in given(arguments, *_knobs()):
        if knob != own.name:
            raise OptionError(f"--{knob}: not of the codec {arguments.codec}; its knob is --{own.name}")
    setting: float | None = getattr(arguments, own.name, None)
    return None if setting is None else checked(own, setting)


def run(arguments: argparse.Namespace) -> int:
    output = files.single_output(arguments, frozenset({SUFFIX}), "a neural codec's file")
    target = _target(arguments)
    inputs, problems = expand(arguments.inputs, arguments.directory)
    outputs = planned(inputs, output, named(SUFFIX, arguments.directory))
    screen = Screen(arguments, data_on_stdout=output == STANDARD_STREAM, slow=True)
    codec = load_codec(arguments.codec, arguments.weights)
    job = _Job(arguments, screen, outputs, codec, target)
    return run_each(inputs, problems, job.encode, screen)


class _Job:
    """One run of the verb."""

    def __init__(
        self,
        arguments: argparse.Namespace,
        screen: Screen,
        outputs: dict[Input, Path],
        codec: NeuralCodec,
        target: Rate | float | None,
    ) -> None:
        self.arguments = arguments
        self.screen = screen
        self.outputs = outputs
        self.codec = codec
        self.target = target
        self.sources = sources_of(arguments)
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
            self.codec, picture, self.sources, self.target, strip=self.arguments.strip, progress=self.screen.advance
        )
        files.write_planned(self.arguments, output, made.data, self.inputs)
        before = None if picture.source.data is None else len(picture.source.data)
        self._tell(item, output, before, made, time.perf_counter() - started)

    def _tell(self, item: Input, output: Path, before: int | None, made: Encoded, seconds: float) -> None:
        facts = self.codec.facts(made.data)
        knob = self.codec.knob.name
        if not self.n_told:
            self.screen.line(self._row("file", "before", "coded", "bpp", knob, "seconds"))
        self.n_told += 1
        row = self._row(
            item.name,
            "-" if before is None else f"{before:,}",
            f"{len(made.data):,}",
            f"{facts['bits_per_pixel']:.4f}",
            f"{made.setting:.2f}",
            f"{seconds:.2f}",
        )
        self.screen.line("; ".join((row, *made.notices)))
        names = ("codec", "width", "height", "bits_per_pixel", "network")
        self.screen.record(
            {
                "input": item.name,
                "output": str(output),
                "input_bytes": before,
                "output_bytes": len(made.data),
                **{name: facts[name] for name in names},
                knob: made.setting,
                "metadata_bytes": sum(s["n_bytes"] for s in facts["sections"] if s["kind"] >= 16),
                "map": made.map_identity or None,
                "notices": list(made.notices),
                "seconds": round(seconds, 3),
            }
        )

    def _row(self, name: str, *figures: str) -> str:
        before, coded, bpp, setting, seconds = figures
        setting = f"{setting:>{len(self.codec.knob.name)}}"
        return f"{name:<{self.name_width}}  {before:>10}  {coded:>10}  {bpp:>7}  {setting}  {seconds:>7}"
