"""What a map buys: PSNR and SSIM inside and outside the map at plain's bytes, against plain JPEG.

    python -m train.measure_maps ECSSD [--pictures N] [--quality 50]      human masks, blurred, as maps
    python -m train.measure_maps KODAK --centre                           a centred Gaussian as map

Printed: mean differences to plain JPEG in dB, whole picture, inside (map over .5), outside; the SSIM outside;
the share of pictures whose SSIM outside is at least plain's.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from msroi import metrics
from msroi.jpeg import block_weights, plain
from msroi.jpeg.rdo import RdoEncoder
from msroi.jpeg.tables import PRESETS
from msroi.matching import Match, land_within
from msroi.saliency import make_map
from train.measure_peers import jpegli

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


def with_masks(folder: Path, count: int | None) -> Iterator[tuple[Pixels, Floats]]:
    """Pictures of ECSSD with their human masks, as float in [0, 1]."""
    masks = sorted(folder.rglob("*.png"))
    for mask in masks[:: max(1, len(masks) // count)][:count] if count else masks:
        photo = next(iter(folder.rglob(mask.stem + ".jpg")))
        pixels = np.asarray(Image.open(photo).convert("RGB"))
        yield pixels, np.asarray(Image.open(mask).convert("L"), np.float32) / np.float32(255)


def centred(folder: Path, count: int | None) -> Iterator[tuple[Pixels, Floats]]:
    """Pictures with a Gaussian in their centre, sigma a quarter of each side."""
    files = sorted(folder.glob("*.png"))
    for file in files[:: max(1, len(files) // count)][:count] if count else files:
        pixels = np.asarray(Image.open(file).convert("RGB"))
        axes = [((np.arange(n) - (n - 1) / 2) / (n / 4)) ** 2 / 2 for n in pixels.shape[:2]]
        yield pixels, np.asarray(np.exp(-axes[0][:, None] - axes[1][None, :]), np.float32)


def ours(pixels: Pixels, saliency: Floats | None, budget: int, preset: str, guarded: bool) -> Match:
    """rdo at q_low 30, q_high 70."""
    weights = None if saliency is None else block_weights.from_map(saliency, 30, 70)
    encoder = RdoEncoder(pixels, PRESETS[preset], weights=weights, guarded=guarded)
    return land_within(encoder, 0.0, 1.0, budget)


def row(pixels: Pixels, mask: Floats, data: bytes) -> npt.NDArray[np.float64]:
    """PSNR whole, inside, outside; SSIM inside, outside."""
    decoded = plain.decode(data)
    similarity = metrics.ssim_map(pixels, decoded)
    inside = mask > 0.5
    return np.array(
        [
            metrics.psnr_db(pixels, decoded),
            metrics.psnr_db(pixels, decoded, inside),
            metrics.psnr_db(pixels, decoded, ~inside),
            similarity[inside].mean(),
            similarity[~inside].mean(),
        ]
    )


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--centre", action="store_true")
    parser.add_argument("--pictures", type=int, default=None)
    parser.add_argument("--quality", type=int, default=50)
    parser.add_argument("--blur", type=float, default=0.03, help="of the mask, as a share of the longer side")
    arguments = parser.parse_args()
    source = centred if arguments.centre else with_masks
    tables: dict[str, list[npt.NDArray[np.float64]]] = {}
    for pixels, mask in source(arguments.folder, arguments.pictures):
        inside = mask > 0.5
        if inside.all() or not inside.any():
            continue
        saliency = mask
        if not arguments.centre:
            saliency = cv2.GaussianBlur(mask, (0, 0), arguments.blur * max(mask.shape))
        reference = plain.encode(pixels, arguments.quality)
        base = row(pixels, mask, reference)
        budget = len(reference)
        matches = {
            "jpegli": jpegli(pixels, budget),
            "constant map": ours(pixels, None, budget, "default", True),
            "map, guard": ours(pixels, saliency, budget, "default", True),
            "map, no guard": ours(pixels, saliency, budget, "default", False),
            "network's map, guard": ours(pixels, make_map(pixels), budget, "default", True),
        }
        if "psnr" in PRESETS:
            matches["map, psnr, no guard"] = ours(pixels, saliency, budget, "psnr", False)
        for name, match in matches.items():
            assert len(match.data) <= budget
            tables.setdefault(name, []).append(row(pixels, mask, match.data) - base)
    print(f"{arguments.folder.name}, Q {arguments.quality}, against plain")
    print("dB whole, inside, outside | SSIM inside, outside | SSIM outside at least plain's")
    for name, rows in tables.items():
        values = np.array(rows)
        mean = values.mean(axis=0)
        kept = 100 * np.mean(values[:, 4] >= 0)
        print(
            f"{name:20s} {mean[0]:+.2f} {mean[1]:+.2f} {mean[2]:+.2f} | {mean[3]:+.4f} {mean[4]:+.4f} | "
            f"{kept:.0f} % of {len(values)}"
        )


if __name__ == "__main__":
    main()
