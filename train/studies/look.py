"""A sheet to look at: crops, enlarged, of plain JPEG, jpegli and ours at the same bytes, beside the original.

    python -m train.studies.look SHEET.png [--quality 30] [--pictures NAME ...] [--zoom 3] [--chroma keep]

Text, line art, smooth gradients, a face, saturated red, film grain: what shows artefacts best. Under each crop PSNR
(dB), SSIM and SSIMULACRA2 of the whole picture. The budget is plain JPEG's file at the quality.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from msroi.arrays import Pixels
from msroi.codecs.jpeg import plain
from msroi.codecs.jpeg.rdo.sampling import needs_full_chroma
from msroi.codecs.jpeg.rdo.session import RdoSession
from msroi.codecs.jpeg.rdo.tables import PRESETS
from msroi.search.targets import largest
from train.common import command
from train.encoder import made
from train.encoder.scores import Reference
from train.studies.peers import at_plains_bytes

CROP_WIDTH, CROP_HEIGHT = 128, 80
CAPTION = 30


def face() -> Pixels:
    """The astronaut, from scikit-image."""
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[:384])


def grain() -> Pixels:
    """Film grain: Gaussian noise, correlated as silver clumps are, on a photo from scikit-image."""
    import cv2
    from skimage import data

    photo = np.repeat(data.camera()[:384, :, None], 3, axis=2).astype(np.float64)
    noise = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 18, photo.shape[:2]), (0, 0), 0.7)
    return np.clip(photo + noise[..., None] + 0.5, 0, 255).astype(np.uint8)


def retina() -> Pixels:
    """Saturated orange and red in soft shades, from scikit-image."""
    from skimage import data

    return np.ascontiguousarray(data.retina()[400:784, 300:812])


# Maker of each picture and the corner (top, left) of its crop.
PICTURES: dict[str, tuple[Callable[[], Pixels], tuple[int, int]]] = {
    "text": (made.PICTURES["text"], (10, 4)),
    "text-red": (made.PICTURES["text-red-on-white"], (10, 4)),
    "screen": (made.PICTURES["screen-light"], (0, 8)),
    "line-art": (made.PICTURES["line-art-black"], (60, 180)),
    "line-art-red": (made.PICTURES["line-art-red"], (60, 180)),
    "chart": (made.PICTURES["chart"], (250, 30)),
    "gradient": (made.PICTURES["gradient"], (150, 200)),
    "gradient-dithered": (made.PICTURES["gradient-dithered"], (150, 200)),
    "face": (face, (60, 170)),
    "petals": (made.PICTURES["petals"], (130, 220)),
    "discs": (made.PICTURES["discs"], (170, 90)),
    "retina": (retina, (150, 150)),
    "grain": (grain, (60, 200)),
}


def row(pixels: Pixels, corner: tuple[int, int], quality: int, zoom: int, chroma: str) -> list[tuple[Image.Image, str]]:
    """Crops of one picture, the original first, with their captions."""
    budget = len(plain.encode(pixels, quality))
    full = chroma == "444" or (chroma == "auto" and needs_full_chroma(pixels, PRESETS["default"].steps))
    encoder = RdoSession.of(pixels, PRESETS["default"], sampling="444" if full else "420")
    files = {
        "plain": plain.encode(pixels, quality),
        "jpegli": at_plains_bytes("jpegli", pixels, quality),
        "ours": largest(encoder, budget).data,
    }
    shown = {"original": pixels} | {name: np.ascontiguousarray(plain.decode(data)) for name, data in files.items()}
    result = []
    for name, decoded in shown.items():
        top, left = corner
        crop = Image.fromarray(decoded[top : top + CROP_HEIGHT, left : left + CROP_WIDTH])
        caption = name
        if name in files:
            psnr, ssim, _, ssimulacra = Reference(pixels).score(decoded)
            caption += f"  {psnr:.2f} dB  {ssim:.4f}  {ssimulacra:.1f}  {len(files[name])} bytes"
        result.append((crop.resize((zoom * CROP_WIDTH, zoom * CROP_HEIGHT), Image.Resampling.NEAREST), caption))
    return result


def main(argv: list[str] | None = None) -> int:
    """See the module's docstring."""
    return command.run(_arguments(), work, argv)


def work(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    width, height = arguments.zoom * CROP_WIDTH + 8, arguments.zoom * CROP_HEIGHT + CAPTION
    sheet = Image.new("RGB", (4 * width, height * len(arguments.pictures)), (128, 128, 128))
    draw = ImageDraw.Draw(sheet)
    for i, name in enumerate(arguments.pictures):
        make, corner = PICTURES[name]
        for j, (crop, caption) in enumerate(row(make(), corner, arguments.quality, arguments.zoom, arguments.chroma)):
            sheet.paste(crop, (j * width, i * height))
            text = caption if j else f"{name}, original, Q {arguments.quality}"
            draw.text((j * width + 4, (i + 1) * height - CAPTION + 6), text, fill=made.WHITE, font=made.font(13))
            print(f"{name:18s} {caption}", flush=True)
    sheet.save(arguments.sheet)


def _arguments() -> argparse.ArgumentParser:
    parser = command.parser("train.studies.look", __doc__)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("--quality", type=int, default=30)
    parser.add_argument("--pictures", nargs="+", default=list(PICTURES), choices=list(PICTURES))
    parser.add_argument("--zoom", type=int, default=3)
    parser.add_argument("--chroma", choices=("keep", "auto", "444"), default="keep")
    return parser


if __name__ == "__main__":
    sys.exit(main())
