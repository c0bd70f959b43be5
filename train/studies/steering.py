"""What contrast an encoder should give the network's map: the study behind BACKGROUND in saliency/read_outs.py.

    python -m train.studies.steering --duts DIR --mit1003 DIR --eye-crowd DIR --scenes DIR [--follow SHARE,FROM,TO ...]

On held-back photos of training sets alone. Each `--follow` is a map: SHARE of objects, the rest of gaze over its
maximum, of which FROM and less becomes 0 and TO and more 1. All are followed by rdo at plain's bytes, guarded.

DUTS, reduced by half and as it is: of what the blurred human mask gains inside it over no map, the share that a map
gains, in dB and in SSIM; and the share of photos whose SSIM outside is at least plain's. Fixations, photos reduced by
half: gain over plain weighted by their density, in dB and SSIM, and the share of photos above no map.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from msroi.arrays import Floats
from msroi.benchmark.subject import Subject
from msroi.codecs.jpeg import plain
from msroi.images import read
from msroi.saliency import make_map
from msroi.saliency.read_outs import BACKGROUND, SUBJECT
from train.common import command
from train.data import datasets
from train.data.folders import spread
from train.data.views import read_mask
from train.studies.maps import GAZE, REGIONS, ours, row, with_fixations

QUALITY = 50
"""Of plain JPEG."""

Follow = tuple[float, float, float]
Rows = dict[str, list[npt.NDArray[np.float64]]]


def main(argv: list[str] | None = None) -> int:
    """See the module's docstring."""
    return command.run(_arguments(), work, argv)


def work(options: argparse.Namespace) -> None:
    """Measure and print."""
    if options.duts:
        samples = _some(datasets.duts(options.duts), options.pictures)
        for name, halvings in (("half size", 1), ("full size", 0)):
            _tell_masks(f"DUTS, {name}", gains(_with_masks(samples, halvings), options.follow, REGIONS))
    for name, photos in _with_fixations(options).items():
        _tell_fixations(name, gains(with_fixations(photos), options.follow, GAZE))


def followed(objects: Floats, gaze: Floats, follow: Follow) -> Floats:
    """A map as an encoder would follow it, float32 in [0, 1]; follow: share of objects, from, to."""
    share, start, end = follow
    mixed = share * objects + (1 - share) * gaze / max(float(gaze.max()), 1e-6)
    return np.clip((mixed - start) / (end - start), 0, 1).astype(np.float32)


def gains(photos: Iterator[Subject], follows: Sequence[Follow], keys: Sequence[str]) -> Rows:
    """The scores of no map, of people's own and of each to be followed, less those of plain."""
    rows: Rows = {}
    for subject in photos:
        pixels = subject.pixels
        people = subject.fixations if subject.mask is None else subject.soft_mask
        objects, gaze = make_map(pixels, "objects"), make_map(pixels, "gaze")
        maps: dict[str, Floats | None] = {"no map": None, "people": people}
        maps |= {",".join(f"{v:g}" for v in follow): followed(objects, gaze, follow) for follow in follows}
        reference = plain.encode(pixels, QUALITY)
        base = row(subject, reference, keys)
        for name, saliency in maps.items():
            data = ours(pixels, saliency, len(reference), "default", True)
            rows.setdefault(name, []).append(row(subject, data, keys) - base)
    return rows


def _with_masks(samples: Sequence[datasets.Sample], halvings: int) -> Iterator[Subject]:
    """Photos, reduced so many times by half, with their human masks."""
    for sample in samples:
        assert sample.mask is not None
        image, mask = Image.fromarray(read(sample.path).upright), read_mask(sample.mask).astype(np.float32)
        if halvings:
            size = image.width >> halvings, image.height >> halvings
            image = image.resize(size, Image.Resampling.LANCZOS)
            mask = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
        subject = Subject(read(np.asarray(image, np.uint8)), mask=np.asarray(mask, np.float32))
        if subject.inside is not None:
            yield subject


def _with_fixations(options: argparse.Namespace) -> dict[str, list[datasets.Sample]]:
    sets = {}
    if options.mit1003:
        sets["MIT1003"] = _some(datasets.mit1003(options.mit1003), None)
    others = []
    if options.eye_crowd:
        left_out = datasets.read_names(options.leave_out) if options.leave_out else []
        others += _some(datasets.eye_crowd(options.eye_crowd, left_out), None)
    if options.scenes:
        others += _some(datasets.scenes(options.scenes), None)
    return sets | ({"EyeCrowd, scenes": others} if others else {})


def _some(samples: list[datasets.Sample], count: int | None) -> list[datasets.Sample]:
    """About `count` of those held back, evenly spaced, or all."""
    held_back = [sample for sample in datasets.hold_back(samples) if sample.held_back]
    return spread(held_back, count)


def _tell_masks(title: str, rows: Rows) -> None:
    print(f"{title}, {len(rows['people'])} photos: share of the mask's gain in dB, SSIM | SSIM outside kept")
    nothing, best = (np.mean(rows[name], axis=0) for name in ("no map", "people"))
    for name, values in rows.items():
        shares = 100 * (np.mean(values, axis=0) - nothing)[[1, 3]] / (best - nothing)[[1, 3]]
        print(f"  {name:14s} {shares[0]:.1f} % {shares[1]:.1f} % | {100 * np.mean(np.array(values)[:, 4] >= 0):.0f} %")


def _tell_fixations(title: str, rows: Rows) -> None:
    print(f"{title}, {len(rows['people'])} photos: gain weighted by fixations in dB, SSIM | above no map, dB and SSIM")
    for name, values in rows.items():
        mean, above = np.mean(values, axis=0), 100 * np.mean(np.array(values) > rows["no map"], axis=0)
        print(f"  {name:14s} {mean[0]:+.3f} {mean[1]:+.4f} | {above[0]:.0f} % {above[1]:.0f} %")


def _follow(word: str) -> Follow:
    share, start, end = (float(value) for value in word.split(","))
    if not (0 <= share <= 1 and start < end):
        raise ValueError(word)
    return share, start, end


def _arguments() -> argparse.ArgumentParser:
    parser = command.parser("train.studies.steering", __doc__)
    for name in ("duts", "mit1003", "eye-crowd", "scenes"):
        parser.add_argument(f"--{name}", type=Path, metavar="DIR", help="a training set, of which the part held back")
    parser.add_argument("--leave-out", type=Path, metavar="JSON", help="names of EyeCrowd photos kept for reports")
    parser.add_argument("--pictures", type=int, default=80, help="of DUTS (default 80)")
    parser.add_argument(
        "--follow",
        type=_follow,
        nargs="+",
        default=[(0.5, 0.0, 1.0), (0.5, BACKGROUND, SUBJECT)],
        metavar="SHARE,FROM,TO",
        help="maps to be followed (default: as it is, and as msroi follows it)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
