"""What a map buys where people look: at plain's bytes, against plain JPEG and against rdo without a map.

    python -m train.studies.maps ECSSD [--pictures N] [--quality 50]      human masks, blurred, as maps
    python -m train.studies.maps KODAK --centre                           a centred Gaussian as map
    python -m train.studies.maps OSIE --fixations --pictures 30           the density of fixations as map

With masks, mean differences to plain JPEG in dB, whole picture, inside (map over .5), outside; the SSIM inside and
outside; the share of pictures whose SSIM outside is at least plain's; and, of what the guarded mask gains inside
over no map, the share that the network's map gains.

With fixations, photos are reduced by half first, since OSIE's are JPEGs whose own steps show at Q 50. Mean
differences to plain JPEG of PSNR and SSIM weighted by the blurred density of fixations; the share of photos on which
a map is above no map; and the mean above the centred Gaussian.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from msroi import metrics
from msroi.arrays import Floats, Pixels
from msroi.benchmark import inputs
from msroi.benchmark.subject import Subject
from msroi.codecs.jpeg import plain
from msroi.codecs.jpeg.rdo import adaptive_quantisation
from msroi.codecs.jpeg.rdo.session import RdoSession
from msroi.codecs.jpeg.rdo.tables import PRESETS
from msroi.errors import OptionError
from msroi.images import read
from msroi.saliency import DEFAULT_QUALITY, KINDS, QUALITIES
from msroi.saliency.curves import CONTRAST
from msroi.saliency.sources import Sources
from msroi.saliency.steering import steer
from msroi.search.landing import land_within
from train.common import command
from train.data import datasets
from train.data.folders import lossless, spread
from train.studies.baselines import centre_blob
from train.studies.peers import at_plains_bytes

Scores = npt.NDArray[np.float64]
Table = dict[str, list[Scores]]


def with_masks(folder: Path, count: int | None) -> Iterator[Subject]:
    """Pictures of ECSSD with their human masks, as the benchmark has them: from decoded pixels alone."""
    masks = spread(sorted(folder.rglob("*.png")), count)
    photos = [(photo, Path(photo.name)) for mask in masks for photo in folder.rglob(f"{mask.stem}.jpg")]
    entries, _ = inputs.survey(photos, masks[0].parent if masks else None)
    for subject in (entry.subject() for entry in entries):
        yield replace(subject, picture=read(subject.pixels))


def centred(folder: Path, count: int | None) -> Iterator[Subject]:
    """Pictures with a Gaussian in their centre, sigma a quarter of each side, as mask."""
    for file in spread(lossless(folder), count):
        picture = read(file)
        yield Subject(picture, mask=centre_blob(picture.pixels), mask_is_soft=True)


def with_fixations(samples: list[datasets.Sample]) -> Iterator[Subject]:
    """Photos, reduced by half, with their density of fixations."""
    for sample in samples:
        assert sample.fixations is not None
        pixels = read(sample.path).upright
        height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
        reduced = np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))
        yield Subject(read(reduced), fixations=inputs.density(sample.fixations, height, width))


def networks_map(pixels: Pixels, kind: str, quality: str) -> Floats:
    """What a JPEG encoder follows of the network's map."""
    return steer(Sources.of(map_kind=kind, map_quality=quality), read(pixels), CONTRAST).followed()


def ours(pixels: Pixels, saliency: Floats | None, budget: int, preset: str, guarded: bool) -> bytes:
    """rdo at q_low 30, q_high 70."""
    weights = None if saliency is None else adaptive_quantisation.from_map(saliency, 30, 70)
    encoder = RdoSession.of(pixels, PRESETS[preset], weights=weights, guarded=guarded)
    return land_within(encoder, 0.0, 1.0, budget).data


REGIONS = ("psnr", "psnr_inside", "psnr_outside", "ssim_inside", "ssim_outside")
GAZE = ("psnr_weighted", "ssim_weighted")


def row(subject: Subject, data: bytes, keys: Sequence[str] = REGIONS) -> Scores:
    """The benchmark's figures of a file, by their keys in msroi.metrics."""
    pair = metrics.Pair(subject.pixels, plain.decode(data), regions=subject)
    return np.array([metrics.METRICS[key].value(pair) for key in keys], np.float64)


