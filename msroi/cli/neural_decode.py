"""Decode files of the neural codecs to pictures.

Without -o or -d the picture stands beside the file as NAME.decoded.png. Profile, EXIF and XMP that the file
holds are written into it; the pixels are upright and the EXIF says so.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from msroi.cli import files
from msroi.cli.arguments import add_limits, add_running, limits_of
from msroi.cli.each import run_each
from msroi.cli.neural_options import SUFFIX, add_weights, load_codec
from msroi.cli.output import Screen
from msroi.errors import OptionError, about
from msroi.work.inputs import STANDARD_STREAM, Input, expand
from msroi.work.outputs import TO_STDOUT, check_free, inputs_on_disk, named, planned

if TYPE_CHECKING:
    import numpy as np

    from msroi.codecs.neural import NeuralCodec
    from msroi.images import Limits

DECODED = ".decoded.png"

EXAMPLES = """\
examples:
  msroi neural decode photo.msn                    photo.decoded.png
  msroi neural decode photo.msn -o photo.tif       .png, .tif, .webp (without loss) or .bmp
  msroi neural decode coded -d pictures            all .msn in a folder, with its structure
  msroi neural decode part.msn --preview           what the beginning of a file tells
  msroi neural decode - < photo.msn > photo.png    in a pipe
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "inputs", nargs="+", metavar="FILE", help=f"coded files, and folders with {SUFFIX} in them; - is standard input"
    )
    add_weights(parser)
    parser.add_argument("--preview", action="store_true", help="take a file that is not whole: a coarser picture")
    parser.add_argument("--strip", action="store_true", help="write no metadata but the colour profile")
    files.add_output_options(parser, f"default: NAME{DECODED} beside the file")
    add_limits(parser)
    add_running(parser, "one JSON object a line", threads=False)


def run(arguments: argparse.Namespace) -> int:
    from msroi.codecs.neural.attached import FORMATS

    output = files.single_output(arguments, frozenset(FORMATS), f"one of {', '.join(FORMATS)}")
    if output not in (None, STANDARD_STREAM) and Path(str(output)).suffix.lower() not in FORMATS:
        raise OptionError(f"-o {output}: give the name one of the endings {', '.join(FORMATS)}")
    inputs, problems = expand(arguments.inputs, arguments.directory, suffixes=frozenset({SUFFIX}))
    outputs = planned(inputs, output, named(DECODED, arguments.directory))
    screen = Screen(arguments, data_on_stdout=output == STANDARD_STREAM)
    job = _Job(arguments, screen, outputs)
    return run_each(inputs, problems, job.decode, screen)


class _Job:
    """One run of the verb."""

    def __init__(self, arguments: argparse.Namespace, screen: Screen, outputs: dict[Input, Path]) -> None:
        self.arguments = arguments
        self.screen = screen
        self.outputs = outputs
        self.inputs = inputs_on_disk(list(outputs))
        self.codecs: dict[str, NeuralCodec] = {}

    def decode(self, item: Input) -> None:
        from msroi.codecs.neural import attached

        started = time.perf_counter()
        output = self.outputs[item]
        if output != TO_STDOUT:
            check_free(output, self.arguments.overwrite, self.inputs)
        limits = limits_of(self.arguments)
        data = item.read(limits.max_bytes)
        with about(item.name):
            pixels, metadata, part = self._decoded(data, limits)
        suffix = ".png" if output == TO_STDOUT else output.suffix
        file = attached.picture_file(pixels, metadata, suffix)
        files.write_planned(self.arguments, output, file, self.inputs)
        sizes = {"input_bytes": len(data), "output_bytes": len(file)}
        self._tell(item, output, sizes, pixels.shape, part, time.perf_counter() - started)

    def _decoded(self, data: bytes, limits: Limits) -> tuple[np.ndarray, dict[int, bytes], tuple[int, int]]:
        """Pixels, metadata, and how many of how many sections were there."""
        from msroi.codecs.neural import attached, container
        from msroi.codecs.neural.registry import codec_of

        header, sections = (container.read_prefix if self.arguments.preview else container.read)(data, limits)
        name = codec_of(data)
        if name not in self.codecs:
            self.codecs[name] = load_codec(name, self.arguments.weights)
        codec = self.codecs[name]
        pixels = (codec.preview if self.arguments.preview else codec.decode)(data, limits)
        metadata = attached.attached(sections)
        if self.arguments.strip:
            metadata = {kind: payload for kind, payload in metadata.items() if kind == container.ICC}
        return pixels, metadata, (len(sections), header.n_sections)

    def _tell(
        self,
        item: Input,
        output: Path,
        sizes: dict[str, int],
        shape: tuple[int, ...],
        part: tuple[int, int],
        seconds: float,
    ) -> None:
        where = "standard output" if output == TO_STDOUT else str(output)
        whole = "" if part[0] == part[1] else f", a preview: {part[0]} of {part[1]} sections"
        self.screen.line(f"{item.name}: {where}, {shape[1]} x {shape[0]}{whole}, {seconds:.2f} s")
        self.screen.record(
            {
                "input": item.name,
                "output": str(output),
                **sizes,
                "width": shape[1],
                "height": shape[0],
                "sections": part[0],
                "n_sections": part[1],
                "seconds": round(seconds, 3),
            }
        )
