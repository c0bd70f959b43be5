"""Which pictures count as drawn, and what the network's map would have cost them: `msroi/drawn.py`.

    python -m train.studies.drawn [FOLDER ...] [--cut-out ECSSD] [--cost] [--qualities 30 50 75]

Without folders: the made pictures of train/encoder/made.py. A line a folder: pictures, those taken for drawn, the
lowest and the highest shares of drawn tiles. --cut-out: the subjects of ECSSD on white, at full size and halved.
--cost: for each picture that is drawn, the network's map less no map in PSNR (dB), SSIM and SSIMULACRA2 at plain JPEG's
bytes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from msroi.arrays import Pixels
from msroi.codecs.jpeg import plain
from msroi.drawn import DRAWN, TILES_ENOUGH, share_drawn
from msroi.errors import OptionError
from msroi.images import read
from msroi.saliency import read_outs
from msroi.saliency.curves import Contrast
from msroi.saliency.kind import FLAT_VALUE
from msroi.saliency.kinds import DEFAULT_KIND
from msroi.saliency.network import load
from msroi.saliency.values import flat_map, full_size
from train.common import command
from train.encoder.made import PICTURES
from train.encoder.scores import Reference
from train.studies.maps import ours, with_masks

Named = tuple[str, Pixels]

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif"}


def in_folder(folder: Path) -> Iterator[Named]:
    """Names and pixels of all pictures in a folder and below."""
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES):
        pixels = read(path).upright
        yield path.name, np.ascontiguousarray(pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2))


def cut_out(folder: Path) -> Iterator[Named]:
    """Subjects of ECSSD on white, their edges soft by .7 of a pixel; then the same halved."""
    for i, subject in enumerate(with_masks(folder, None)):
        assert subject.mask is not None
        inside = cv2.GaussianBlur(subject.mask, (0, 0), 0.7)[..., None]
        whole = np.asarray(subject.pixels * inside + 255 * (1 - inside) + 0.5, np.uint8)
        yield f"{i}", whole
        half = (whole.shape[1] // 2, whole.shape[0] // 2)
        yield f"{i}, halved", np.asarray(Image.fromarray(whole).resize(half, Image.Resampling.LANCZOS))


def networks_map(pixels: Pixels) -> npt.NDArray[np.float32]:
    """What an encoder would follow if nobody had asked whether the picture is drawn; a flat map where it is unsure."""
    network = load()
    looks = [network.look(network.see(pixels))]
    height, width = pixels.shape[:2]
    if read_outs.sureness(looks, network.card) < read_outs.SURE_FROM:
        return flat_map(height, width, FLAT_VALUE)
    coarse = read_outs.coarse_map(DEFAULT_KIND, looks, network.card)
    return Contrast(read_outs.BACKGROUND, read_outs.SUBJECT)(full_size(coarse, height, width))


def cost(pixels: Pixels, quality: int) -> npt.NDArray[np.float64]:
    """The network's map less no map: PSNR, SSIM, MS-SSIM, SSIMULACRA2."""
    reference, budget = Reference(pixels), len(plain.encode(pixels, quality))
    rows = []
    for saliency in (networks_map(pixels), None):
        data = ours(pixels, saliency, budget, "default", True)
        rows.append(reference.score(plain.decode(data)))
    return np.asarray(rows[0] - rows[1])


def main(argv: list[str] | None = None) -> int:
    """See the module's docstring."""
    return command.run(_arguments(), work, argv)


def work(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    sets = {str(folder): in_folder(folder) for folder in arguments.folders}
    if arguments.cut_out:
        sets["cut out"] = cut_out(arguments.cut_out)
    sets = sets or {"made": ((name, make()) for name, make in PICTURES.items())}
    costs = []
    for title, pictures in sets.items():
        shares = []
        for name, pixels in pictures:
            share = share_drawn(pixels)
            shares.append((share, name))
            if arguments.cost and share >= DRAWN:
                costs.append([cost(pixels, quality) for quality in arguments.qualities])
                told = " | ".join("{:+.2f} {:+.4f} {:+.2f}".format(*c[[0, 1, 3]]) for c in costs[-1])
                print(f"{name:30s} {told}", flush=True)
        if not shares:
            raise OptionError(f"{title}: no pictures there")
        shares.sort()
        n_drawn = sum(share >= DRAWN for share, _ in shares)
        low, high = (", ".join(f"{share:.2f} {name}" for share, name in part) for part in (shares[:3], shares[:-4:-1]))
        print(f"{title}: {len(shares)} pictures, {n_drawn} drawn; lowest {low}; highest {high}", flush=True)
    for i, quality in enumerate(arguments.qualities if costs else []):
        values = np.array(costs)[:, i]
        print(
            f"Q {quality}, the network's map on {len(values)}: mean {values[:, 0].mean():+.3f} dB (worst "
            f"{values[:, 0].min():+.2f}), SSIMULACRA2 {values[:, 3].mean():+.2f} (worst {values[:, 3].min():+.2f})"
        )
    print(f"drawn from {DRAWN} of at least {TILES_ENOUGH} uneven tiles")


def _arguments() -> argparse.ArgumentParser:
    parser = command.parser("train.studies.drawn", __doc__)
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--cut-out", type=Path)
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--qualities", type=int, nargs="+", default=[30, 50, 75])
    return parser


if __name__ == "__main__":
    sys.exit(main())
