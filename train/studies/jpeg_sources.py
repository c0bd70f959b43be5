"""JPEG sources coded again: source quality x target, on their own lattice and with it switched off.

    python -m train.studies.jpeg_sources FOLDER [--sources 75 85 92 97] [--targets 30 50 70] [--pictures N]
                                         [--tune default]

Sources are made from lossless pictures by Pillow (4:2:0, its default tables). Each is coded again to at most the bytes
of plain JPEG of its decoded pixels at the target quality, by plain itself, by jpegli (4:2:0), by rdo from the
decoded pixels ("pixels") and from the coefficients that the source holds ("lattice"), with a constant map. Scores are
means against the decoded source, the last PSNR against the lossless picture. A file that decodes to the very pixels
of its source counts as CAP dB. Needs ajpegli.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from msroi import images, metrics
from msroi.arrays import Pixels
from msroi.benchmark.peers.jpegli import Jpegli
from msroi.benchmark.subject import Subject
from msroi.benchmark.targets import Files
from msroi.codecs.jpeg import plain
from msroi.codecs.jpeg.rdo.session import RdoSession
from msroi.codecs.jpeg.rdo.tables import PRESETS, Preset
from msroi.codecs.jpeg.source import from_jpeg
from msroi.search.knobs import Interval
from msroi.search.landing import land_within
from train.common import command
from train.data.folders import lossless, spread
from train.encoder.scores import Reference

Scores = list[float]

CAP = 60.0
COLUMNS = ("PSNR", "SSIM", "S2", "PSNR of lossless", "of target", "of source")


def made_source(lossless: Pixels, quality: int) -> images.Picture:
    """What msroi reads from Pillow's JPEG of a picture."""
    buffer = io.BytesIO()
    Image.fromarray(lossless).save(buffer, "JPEG", quality=quality)
    return images.read(buffer.getvalue())


def codecs(picture: images.Picture, preset: Preset) -> dict[str, Callable[[int], bytes]]:
    """By name, the largest file of at most so many bytes."""
    source = from_jpeg(picture)
    assert source is not None, "a JPEG of Pillow's has a lattice"

    jpegli = Files(Jpegli().begin(Subject(picture)), 0.0)
    assert isinstance(jpegli.knob, Interval), "jpegli's distances need ajpegli"

    def landing(encoder: Any, **closeness: Any) -> Callable[[int], bytes]:
        low, high = encoder.knob.low, encoder.knob.high
        return lambda max_bytes: land_within(encoder, low, high, max_bytes, **closeness).data

    return {
        "jpegli": landing(jpegli, near_enough=0.0005, tries=12),
        "pixels": landing(RdoSession.of(picture.pixels, preset)),
        "lattice": landing(RdoSession.of(picture.pixels, preset, source=source)),
    }


def measure(lossless: Pixels, quality: int, targets: list[int], preset: Preset) -> dict[int, dict[str, Scores]]:
    """[target][codec] -> COLUMNS."""
    picture = made_source(lossless, quality)
    assert picture.source.data is not None
    n_source = len(picture.source.data)
    reference = Reference(picture.pixels)
    coders = codecs(picture, preset)
    table: dict[int, dict[str, Scores]] = {}
    for target in targets:
        yardstick = plain.encode(picture.pixels, target)
        files = {"plain": yardstick, **{name: coder(len(yardstick)) for name, coder in coders.items()}}
        table[target] = {}
        for name, data in files.items():
            decoded = plain.decode(data)
            psnr, ssim, _, ssimulacra2 = reference.score(decoded)
            of_lossless = min(CAP, metrics.psnr_db(lossless, decoded))
            shares = [len(data) / len(yardstick), len(data) / n_source]
            table[target][name] = [min(CAP, psnr), ssim, ssimulacra2, of_lossless, *shares]
    return table


def main(argv: list[str] | None = None) -> int:
    """See the module's docstring."""
    return command.run(_arguments(), work, argv)


def work(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    files = spread(lossless(arguments.folder), arguments.pictures)
    versions = {name: version(name) for name in ("pillow", "ajpegli")}
    print(f"{arguments.folder.name}: {len(files)} pictures, preset {arguments.tune}, {versions}")
    print("source target codec   " + " ".join(f"{name:>16s}" for name in COLUMNS))
    for quality in arguments.sources:
        rows: dict[tuple[int, str], list[Scores]] = {}
        for file in files:
            with Image.open(file) as image:
                pixels = np.asarray(image.convert("RGB"))
            for target, by_codec in measure(pixels, quality, arguments.targets, PRESETS[arguments.tune]).items():
                for name, scores in by_codec.items():
                    rows.setdefault((target, name), []).append(scores)
        for (target, name), values in sorted(rows.items(), key=lambda item: item[0][0]):
            mean = np.mean(values, axis=0)
            line = f"{mean[0]:16.2f} {mean[1]:16.4f} {mean[2]:16.1f} {mean[3]:16.2f} {mean[4]:16.3f} {mean[5]:16.3f}"
            print(f"{quality:6d} {target:6d} {name:7s} {line}", flush=True)


def _arguments() -> argparse.ArgumentParser:
    parser = command.parser("train.studies.jpeg_sources", __doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sources", type=int, nargs="+", default=[75, 85, 92, 97])
    parser.add_argument("--targets", type=int, nargs="+", default=[30, 50, 70])
    parser.add_argument("--pictures", type=int, default=None)
    parser.add_argument("--tune", choices=tuple(PRESETS), default="default")
    return parser


if __name__ == "__main__":
    sys.exit(main())
