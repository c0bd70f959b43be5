"""What a benchmark is given, checked before anything runs: pictures, masks, maps, fixations.

A picture that cannot be read is noted and left out. A mask, map or entry of fixations that is missing or
does not fit is an error: a table with holes in it helps nobody.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from msroi.arrays import Floats
from msroi.benchmark.subject import Subject
from msroi.errors import MsroiError, OptionError, SaliencyError
from msroi.images import Picture, read
from msroi.saliency.own_map import user_map

# In place of a folder of masks: a Gaussian in the middle, sigma a quarter of each side.
CENTRE = "centre"

# Sigma of the density of fixations: 24 pixels of OSIE's 800, about one degree of sight (DESIGN 12).
_FIXATION_BLUR = 24 / 800

_MASK_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
_MAP_SUFFIXES = (*_MASK_SUFFIXES, ".npy")

# Names in files and folders of the run have no separators in them.
_LONGEST_NAME = 120


@dataclass(frozen=True)
class Entry:
    """A picture of the run and what belongs to it.

    name: in rows and file names, each once. mask, own_map: files, or CENTRE. fixations: (n, 2) x and y as shares
    of width and height. fingerprint: changes with anything that a row of the picture depends on.
    """

    name: str
    path: Path
    width: int
    height: int
    fingerprint: str
    mask: Path | str | None = None
    own_map: Path | None = None
    fixations: tuple[tuple[float, float], ...] | None = None

    def subject(self, threads: int = 1) -> Subject:
        """The picture itself, upright, with its maps."""
        return Subject(
            _upright(self.path),
            mask=None if self.mask is None else _mask(self.mask, self.height, self.width),
            fixations=None if self.fixations is None else density(self.fixations, self.height, self.width),
            own_map=None if self.own_map is None else user_map(self.own_map, self.height, self.width),
            mask_is_soft=self.mask == CENTRE,
            threads=threads,
        )


@dataclass(frozen=True)
class Unreadable:
    """A picture that could not be read, and why."""

    name: str
    message: str


def survey(
    pictures: Sequence[tuple[Path, Path]],
    masks: Path | str | None = None,
    maps: Path | None = None,
    fixations: Path | None = None,
    threads: int = 1,
) -> tuple[list[Entry], list[Unreadable]]:
    """Read everything once.

    pictures: (file, its place below the folder that was given). masks: a folder of pictures of the same names and
    sizes, or CENTRE; maps: a folder of maps of any size; fixations: a JSON file, {"NAME": {"size": [width,
    height], "fixations": [[x, y], ...]}} in pixels.
    Errors: OptionError for a folder or file that is not there or has nothing for a picture, SaliencyError for a
    mask, map or fixations that do not fit.
    """
    names = unique_names([relative for _, relative in pictures])
    points = None if fixations is None else _read_fixations(fixations)
    for folder, option in ((masks, "--masks"), (maps, "--maps")):
        if isinstance(folder, Path) and not folder.is_dir():
            raise OptionError(f"{option} {folder}: no such folder")

    def look(item: tuple[str, tuple[Path, Path]]) -> Entry | Unreadable:
        name, (path, relative) = item
        try:
            picture = read(path)
        except MsroiError as error:  # also a format whose extra is not installed
            return Unreadable(name, str(error))
        digest = hashlib.sha256(picture.source.data or b"")
        return _entry(name, relative, path, picture, digest, masks, maps, points)

    with ThreadPoolExecutor(max(1, threads)) as pool:
        found = list(pool.map(look, zip(names, pictures, strict=True)))
    return [e for e in found if isinstance(e, Entry)], [e for e in found if isinstance(e, Unreadable)]


def _entry(
    name: str,
    relative: Path,
    path: Path,
    picture: Picture,
    digest: Any,
    masks: Path | str | None,
    maps: Path | None,
    points: Mapping[str, Any] | None,
) -> Entry:
    width, height = picture.upright_size
    mask: Path | str | None = None
    if masks == CENTRE:
        mask = CENTRE
        digest.update(b"centre")
    elif masks is not None:
        mask = _belonging(Path(masks), relative, "mask", _MASK_SUFFIXES)
        _mask(mask, height, width)
        digest.update(b"mask" + mask.read_bytes())
    own_map = None
    if maps is not None:
        own_map = _belonging(maps, relative, "map", _MAP_SUFFIXES)
        user_map(own_map, height, width)
        digest.update(b"map" + own_map.read_bytes())
    shares = None
    if points is not None:
        shares = _shares(points, relative, width, height)
        digest.update(repr(shares).encode())
    return Entry(name, path, width, height, digest.hexdigest()[:32], mask, own_map, shares)


def unique_names(relatives: Sequence[Path]) -> list[str]:
    """A name for each picture, fit for a file: its stem, or where that occurs twice its whole place."""
    stems = Counter(path.stem.casefold() for path in relatives)
    names: list[str] = []
    taken: set[str] = set()
    for path in relatives:
        whole = "_".join(path.parts).replace(".", "_")
        base = _plain(path.stem if stems[path.stem.casefold()] == 1 else whole)
        name, number = base, 2
        while name.casefold() in taken:
            name, number = f"{base}-{number}", number + 1
        taken.add(name.casefold())
        names.append(name)
    return names


def _plain(name: str) -> str:
    """Without what some file system, URL or spreadsheet does not take."""
    kept = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)
    return kept[:_LONGEST_NAME] or "_"


def _upright(path: Path) -> Picture:
    """The picture as it is coded: as it was read, or its upright pixels alone where it is stored turned."""
    picture = read(path)
    return picture if picture.orientation == 1 else read(picture.upright, name=str(path))


def _belonging(folder: Path, relative: Path, what: str, suffixes: Sequence[str]) -> Path:
    """The file in `folder` of a picture's name, at the picture's place or at the top."""
    for place in dict.fromkeys((folder / relative, folder / relative.name)):
        for suffix in suffixes:
            candidate = place.with_suffix(suffix)
            if candidate.is_file():
                return candidate
    raise OptionError(f"{folder}: no {what} for {relative}; it must be called {relative.stem}.png (or another picture)")


def _mask(mask: Path | str, height: int, width: int) -> Floats:
    """float32 (height, width) in [0, 1]. Errors: SaliencyError for another size."""
    if not isinstance(mask, Path):
        return centred(height, width)
    found = read(mask).upright_size
    if found != (width, height):
        raise SaliencyError(
            f"{mask}: a mask of {found[0]} x {found[1]} pixels for a picture of {width} x {height}; "
            "a mask has the size of its picture"
        )
    return np.asarray(user_map(mask, height, width), np.float32)


def centred(height: int, width: int) -> Floats:
    """A Gaussian in the middle, sigma a quarter of each side, largest value 1."""
    y, x = (((np.arange(n) - (n - 1) / 2) / (n / 4)) ** 2 / 2 for n in (height, width))
    return np.exp(-y[:, None] - x[None, :]).astype(np.float32)


def _read_fixations(path: Path) -> Mapping[str, Any]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OptionError(f"--fixations {path}: cannot be read: {error}") from None
    if not isinstance(entries, dict):
        raise OptionError(f'--fixations {path}: give {{"NAME": {{"size": [w, h], "fixations": [[x, y], ...]}}}}')
    return entries


def _shares(entries: Mapping[str, Any], relative: Path, width: int, height: int) -> tuple[tuple[float, float], ...]:
    """Fixations inside the picture, as shares of its sides."""
    names = (relative.as_posix(), relative.name, relative.stem)
    entry = next((entries[name] for name in names if name in entries), None)
    if entry is None:
        raise OptionError(f"fixations: none for {relative}")
    try:
        size = np.array(entry.get("size", (width, height)), np.float64)
        points = np.array(entry["fixations"], np.float64).reshape(-1, 2) / size.reshape(2)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise SaliencyError(f"fixations of {relative}: no list of [x, y] in pixels") from None
    inside = points[((points >= 0) & (points < 1)).all(axis=1)]
    if not len(inside):
        raise SaliencyError(f"fixations of {relative}: none lies inside the picture")
    return tuple((float(x), float(y)) for x, y in inside)


def density(shares: npt.ArrayLike, height: int, width: int) -> Floats:
    """How densely a picture was looked at: float32 (height, width), largest value 1.

    shares: fixations (n, 2), x and y as shares of width and height, 0 to below 1. Each is a Gaussian of sigma 3 % of
    the width, about one degree of sight.
    """
    counts = np.zeros((height, width))
    columns, rows = (np.array(shares) * (width, height)).astype(int).T
    np.add.at(counts, (rows, columns), 1)
    blurred = cv2.GaussianBlur(counts, (0, 0), max(0.5, _FIXATION_BLUR * width))
    return (blurred / blurred.max()).astype(np.float32)
