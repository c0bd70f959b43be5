"""Patches of photos to train the neural codecs on, and those that judge them.

Lossless photos are taken as they are and at half size, JPEGs at half size only, so that the network does not learn
another coder's blocks. CIFAR-100's pictures are patches already.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from msroi.errors import OptionError
from msroi.images import read

Patches = npt.NDArray[np.uint8]

SIDE = 64
"""Pixels of a stored patch; a training step takes a part of it."""

LOSSLESS = {".png", ".ppm", ".tif", ".tiff"}
CIFAR_RECORD = 2 + 3 * 32 * 32
"""Bytes of one picture in CIFAR-100's binary version: two labels, then 32 x 32 red, green and blue."""


def collect(folder: Path, per_photo: int, seed: int) -> Patches:
    """uint8 (n, 64, 64, 3): about `per_photo` patches of each photo in the folder, in random places and scales.

    Of twice as many places the ones with the most detail are kept, as Toderici et al. did: flat patches teach little.
    """
    random = np.random.default_rng(seed)
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in LOSSLESS | {".jpg", ".jpeg"})
    found: list[Patches] = []
    for path in paths:
        found += of_photo(read(path).upright, path.suffix.lower() in LOSSLESS, per_photo, random)
    if not found:
        raise OptionError(f"{folder}: no photos of {SIDE} pixels and more in this folder")
    return np.stack(found)


def of_photo(pixels: Patches, lossless: bool, n: int, random: np.random.Generator) -> list[Patches]:
    """Up to `n` patches of one photo."""
    colour = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    half = cv2.resize(colour, (colour.shape[1] // 2, colour.shape[0] // 2), interpolation=cv2.INTER_AREA)
    scales = [s for s in ([colour, half] if lossless else [half]) if min(s.shape[:2]) >= SIDE]
    if not scales:
        return []
    candidates = []
    for _ in range(2 * n):
        source = scales[random.integers(len(scales))]
        y, x = (int(random.integers(side - SIDE + 1)) for side in source.shape[:2])
        candidates.append(source[y : y + SIDE, x : x + SIDE])
    detail = [float(np.abs(np.diff(c[..., 1].astype(np.int16), axis=0)).mean()) for c in candidates]
    return [candidates[i] for i in np.argsort(detail)[::-1][:n]]


def cifar100(path: Path) -> Patches:
    """uint8 (n, 32, 32, 3) of CIFAR-100's binary version (`train.bin`; Krizhevsky 2009)."""
    data = np.fromfile(path, np.uint8)
    if not len(data) or len(data) % CIFAR_RECORD:
        raise OptionError(f"{path}: is not CIFAR-100's binary version (train.bin)")
    planes = data.reshape(-1, CIFAR_RECORD)[:, 2:].reshape(-1, 3, 32, 32)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1))


def draw(patches: Patches, n: int, side: int, random: np.random.Generator) -> Patches:
    """A batch (n, side, side, 3): random patches, a random part of each, mirrored and turned at random."""
    batch = np.empty((n, side, side, 3), np.uint8)
    for i in range(n):
        patch = patches[random.integers(len(patches))]
        y, x = (int(random.integers(patch.shape[0] - side + 1)) for _ in range(2))
        part = np.rot90(patch[y : y + side, x : x + side], int(random.integers(4)))
        batch[i] = part[:, ::-1] if random.integers(2) else part
    return batch
