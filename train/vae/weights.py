"""How much each cell of 8 x 8 pixels of the packed photos counts in SI-SSIM: their maps, made once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

import msroi
from msroi.arrays import Floats, Pixels
from msroi.options import MapKind
from train.common import files
from train.data.packed import Packed, Place

CELL = 8


@dataclass(frozen=True)
class Weights:
    """Maps of all pictures, by number: uint8 (height / 8, width / 8), 0 to 255."""

    maps: tuple[Pixels, ...]

    @classmethod
    def of(cls, pictures: Packed, kind: MapKind, folder: Path) -> Weights:
        """The maps of this kind, from the folder or made and left there. Errors: as `msroi.saliency_map`'s."""
        path = folder / f"maps-{kind}.npz"
        if path.exists():
            with np.load(path) as stored:
                if len(stored.files) == len(pictures):
                    return cls(tuple(stored[str(i)] for i in range(len(pictures))))
        made = []
        for i in range(len(pictures)):
            pixels = np.array(pictures.picture(i))
            size = (pixels.shape[1] // CELL, pixels.shape[0] // CELL)
            small = cv2.resize(msroi.saliency_map(pixels, kind=kind), size, interpolation=cv2.INTER_AREA)
            made.append(np.rint(255 * np.clip(small, 0, 1)).astype(np.uint8))
        files.write_arrays(path, {str(i): one for i, one in enumerate(made)})
        return cls(tuple(made))

    def cut(self, places: Sequence[Place], side: int) -> Floats:
        """(n, side / 8, side / 8, 1) in [0, 1] of places at multiples of 8 pixels."""
        parts = [place.of(self.maps[place.picture], side, CELL) for place in places]
        return (np.stack(parts)[..., None] / np.float32(255)).astype(np.float32)