def measure_masks(arguments: argparse.Namespace) -> None:
    """The table with masks or the centred Gaussian."""
    source = centred if arguments.centre else with_masks
    tables: Table = {}
    for subject in source(arguments.folder, arguments.pictures):
        if subject.inside is None:
            continue
        pixels, saliency = subject.pixels, subject.soft_mask
        reference = plain.encode(pixels, arguments.quality)
        base = row(subject, reference)
        budget = len(reference)
        files = {
            "jpegli": at_plains_bytes("jpegli", pixels, arguments.quality),
            "constant map": ours(pixels, None, budget, "default", True),
            "map, guard": ours(pixels, saliency, budget, "default", True),
            "map, no guard": ours(pixels, saliency, budget, "default", False),
            "centre, guard": ours(pixels, centre_blob(pixels), budget, "default", True),
        }
        for kind in arguments.kinds:
            found = networks_map(pixels, kind, arguments.map_quality)
            files[f"{kind}, guard"] = ours(pixels, found, budget, "default", True)
        for name, data in files.items():
            assert len(data) <= budget
            tables.setdefault(name, []).append(row(subject, data) - base)
    if not tables:
        raise OptionError(f"{arguments.folder}: no pictures with masks there")
    print(f"{arguments.folder.name}, Q {arguments.quality}, against plain")
    print("dB whole, inside, outside | SSIM inside, outside | SSIM outside at least plain's | share of the mask's gain")
    constant, best = (np.mean(tables[name], axis=0) for name in ("constant map", "map, guard"))
    for name, rows in tables.items():
        values = np.array(rows)
        mean = values.mean(axis=0)
        kept = 100 * np.mean(values[:, 4] >= 0)
        shares = [100 * (mean[i] - constant[i]) / (best[i] - constant[i]) for i in (1, 3)]
        told = f"{shares[0]:.0f} % dB, {shares[1]:.0f} % SSIM" if name.endswith(" guard") else "-"
        print(
            f"{name:20s} {mean[0]:+.2f} {mean[1]:+.2f} {mean[2]:+.2f} | {mean[3]:+.4f} {mean[4]:+.4f} | "
            f"{kept:.0f} % of {len(values)} | {told}"
        )


def measure_fixations(arguments: argparse.Namespace) -> None:
    """The table with fixations."""
    samples = datasets.photos_with_fixations(arguments.folder)
    tables: Table = {}
    for subject in with_fixations(spread(samples, arguments.pictures)):
        pixels = subject.pixels
        reference = plain.encode(pixels, arguments.quality)
        maps = {"constant map": None, "density itself": subject.fixations, "centre": centre_blob(pixels)}
        maps |= {kind: networks_map(pixels, kind, arguments.map_quality) for kind in arguments.kinds}
        base = row(subject, reference, GAZE)
        for name, saliency in maps.items():
            data = ours(pixels, saliency, len(reference), "default", True)
            assert len(data) <= len(reference)
            tables.setdefault(name, []).append(row(subject, data, GAZE) - base)
    print(f"{arguments.folder.name}, Q {arguments.quality}, weighted by fixations, guarded, against plain")
    print("dB, SSIM | above the constant map | dB above the centre")
    constant, centre = np.array(tables["constant map"]), np.array(tables["centre"])
    for name, rows in tables.items():
        values = np.array(rows)
        above = 100 * np.mean(values > constant, axis=0)
        mean = values.mean(axis=0)
        print(
            f"{name:20s} {mean[0]:+.2f} {mean[1]:+.4f} | {above[0]:.0f} % dB, {above[1]:.0f} % SSIM of {len(values)} | "
            f"{mean[0] - centre[:, 0].mean():+.2f}"
        )


def main(argv: list[str] | None = None) -> int:
    """See the module's docstring."""
    return command.run(_arguments(), work, argv)


def work(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    (measure_fixations if arguments.fixations else measure_masks)(arguments)


def _arguments() -> argparse.ArgumentParser:
    parser = command.parser("train.studies.maps", __doc__)
    parser.add_argument("folder", type=Path)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--centre", action="store_true")
    kind.add_argument("--fixations", action="store_true")
    parser.add_argument("--pictures", type=int, default=None)
    parser.add_argument("--quality", type=int, default=50)
    parser.add_argument("--kinds", nargs="+", default=["ms-roi"], choices=[k for k in KINDS if k != "none"])
    parser.add_argument("--map-quality", choices=list(QUALITIES), default=DEFAULT_QUALITY)
    return parser


if __name__ == "__main__":
    sys.exit(main())
