"""Write the saliency map of a picture: where people look, from 0 (black) to 1 (white).

The map is as large as the upright picture. Without -o or -d it stands beside the input as NAME.map.png.
Several forms may be asked for at once.
"""

from __future__ import annotations

import argparse
import io
import time
from pathlib import Path
from typing import TYPE_CHECKING

from msroi.cli import files
from msroi.cli.arguments import add_inputs, add_limits, add_map_options, add_running, limits_of, sources_of
from msroi.cli.each import run_each
from msroi.cli.output import Screen
from msroi.errors import OptionError
from msroi.threads import bound
from msroi.work.inputs import STANDARD_STREAM, Input, expand
from msroi.work.outputs import TO_STDOUT, check_free, inputs_on_disk, named, planned

if TYPE_CHECKING:
    import numpy as np

    from msroi.images import Picture
    from msroi.saliency.steering import Steering

EXAMPLES = """\
examples:
  msroi map photo.jpg                       photo.map.png, grey, 8 bit
  msroi map photo.jpg --heat --overlay      photo.heat.png and photo.overlay.png
  msroi map photo.jpg --npy -o map.npy      float32 (height, width), for NumPy
  msroi map photos -d maps --overlay        a folder
  msroi map photo.jpg --map mine.png --focus 400,300,250,250 --overlay     what compress would follow
"""

# form -> what the name of its file ends in
SUFFIXES = {"grey": ".map.png", "heat": ".heat.png", "overlay": ".overlay.png", "npy": ".map.npy"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_inputs(parser)
    group = parser.add_argument_group("forms")
    group.add_argument("--grey", action="store_true", help="grey picture, 8 bit (the default)")
    group.add_argument("--heat", action="store_true", help="in colours, blue to red")
    group.add_argument("--overlay", action="store_true", help="in colours over the picture")
    group.add_argument("--npy", action="store_true", help="the figures themselves, float32 in 0 to 1")
    add_map_options(parser)
    files.add_output_options(parser, "default: NAME.map.png beside the input")
    add_limits(parser)
    add_running(parser, "one JSON object a line: what was written, and figures of the map")


def run(arguments: argparse.Namespace) -> int:
    forms = [form for form in SUFFIXES if getattr(arguments, form)] or ["grey"]
    output = _single_output(arguments, forms)
    inputs, problems = expand(arguments.inputs, arguments.directory)
    outputs = {form: planned(inputs, output, named(SUFFIXES[form], arguments.directory)) for form in forms}
    if hasattr(arguments, "threads"):
        bound(arguments.threads)
    screen = Screen(arguments, data_on_stdout=output == STANDARD_STREAM)
    job = _Job(arguments, screen, inputs, outputs)
    return run_each(inputs, problems, job.draw, screen)


def _single_output(arguments: argparse.Namespace, forms: list[str]) -> str | None:
    suffixes, what = (frozenset({".npy"}), "an array of NumPy") if forms == ["npy"] else (frozenset({".png"}), "a PNG")
    output = files.single_output(arguments, suffixes, what)
    if output is not None and len(forms) > 1:
        raise OptionError(f"{' and '.join('--' + form for form in forms)} are several files; leave -o out or use -d")
    return output


class _Job:
    """One run of the verb."""

    def __init__(
        self,
        arguments: argparse.Namespace,
        screen: Screen,
        inputs: list[Input],
        outputs: dict[str, dict[Input, Path]],
    ) -> None:
        self.arguments = arguments
        self.screen = screen
        self.inputs = inputs
        self.outputs = outputs

    def draw(self, item: Input) -> None:
        from msroi.images import read
        from msroi.saliency.steering import steer

        start = time.perf_counter()
        paths = {form: places[item] for form, places in self.outputs.items()}
        to_stdout = TO_STDOUT in paths.values()
        if not to_stdout:
            for path in paths.values():
                check_free(path, self.arguments.overwrite, inputs_on_disk(self.inputs))
        picture = read(item.open(), name=item.name, limits=limits_of(self.arguments))
        steering = steer(sources_of(self.arguments), picture)
        saliency = steering.made()
        for form, path in paths.items():
            data = _encode(form, saliency, picture)
            files.write_planned(self.arguments, path, data, inputs_on_disk(self.inputs))
        self._tell(item, paths, steering, saliency, picture.notices, time.perf_counter() - start)

    def _tell(
        self,
        item: Input,
        paths: dict[str, Path],
        steering: Steering,
        saliency: np.ndarray,
        notices: tuple[str, ...],
        seconds: float,
    ) -> None:
        identity = steering.identity
        notices = (*notices, steering.notice) if steering.notice else notices
        height, width = saliency.shape
        where = ", ".join("standard output" if str(path) == STANDARD_STREAM else str(path) for path in paths.values())
        notes = "".join(f"; {notice}" for notice in notices)
        self.screen.line(f"{item.name}: {where}, {width} x {height}, {identity}, {seconds:.2f} s{notes}")
        self.screen.record(
            {
                "input": item.name,
                "outputs": {form: str(path) for form, path in paths.items()},
                "width": width,
                "height": height,
                "map": identity,
                "mean": float(saliency.mean()),
                "minimum": float(saliency.min()),
                "maximum": float(saliency.max()),
                "notices": list(notices),
                "seconds": round(seconds, 3),
            }
        )


def _encode(form: str, saliency: np.ndarray, picture: Picture) -> bytes:
    from msroi.images import png_file
    from msroi.saliency.pictures import grey_map, heat_map, overlay

    if form == "npy":
        import numpy as np

        file = io.BytesIO()
        np.save(file, saliency, allow_pickle=False)
        return file.getvalue()
    if form == "overlay":
        return png_file(overlay(picture.upright, saliency), picture.metadata.icc_profile)
    return png_file(heat_map(saliency) if form == "heat" else grey_map(saliency), smooth=True)
