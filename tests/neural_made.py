"""Untrained networks for the tests of the neural codecs, and small pictures to code with them.

As a program, `python neural_made.py CODEC WEIGHTS PICTURE.npy SETTING FILE DECODED.npy`: what another process makes of
a picture (its file) and of the file that is there already (its picture).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import toy_codec


def _recurrent(path: Path, seed: int) -> None:
    from msroi.codecs.neural.recurrent.network import random_weights

    random_weights(path, 1 / 16, seed)
    with np.load(path) as stored:
        arrays = dict(stored)
    # Weights as they are drawn give a picture of one grey, on which no difference would show.
    np.savez(path, **{name: 3 * array if array.dtype == np.float16 else array for name, array in arrays.items()})


UNTRAINED: dict[str, Callable[[Path, int], None]] = {"recurrent": _recurrent, "toy": toy_codec.untrained}
"""For each codec, how the file of an untrained network is made. A new codec has a line here."""

LADDER: dict[str, tuple[float, ...]] = {"recurrent": (1, 1.5, 2, 4, 8), "toy": (128, 60, 24, 12, 8)}
"""And settings of its knob, from a small file to a large one."""


def picture(height: int, width: int, *, grey: bool = False, seed: int = 0) -> np.ndarray:
    """A picture with smooth parts, edges and noise: uint8 (height, width[, 3])."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    planes = [np.sin(y / (7 + k)) * 50 + np.cos(x / (11 - k)) * 50 + (x > 20 + k) * 40 + 100 for k in range(3)]
    values = np.stack(planes, axis=2) + rng.normal(0, 6, (height, width, 3))
    pixels = values.clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(pixels[..., 0]) if grey else pixels


def main(codec: str, weights: str, pixels: str, setting: str, file: str, decoded: str) -> None:
    from msroi.codecs.neural import load
    from msroi.images import read

    toy_codec.register()
    coder = load(codec, Path(weights))
    np.save(decoded, coder.decode(Path(file).read_bytes()))
    Path(file).with_suffix(".other").write_bytes(coder.start(read(np.load(pixels))).encode(float(setting)))


if __name__ == "__main__":
    main(*sys.argv[1:])
