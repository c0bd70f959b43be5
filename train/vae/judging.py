"""What a run is judged by: photos held back, five gammas, beside `rdo` at the same bits of the same photo."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import msroi
from msroi.arrays import Pixels
from msroi.codecs.neural.vae.autoencoder import Autoencoder, constant_gamma
from msroi.metrics import psnr_db
from train.common import files

GAMMAS = (32, 64, 160, 512, 1536)
QUALITIES = (1, 3, 6, 12, 20, 35, 50, 65, 80, 90, 96)
FILE = "rdo.json"


@dataclass(frozen=True)
class Judge:
    """A photo held back, and `rdo`'s line on it: bits per pixel, rising, and decibels."""

    name: str
    pixels: Pixels
    bpp: tuple[float, ...]
    psnr: tuple[float, ...]

    def over_rdo(self, bpp: float, psnr: float) -> float | None:
        """Decibels above `rdo` at as many bits, between its files by the logarithm of the rate; None beyond them."""
        if not self.bpp[0] <= bpp <= self.bpp[-1]:
            return None
        return psnr - float(np.interp(np.log(bpp), np.log(self.bpp), self.psnr))


def judges(photos: Sequence[tuple[str, Pixels]], folder: Path) -> list[Judge]:
    """The photos with `rdo`'s line, measured once for a run's folder."""
    path = folder / FILE
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    lines = {name: known.get(name) or rdo_line(pixels) for name, pixels in photos}
    files.write_json(path, lines)
    return [Judge(name, pixels, tuple(lines[name]["bpp"]), tuple(lines[name]["psnr"])) for name, pixels in photos]


def rdo_line(pixels: Pixels) -> dict[str, list[float]]:
    """Bits per pixel and decibels of `rdo` without a map at eleven qualities."""
    points = []
    for quality in QUALITIES:
        data = msroi.compress(pixels, quality=quality, saliency="none").data
        decoded = msroi.images.read(data).upright
        points.append((8 * len(data) / (pixels.shape[0] * pixels.shape[1]), psnr_db(pixels, decoded)))
    points.sort()
    return {"bpp": [p[0] for p in points], "psnr": [p[1] for p in points]}


def judge(network: Autoencoder, judges: Sequence[Judge]) -> dict[str, Any]:
    """Rows for the history: at each gamma mean estimated bits per pixel, decibels, decibels over `rdo` where it can."""
    points = []
    for gamma in GAMMAS:
        found = [measure(network, one, gamma) for one in judges]
        columns = [[value for value in column if value is not None] for column in zip(*found, strict=True)]
        points.append([round(float(np.mean(column)), 3) if column else None for column in columns])
    return {"points": points} if judges else {}


def measure(network: Autoencoder, judge: Judge, gamma: float) -> tuple[float, float, float | None]:
    """Estimated bits per pixel, decibels, decibels over `rdo` of one photo, latents rounded."""
    height, width = judge.pixels.shape[:2]
    padded = network.padded(judge.pixels)
    decoded, bits = network.evaluate_pixels(padded, constant_gamma(1, padded.shape[1], padded.shape[2], gamma))
    picture = decoded[0, :height, :width]
    bpp = float(bits[0]) / (height * width)
    psnr = psnr_db(judge.pixels, np.clip(np.rint(255 * (picture + 0.5)), 0, 255).astype(np.uint8))
    return bpp, psnr, judge.over_rdo(bpp, psnr)


def over_rdo(row: Mapping[str, Any]) -> dict[str, float]:
    """Lines of the learning curve."""
    return {
        f"gamma {g}": point[2] for g, point in zip(GAMMAS, row.get("points", []), strict=False) if point[2] is not None
    }
