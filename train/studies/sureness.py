"""How sure the network is that anything stands out: `python -m train.studies.sureness --duts DIR --photos DIR ...`.

Printed for held-back photos of training sets, for folders of any photos and for pictures that are made here: the
lowest values, a few shares below thresholds, and which photos would get a flat map. `SURE_FROM` in
msroi/saliency/read_outs.py was chosen by this table; a network with another read-out needs it again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from msroi.arrays import Pixels
from msroi.images import read
from msroi.saliency.network import load
from msroi.saliency.read_outs import SURE_FROM, sureness
from train.common import command
from train.data import datasets

THRESHOLDS = (0.3, SURE_FROM, 0.7, 0.9)


def main(argv: list[str] | None = None) -> int:
    """See the module's docstring."""
    return command.run(_arguments(), work, argv)


def work(options: argparse.Namespace) -> None:
    """Measure and print."""
    for name, pixels in made_pictures().items():
        print(f"{name:24s} {sureness_of(pixels):.2f}")
    for name in ("duts", "mit1003", "scenes"):
        folder = getattr(options, name)
        if folder:
            held_back = [s.path for s in datasets.hold_back(datasets.READERS[name](folder)) if s.held_back]
            _tell(name, held_back)
    for folder in options.photos:
        _tell(folder.name, sorted(p for p in folder.iterdir() if p.suffix.lower() in datasets.SUFFIXES))


def sureness_of(pixels: Pixels) -> float:
    """Of the default network at the default quality, 0 to 1."""
    network = load()
    return sureness([network.look(network.see(pixels))], network.card)


def _tell(name: str, photos: Sequence[Path]) -> None:
    values = np.array([sureness_of(read(path).upright) for path in photos])
    shares = ", ".join(f"{100 * np.mean(values < t):.1f} % under {t}" for t in THRESHOLDS)
    print(f"{name}: {len(values)} photos, least {values.min():.2f}, median {np.median(values):.2f}; {shares}")
    for i in np.argsort(values, kind="stable"):
        if values[i] < SURE_FROM:
            print(f"  {values[i]:.2f} {photos[i].name}")


def made_pictures() -> dict[str, Pixels]:
    """Pictures in which nothing, or nothing more than the rest, stands out: uint8 (400, 600, 3)."""
    random = np.random.default_rng(0)
    made = {"noise": random.integers(0, 256, (400, 600, 3)).astype(np.float64)}
    for spread in (2, 8):
        made[f"grey, noise of {spread}"] = np.repeat(random.normal(128, spread, (400, 600, 1)), 3, axis=2)
    for sigma in (1, 3, 10, 40):
        smooth = cv2.GaussianBlur(random.normal(size=(400, 600, 3)), (0, 0), sigma)
        made[f"noise, smoothed by {sigma}"] = 128 + 50 * (smooth - smooth.mean()) / smooth.std()
    made["sky"] = np.broadcast_to(np.linspace((60, 110, 200), (190, 220, 240), 400)[:, None], (400, 600, 3))
    made["black to white"] = np.broadcast_to(np.linspace(0, 255, 600)[None, :, None], (400, 600, 3))
    made["white to black"] = np.broadcast_to(np.linspace(255, 40, 400)[:, None, None], (400, 600, 3))
    made["stripes"] = np.broadcast_to((np.arange(600) // 20 % 2 * 255)[None, :, None], (400, 600, 3))
    pictures = {name: np.clip(values, 0, 255).astype(np.uint8) for name, values in made.items()}
    return pictures | {f"page, letters of {size}": text_page(size) for size in (0.5, 0.9, 1.4)}


def text_page(size: float) -> Pixels:
    """A page of words in OpenCV's plain letters."""
    random = np.random.default_rng(int(10 * size))
    words = np.array(["quick", "brown", "foxes", "jump", "over", "a", "lazy", "dog", "and", "say", "nothing"])
    page = np.full((800, 600, 3), 250, np.uint8)
    for line in range(int(40 * size) + 20, 780, int(40 * size)):
        text = " ".join(random.choice(words, 40))[: int(540 / (18 * size))]
        cv2.putText(
            page, text, (30, line), cv2.FONT_HERSHEY_SIMPLEX, size, (20, 20, 20), max(1, int(2 * size)), cv2.LINE_AA
        )
    return page


def _arguments() -> argparse.ArgumentParser:
    parser = command.parser("train.studies.sureness", __doc__)
    for name in ("duts", "mit1003", "scenes"):
        parser.add_argument(f"--{name}", type=Path, metavar="DIR", help="a training set, of which the part held back")
    parser.add_argument("--photos", type=Path, metavar="DIR", nargs="*", default=[], help="folders of any photos")
    return parser


if __name__ == "__main__":
    sys.exit(main())
