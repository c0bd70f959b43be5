"""What full chroma gains or costs, and what `--chroma auto` chooses: the table behind msroi/jpeg/sampling.py.

    python -m train.measure_sampling [FOLDER ...] [--qualities 30 50 75] [--pictures N]

Without folders: the made pictures of train/made.py. For each picture the share of blocks that 4:2:0 harms, the
choice, and 4:4:4 less 4:2:0 in PSNR (dB), SSIM and SSIMULACRA2 in the largest files not above plain JPEG's bytes.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from msroi.jpeg import plain
from msroi.jpeg.rdo import RdoEncoder
from msroi.jpeg.sampling import ENOUGH, share_harmed
from msroi.jpeg.tables import PRESETS
from msroi.matching import land_within
from train.made import PICTURES
from train.scores import Reference

Pixels = npt.NDArray[np.uint8]

# Pictures are cut to so many pixels from the centre.
SIDE = 512


def pictures(folders: list[Path], count: int | None) -> Iterator[tuple[str, Pixels]]:
    """Names and pixels."""
    if not folders:
        yield from ((name, make()) for name, make in PICTURES.items())
    for folder in folders:
        files = sorted(folder.glob("*.png"))
        step = max(1, len(files) // count) if count else 1
        for file in files[::step][:count]:
            with Image.open(file) as image:
                pixels = np.asarray(image.convert("RGB"))
            top, left = (max(0, n - SIDE) // 2 for n in pixels.shape[:2])
            yield file.stem[:28], np.ascontiguousarray(pixels[top : top + SIDE, left : left + SIDE])


def scores(pixels: Pixels, sampling: str, max_bytes: int) -> npt.NDArray[np.float64]:
    """PSNR, SSIM, MS-SSIM, SSIMULACRA2."""
    encoder = RdoEncoder(pixels, PRESETS["default"], sampling=sampling)
    data = land_within(encoder, encoder.settings.low, encoder.settings.high, max_bytes).data
    mse, *others = Reference(pixels).score(np.ascontiguousarray(plain.decode(data)))
    return np.array([10 * math.log10(65025 / max(mse, 1e-9)), *others])


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--qualities", type=int, nargs="+", default=[30, 50, 75])
    parser.add_argument("--pictures", type=int, default=None)
    arguments = parser.parse_args()
    of_keep, of_auto = [], []
    for name, pixels in pictures(arguments.folders, arguments.pictures):
        share = share_harmed(pixels, PRESETS["default"].steps)
        line, chosen = f"{name:28s} {100 * share:6.2f} %", share >= ENOUGH
        for quality in arguments.qualities:
            budget = len(plain.encode(pixels, quality))
            half, full = (scores(pixels, sampling, budget) for sampling in ("420", "444"))
            line += " | {:+5.2f} {:+.4f} {:+6.2f}".format(*(full - half)[[0, 1, 3]])
            of_keep.append(half)
            of_auto.append(full if chosen else half)
        print(line + (" | 444" if chosen else " | keep"), flush=True)
    gain = np.mean(of_auto, axis=0) - np.mean(of_keep, axis=0)
    print("auto less keep, mean: {:+.3f} dB, SSIM {:+.5f}, MS-SSIM {:+.5f}, SSIMULACRA2 {:+.2f}".format(*gain))


if __name__ == "__main__":
    main()
