"""Whole photos in one memory-mapped file, from which training steps cut patches without decoding anything.

    folders with shares -> decoded once, whole and halved -> pictures.bin + pictures.json -> Packed.draw -> batches

Lossless photos are taken as they are and at half size, those above 1.5 megapixels at half and quarter size, JPEGs at
half size only, so that a network does not learn another coder's blocks.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from msroi.arrays import Pixels
from msroi.errors import MsroiError, OptionError
from msroi.images import read

LOSSLESS = {".png", ".ppm", ".tif", ".tiff", ".webp"}
JPEG = {".jpg", ".jpeg"}
LARGE = 1_500_000
"""Pixels of a photo that is first halved: at full size cameras' photos are soft."""

VERSION = 1


@dataclass(frozen=True)
class Source:
    """A folder of photos. share: of the patches that are drawn from it, against the other sources' shares."""

    folder: Path
    share: float = 1.0

    @classmethod
    def parse(cls, word: str) -> Source:
        """FOLDER, or FOLDER=SHARE. Errors: OptionError for a share that is no number above 0."""
        folder, _, share = word.rpartition("=") if "=" in word else (word, "", "1")
        try:
            value = float(share)
        except ValueError:
            value = 0.0
        if not value > 0:
            raise OptionError(f"{word}: give a folder, or FOLDER=SHARE with a share above 0")
        return cls(Path(folder), value)

    def paths(self) -> list[Path]:
        """Its photos, sorted. Errors: OptionError where there are none."""
        found = sorted(p for p in self.folder.rglob("*") if p.suffix.lower() in LOSSLESS | JPEG)
        if not found:
            raise OptionError(f"{self.folder}: no photos in this folder ({', '.join(sorted(LOSSLESS | JPEG))})")
        return found


@dataclass(frozen=True)
class Place:
    """A part of a picture: its upper left corner in pixels, quarter turns, whether mirrored."""

    picture: int
    top: int
    left: int
    turns: int
    mirrored: bool

    def of(self, array: npt.NDArray[Any], side: int, cell: int = 1) -> npt.NDArray[Any]:
        """The part of `side` pixels; of an array with one value for each `cell` x `cell` pixels where there is one."""
        top, left, n = self.top // cell, self.left // cell, side // cell
        part = np.rot90(array[top : top + n, left : left + n], self.turns)
        return part[:, ::-1] if self.mirrored else part


@dataclass(frozen=True)
class Packed:
    """Pictures behind each other. table: int64 (n, 4), place of the first byte, height, width, source."""

    pixels: Pixels
    table: npt.NDArray[np.int64]
    shares: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.table)

    @property
    def megapixels(self) -> float:
        return float((self.table[:, 1] * self.table[:, 2]).sum() / 1e6)

    def picture(self, i: int) -> Pixels:
        """uint8 (height, width, 3), where it lies in the file."""
        start, height, width, _ = (int(v) for v in self.table[i])
        return self.pixels[start : start + 3 * height * width].reshape(height, width, 3)

    def chances(self, side: int) -> npt.NDArray[np.float64]:
        """How likely each picture is drawn from: its source's share, within it by the square root of its pixels.

        Errors: OptionError where none has `side` pixels on both sides.
        """
        usable = (self.table[:, 1] >= side) & (self.table[:, 2] >= side)
        weights = np.sqrt(self.table[:, 1] * self.table[:, 2].astype(np.float64)) * usable
        for source, share in enumerate(self.shares):
            own = self.table[:, 3] == source
            if weights[own].sum() > 0:
                weights[own] *= share / weights[own].sum()
        if not weights.any():
            raise OptionError(f"no photo has {side} x {side} pixels; give larger ones")
        return weights / weights.sum()

    def places(self, n: int, side: int, random: np.random.Generator, grid: int = 1) -> list[Place]:
        """n random parts of random pictures, mirrored and turned at random; at multiples of `grid` pixels."""
        found = []
        for chosen in random.choice(len(self), n, p=self.chances(side)):
            size = (int(v) for v in self.table[chosen, 1:3])
            top, left = (grid * int(random.integers((length - side) // grid + 1)) for length in size)
            found.append(Place(int(chosen), top, left, int(random.integers(4)), bool(random.integers(2))))
        return found

    def draw(self, n: int, side: int, random: np.random.Generator) -> Pixels:
        """A batch (n, side, side, 3) of random places."""
        return self.cut(self.places(n, side, random), side)

    def cut(self, places: Sequence[Place], side: int) -> Pixels:
        """The batch (n, side, side, 3) that lies at these places."""
        return np.stack([place.of(self.picture(place.picture), side) for place in places])


def held_back(paths: Sequence[Path], n: int) -> list[Path]:
    """n of the paths, evenly spaced: what judges and is not trained on; fewer where half of all would be taken."""
    n = min(n, len(paths) // 2)
    return [paths[(2 * i + 1) * len(paths) // (2 * n)] for i in range(n)]


def pack(folder: Path, sources: Sequence[Source], excluded: Sequence[Path] = (), least: int = 64) -> Packed:
    """Pack the sources' photos into the folder, or take what lies there of the same sources.

    excluded: photos to leave out. least: pixels of the shorter side of what is kept. A photo that cannot be read is
    left out. Errors: OptionError where nothing is left.
    """
    known = [[str(s.folder.resolve()), len(s.paths())] for s in sources]
    facts = {"version": VERSION, "sources": known, "excluded": sorted(p.name for p in excluded), "least": least}
    data, index = folder / "pictures.bin", folder / "pictures.json"
    stored = json.loads(index.read_text(encoding="utf-8")) if index.exists() else {}
    if stored.get("facts") != facts:
        folder.mkdir(parents=True, exist_ok=True)
        index.unlink(missing_ok=True)
        rows = _write(data, sources, {p.resolve() for p in excluded}, least)
        if not rows:
            raise OptionError(f"no photos with {least} pixels on the shorter side in {known[0][0]}")
        stored = {"facts": facts, "table": rows}
        index.write_text(json.dumps(stored), encoding="utf-8")
    table = np.asarray(stored["table"], np.int64)
    return Packed(np.memmap(data, np.uint8, "r"), table, tuple(s.share for s in sources))


def _write(data: Path, sources: Sequence[Source], excluded: set[Path], least: int) -> list[list[int]]:
    """Append all pictures to the file; the table."""
    table: list[list[int]] = []
    place = 0
    with data.open("wb") as file:
        for number, source in enumerate(sources):
            for path in source.paths():
                if path.resolve() in excluded:
                    continue
                try:
                    sizes = scales(read(path).upright, path.suffix.lower() in LOSSLESS)
                except MsroiError:
                    continue
                for pixels in sizes:
                    if min(pixels.shape[:2]) >= least:
                        file.write(np.ascontiguousarray(pixels).tobytes())
                        table.append([place, pixels.shape[0], pixels.shape[1], number])
                        place += pixels.size
    return table


def scales(pixels: Pixels, lossless: bool) -> list[Pixels]:
    """A photo in the sizes that are trained on, in colour."""
    colour = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    half = _halved(colour)
    if not lossless:
        return [half]
    return [half, _halved(half)] if colour.shape[0] * colour.shape[1] > LARGE else [colour, half]


def _halved(pixels: Pixels) -> Pixels:
    size = (max(1, pixels.shape[1] // 2), max(1, pixels.shape[0] // 2))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
