"""What full chroma gains or costs, and what `--chroma auto` chooses: the table behind rdo/sampling.py.

    python -m train.studies.sampling [FOLDER ...] [--qualities 30 50 75] [--pictures N] [--whole]

Without folders: the made pictures of train/encoder/made.py. For each picture the share of blocks that 4:2:0 harms,
whether it was drawn (those are coded both ways, see chroma_trial.py), and 4:4:4 less 4:2:0 in PSNR (dB), SSIM and
SSIMULACRA2 in the largest files not above plain JPEG's bytes, with the sampling that `auto` took.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from msroi.arrays import Pixels
from msroi.codecs.jpeg import CODECS, plain
from msroi.codecs.jpeg.rdo.sampling import share_harmed
from msroi.codecs.jpeg.rdo.tables import PRESETS
from msroi.drawn import is_drawn
from msroi.images import Picture
from msroi.metadata import jpeg_facts
from msroi.search.targets import largest
from train.common import command
from train.data.folders import lossless, spread
from train.encoder.made import PICTURES
from train.encoder.scores import Reference

# Pictures are cut to so many pixels from the centre.
SIDE = 512


def pictures(folders: list[Path], count: int | None, side: int | None = SIDE) -> Iterator[tuple[str, Pixels]]:
    """Names and pixels; side: of the square cut from the centre, None for whole pictures."""
    if not folders:
        yield from ((name, make()) for name, make in PICTURES.items())
    for folder in folders:
        for file in spread(lossless(folder), count):
            with Image.open(file) as image:
                pixels = np.asarray(image.convert("RGB"))
            if side is not None:
                top, left = (max(0, n - side) // 2 for n in pixels.shape[:2])
                pixels = pixels[top : top + side, left : left + side]
            yield file.stem[:28], np.ascontiguousarray(pixels)


def scored(pixels: Pixels, chroma: str, max_bytes: int) -> tuple[npt.NDArray[np.float64], str]:
    """PSNR, SSIM, MS-SSIM, SSIMULACRA2 with a value of --chroma, and the sampling of the file."""
    encoder = CODECS["rdo"](chroma=chroma).start(Picture(pixels), None, 1)
    data = largest(encoder, max_bytes).data
    sampling = {"4:4:4": "444"}.get(jpeg_facts(data).sampling or "", "420")
    return Reference(pixels).score(plain.decode(data)), sampling


def main(argv: list[str] | None = None) -> int:
    """See the module's docstring."""
    return command.run(_arguments(), work, argv)


def work(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    rows = []
    for name, pixels in pictures(arguments.folders, arguments.pictures, None if arguments.whole else SIDE):
        share, drawn = share_harmed(pixels, PRESETS["default"].steps), is_drawn(pixels)
        line = f"{name:28s} {100 * share:6.2f} % {'drawn' if drawn else 'photo'}"
        for quality in arguments.qualities:
            budget = len(plain.encode(pixels, quality))
            (half, _), (full, _), (auto, sampling) = (scored(pixels, c, budget) for c in ("420", "444", "auto"))
            line += " | {:+5.2f} {:+.4f} {:+6.2f}".format(*(full - half)[[0, 1, 3]]) + f" {sampling}"
            rows.append((auto - half, auto[3] - max(half[3], full[3])))
        print(line, flush=True)
    gain = np.mean([row[0] for row in rows], axis=0)
    print("auto less 420, mean: {:+.3f} dB, SSIM {:+.5f}, MS-SSIM {:+.5f}, SSIMULACRA2 {:+.2f}".format(*gain))
    behind = [row[1] for row in rows]
    print(f"SSIMULACRA2 of auto less the better of both: mean {np.mean(behind):+.2f}, worst {min(behind):+.2f}")


def _arguments() -> argparse.ArgumentParser:
    parser = command.parser("train.studies.sampling", __doc__)
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--qualities", type=int, nargs="+", default=[30, 50, 75])
    parser.add_argument("--pictures", type=int, default=None)
    parser.add_argument("--whole", action="store_true", help="do not cut pictures")
    return parser


if __name__ == "__main__":
    sys.exit(main())
