"""The pictures that the encoder is tuned on, and what a parameter set is worth on them.

Pictures: crops of lossless photos, CID22's training part to choose by and CLIC's validation part to check on.
Worth: at plain's bytes at several Q, how many per cent fewer bytes a set needs than the reference set for the
same PSNR, SSIM, MS-SSIM and SSIMULACRA2, from the local slope of each metric against log bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from msroi.arrays import Pixels
from msroi.codecs.jpeg import plain
from msroi.codecs.jpeg.rdo.session import RdoSession
from msroi.codecs.jpeg.rdo.tables import Preset
from train.data.folders import lossless
from train.encoder.scores import Reference


def pictures(folder: Path, side: int = 384, count: int | None = None) -> list[Pixels]:
    """Crops of `side` pixels from the centre of a folder's PNG files, of all or of `count` evenly chosen."""
    files = lossless(folder)
    if count is not None:
        files = [files[i * len(files) // count] for i in range(min(count, len(files)))]
    crops = []
    for file in files:
        with Image.open(file) as image:
            pixels = np.asarray(image.convert("RGB"))
        top, left = (max(0, n - side) // 2 for n in pixels.shape[:2])
        crops.append(np.ascontiguousarray(pixels[top : top + side, left : left + side]))
    return crops


@dataclass
class Case:
    """One picture at one size."""

    pixels: Pixels
    max_bytes: int
    setting: float = 0.5
    reference: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(4))
    slopes: npt.NDArray[np.float64] = field(default_factory=lambda: np.ones(4))


class Bench:
    """Worth of parameter sets against a reference set."""

    def __init__(self, crops: list[Pixels], qualities: tuple[int, ...], base: Preset) -> None:
        self.groups: list[tuple[Reference, list[Case]]] = []
        for pixels in crops:
            cases = [Case(pixels, len(plain.encode(pixels, q))) for q in qualities]
            reference = Reference(pixels)
            encoder = RdoSession.of(pixels, base)
            for case in cases:
                for _ in range(4):
                    _, n_bytes = self._at(reference, encoder, case)
                    case.setting += math.log(case.max_bytes / n_bytes) / 7.0
                    case.setting = min(max(case.setting, 0.05), 0.98)
                low = self._at(reference, encoder, case, -0.02)
                high = self._at(reference, encoder, case, 0.02)
                case.slopes = (high[0] - low[0]) / math.log(high[1] / low[1])
                case.reference = self._landed(case, *self._at(reference, encoder, case))
            self.groups.append((reference, cases))

    @staticmethod
    def _at(
        reference: Reference, encoder: RdoSession, case: Case, offset: float = 0.0
    ) -> tuple[npt.NDArray[np.float64], int]:
        data = encoder.near(case.setting).encode(case.setting + offset)
        return reference.score(plain.decode(data)), len(data)

    @staticmethod
    def _landed(case: Case, values: npt.NDArray[np.float64], n_bytes: int) -> npt.NDArray[np.float64]:
        return values + case.slopes * math.log(case.max_bytes / n_bytes)

    def savings(self, preset: Preset, subset: slice = slice(None), **options: object) -> npt.NDArray[np.float64]:
        """(cases, 4): per cent of the bytes saved at equal score, by each metric."""
        rows = []
        for reference, cases in self.groups[subset]:
            encoder = RdoSession.of(cases[0].pixels, preset, **options)  # type: ignore[arg-type]
            for case in cases:
                values, n_bytes = self._at(reference, encoder, case)
                off = math.log(case.max_bytes / n_bytes)
                case.setting = min(max(case.setting + off / 7.0, 0.05), 0.98)
                if abs(off) > 0.02:
                    values, n_bytes = self._at(reference, encoder, case)
                landed = self._landed(case, values, n_bytes)
                rows.append(100 * (landed - case.reference) / case.slopes)
        return np.array(rows)
