"""Plain JPEG, mozjpeg, jpegli and ours at the same bytes: the table that the promise stands on.

    python -m train.measure_peers FOLDER [--qualities 30 50 70 90] [--codecs plain mozjpeg jpegli ours]
                                  [--pictures N] [--ssimulacra2] [--bd-rate]

Every encoder gives the largest file found that is not above Pillow's default JPEG at quality Q, 4:2:0,
without metadata; all are decoded by Pillow. Needs pyvips[binary] (mozjpeg), ajpegli (jpegli), and ssimulacra2
(0.6 s a score; `--scores fast` takes the compiled one of train/scores.py instead).
"""

from __future__ import annotations

import argparse
import io
import json
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from msroi import metrics
from msroi.jpeg import plain
from msroi.jpeg.rdo import RdoEncoder
from msroi.jpeg.tables import PRESETS
from msroi.matching import Match, RealEncoder, land_within, largest_within

Pixels = npt.NDArray[np.uint8]

METRICS = ("PSNR", "SSIM", "MS-SSIM", "S2")


def mozjpeg(pixels: Pixels, max_bytes: int) -> Match:
    """libvips' mozjpeg: trellis, deringing, optimised scans, table 3; the largest quality that fits."""
    import pyvips

    image = pyvips.Image.new_from_array(pixels)

    def encode(quality: int) -> bytes:
        data: bytes = image.jpegsave_buffer(
            Q=quality,
            optimize_coding=True,
            interlace=True,
            trellis_quant=True,
            overshoot_deringing=True,
            optimize_scans=True,
            quant_table=3,
            subsample_mode="on" if pixels.ndim == 3 else "auto",
            keep="none",
        )
        return data

    return largest_within(encode, range(1, 101), max_bytes, look=2)


def jpegli(pixels: Pixels, max_bytes: int) -> Match:
    """jpegli, 4:2:0, its distance searched."""
    import ajpegli

    class Encoder:
        note = ""

        def encode(self, setting: float) -> bytes:
            data: bytes = ajpegli.encode(pixels, distance=2.0**-setting, subsampling="420")
            return data

        def rough_bytes(self, setting: float) -> float:
            return len(self.encode(setting))

        def near(self, setting: float) -> RealEncoder:
            return self

    return land_within(Encoder(), -4.6, 4.0, max_bytes, near_enough=0.0005, tries=14)


def ours(preset: str, **options: Any) -> Callable[[Pixels, int], Match]:
    """rdo with a constant map."""

    def encode(pixels: Pixels, max_bytes: int) -> Match:
        encoder = RdoEncoder(pixels, PRESETS[preset], **options)
        return land_within(encoder, encoder.settings.low, encoder.settings.high, max_bytes)

    return encode


CODECS: dict[str, Callable[[Pixels, int], Match]] = {
    "plain": lambda pixels, max_bytes: largest_within(plain.QualityEncoder(pixels).encode, plain.QUALITIES, max_bytes),
    "mozjpeg": mozjpeg,
    "jpegli": jpegli,
    **{f"ours-{name}": ours(name) for name in PRESETS},
}


def scorer(kind: str) -> Callable[[Pixels, Pixels], list[float]]:
    """PSNR, SSIM, MS-SSIM and, unless `kind` is "none", SSIMULACRA2."""

    def slow(reference: Pixels, candidate: Pixels) -> list[float]:
        scores = metrics.score(reference, candidate)
        values = [scores.psnr_db, scores.ssim, scores.ms_ssim]
        if kind == "package":
            from ssimulacra2 import compute_ssimulacra2

            files = []
            for pixels in (reference, candidate):
                files.append(io.BytesIO())
                Image.fromarray(pixels).save(files[-1], "PNG", compress_level=0)
            values.append(float(compute_ssimulacra2(*files)))
        elif kind == "fast":
            from train.scores import Reference

            values.append(Reference(reference).score(candidate)[3])
        return values

    return slow


def measure(
    files: list[Path], qualities: list[int], codecs: list[str], kind: str
) -> dict[str, dict[int, dict[str, list[float]]]]:
    """[codec][quality][file name] -> scores, bytes, seconds."""
    score = scorer(kind)
    table: dict[str, dict[int, dict[str, list[float]]]] = {c: {q: {} for q in qualities} for c in codecs}
    for file in files:
        pixels = np.asarray(Image.open(file).convert("RGB"))
        for quality in qualities:
            budget = len(plain.encode(pixels, quality))
            for codec in codecs:
                started = time.perf_counter()
                match = CODECS[codec](pixels, budget)
                seconds = time.perf_counter() - started
                scores = score(pixels, plain.decode(match.data))
                table[codec][quality][file.name] = [*scores, len(match.data), seconds, match.n_probes]
    return table


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--qualities", type=int, nargs="+", default=[30, 50, 70, 90])
    parser.add_argument("--codecs", nargs="+", default=list(CODECS), choices=list(CODECS))
    parser.add_argument("--pictures", type=int, default=None)
    parser.add_argument("--scores", choices=("none", "fast", "package"), default="none")
    parser.add_argument("--json", type=Path, default=None)
    arguments = parser.parse_args()
    files = sorted(f for f in arguments.folder.iterdir() if f.suffix.lower() in (".png", ".jpg"))
    if arguments.pictures:
        files = files[:: max(1, len(files) // arguments.pictures)][: arguments.pictures]
    table = measure(files, arguments.qualities, arguments.codecs, arguments.scores)
    versions = {name: metadata.version(name) for name in ("pillow", "pyvips-binary", "ajpegli")}
    print(f"{arguments.folder.name}: {len(files)} pictures, {versions}, SSIMULACRA2: {arguments.scores}")
    for quality in arguments.qualities:
        for codec in arguments.codecs:
            mean = np.mean(list(table[codec][quality].values()), axis=0)
            line = f"Q {quality} {codec:14s} {mean[0]:6.2f} {mean[1]:.4f} {mean[2]:.5f} "
            line += f"{mean[3]:5.1f} " if arguments.scores != "none" else ""
            print(line + f"{mean[-3]:9.0f} bytes {mean[-2]:.2f} s {mean[-1]:.1f} files", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
