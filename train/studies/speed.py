"""How fast the encoder is and how much memory it takes, beside jpegli and mozjpeg in the same run.

    python -m train.studies.speed PHOTO [--quality 50] [--threads 2] [--runs 5]

PHOTO: a file of 12 or 13 megapixels, JPEG or not. Printed are: seconds and peak memory of the whole command from
process start, map and search included; megapixels a second at a fixed setting, from pixels to file, without a
search (with what `near` prepares, and without); and milliseconds a megapixel on one thread of jpegli (distance 1.9,
4:2:0), mozjpeg (libvips' settings as in msroi/benchmark/peers/mozjpeg.py, quality 60) and ours, with ratios. Medians of
`runs`; encoders take turns, so that all see the same machine. Beside other work look at processor time. Needs
pyvips[binary] and ajpegli.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

os.environ.setdefault("VIPS_CONCURRENCY", "1")  # read when libvips is loaded

from msroi.arrays import Pixels
from msroi.codecs.jpeg import plain
from msroi.codecs.jpeg.rdo.session import RdoSession
from msroi.codecs.jpeg.rdo.tables import PRESETS
from msroi.errors import OptionError
from msroi.images import read
from msroi.search.landing import land_within
from msroi.threads import bound
from train.common import command

JPEGLI_DISTANCE, MOZJPEG_QUALITY = 1.9, 60


def whole_command(photo: Path, quality: int, threads: int, runs: int) -> list[tuple[float, float, float]]:
    """(wall seconds, processor seconds, peak megabytes) of runs of `msroi compress`."""
    measured = []
    with tempfile.TemporaryDirectory() as folder:
        options = ["--quality", str(quality), "--threads", str(threads), "--overwrite", "-o", f"{folder}/out.jpg"]
        for _ in range(runs):
            started = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, "-m", "msroi", "compress", str(photo), *options], stdout=subprocess.DEVNULL
            )
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - started
            if status:
                raise OptionError(f"msroi compress {photo}: status {os.waitstatus_to_exitcode(status)}")
            process.returncode = 0
            measured.append((wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024))
    return measured


def in_turns(encoders: dict[str, Callable[[], Any]], runs: int) -> dict[str, tuple[float, float]]:
    """Median (wall, processor) seconds of each, after one run that does not count."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in encoders}
    for run in range(runs + 1):
        for name, encode in encoders.items():
            wall, processor = time.perf_counter(), time.process_time()
            encode()
            took = time.perf_counter() - wall, time.process_time() - processor
            if run:
                times[name].append(took)
    return {name: _medians(values) for name, values in times.items()}


def peers(pixels: Pixels) -> dict[str, Callable[[], Any]]:
    """jpegli and mozjpeg at a fixed setting."""
    import ajpegli
    import pyvips

    image = pyvips.Image.new_from_array(pixels)
    mozjpeg = {
        "optimize_coding": True,
        "interlace": True,
        "trellis_quant": True,
        "overshoot_deringing": True,
        "optimize_scans": True,
        "quant_table": 3,
        "subsample_mode": "on",
        "keep": "none",
    }
    return {
        "jpegli": lambda: ajpegli.encode(pixels, distance=JPEGLI_DISTANCE, subsampling="420"),
        "mozjpeg": lambda: image.jpegsave_buffer(Q=MOZJPEG_QUALITY, **mozjpeg),
    }


def ours(pixels: Pixels, setting: float, threads: int) -> Callable[[], bytes]:
    """From pixels to file at a fixed setting."""
    return lambda: RdoSession.of(pixels, PRESETS["default"], threads=threads).encode(setting)


def ours_prepared(pixels: Pixels, setting: float, threads: int) -> Callable[[], bytes]:
    """The same with weights that know what a first encode lost."""
    return lambda: RdoSession.of(pixels, PRESETS["default"], threads=threads).near(setting).encode(setting)


def _medians(values: list[Any]) -> Any:
    return tuple(statistics.median(column) for column in zip(*values, strict=True))


def main(argv: list[str] | None = None) -> int:
    """See the module's docstring."""
    return command.run(_arguments(), work, argv)


def work(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    quality, threads, runs = arguments.quality, arguments.threads, arguments.runs

    pixels = read(arguments.photo).pixels
    if pixels.ndim == 2:
        raise OptionError(f"{arguments.photo}: grey; peers are measured on colour")
    megapixels = pixels.shape[0] * pixels.shape[1] / 1e6
    versions = {name: metadata.version(name) for name in ("pyvips-binary", "ajpegli")}
    print(f"{arguments.photo.name}: {megapixels:.1f} megapixels, load {os.getloadavg()[0]:.1f} before, {versions}")

    wall, processor, peak = _medians(whole_command(arguments.photo, quality, threads, runs))
    print(
        f"msroi compress --quality {quality}, {threads} threads: {wall:.2f} s, {processor:.2f} s of processor time, "
        f"peak {peak:.0f} MB, {(peak - 350) / megapixels:.1f} bytes a pixel above 350 MB"
    )
    search = RdoSession.of(pixels, PRESETS["default"], threads=threads)
    setting = land_within(search, 0.0, 1.0, len(plain.encode(pixels, quality))).setting
    _tell_fixed(pixels, setting, threads, runs, megapixels)
    _tell_single(pixels, setting, runs, megapixels)


def _tell_fixed(pixels: Pixels, setting: float, threads: int, runs: int, megapixels: float) -> None:
    bound(threads)
    fixed = {"encode": ours(pixels, setting, threads), "near and encode": ours_prepared(pixels, setting, threads)}
    for name, (wall, processor) in in_turns(fixed, runs).items():
        print(
            f"pixels to file at a fixed setting, {name}, {threads} threads: {megapixels / wall:.1f} megapixels "
            f"a second, {1000 * processor / megapixels:.1f} ms of processor time a megapixel"
        )


def _tell_single(pixels: Pixels, setting: float, runs: int, megapixels: float) -> None:
    bound(1)
    single = {**peers(pixels), "ours": ours(pixels, setting, 1), "ours with near": ours_prepared(pixels, setting, 1)}
    times = in_turns(single, runs)
    for name, (wall, processor) in times.items():
        ratios = ", ".join(f"{processor / times[peer][1]:.2f} of {peer}" for peer in ("jpegli", "mozjpeg"))
        print(
            f"one thread, {name}: {1000 * processor / megapixels:.1f} ms of processor time a megapixel "
            f"({1000 * wall / megapixels:.1f} by the clock), {ratios}"
        )


def _arguments() -> argparse.ArgumentParser:
    parser = command.parser("train.studies.speed", __doc__)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--quality", type=int, default=50)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    return parser


if __name__ == "__main__":
    sys.exit(main())
