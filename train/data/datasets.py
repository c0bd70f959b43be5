"""Photos with class labels, object masks or fixations, as lists of samples; nothing is decoded here.

Each reader takes the folder of a data set as its authors publish it. Lists are sorted, so the same
folders give the same samples in the same order on every machine.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from msroi.errors import ImageError, OptionError

SUFFIXES = {".jpg", ".jpeg", ".png"}


@dataclass(frozen=True)
class Sample:
    """One photo and what is known of it.

    label: class 0 to 101, or -1. mask: path of an object mask (threshold 128), or None.
    fixations: float32 (n, 2), x and y as fractions of width and height, or None.
    held_back: kept out of training, to choose among variants and to measure accuracy.
    """

    path: Path
    label: int = -1
    mask: Path | None = None
    fixations: np.ndarray | None = None
    held_back: bool = False


def caltech101(folder: Path, n_validation: int = 15) -> tuple[list[Sample], list[str]]:
    """Caltech-101: samples and class names; the last `n_validation` photos of each class are held back.

    102 folders, BACKGROUND_Google among them; 15 of each is the paper's split, 1530 photos.
    """
    folder = _folder(folder)
    names = sorted(child.name for child in folder.iterdir() if child.is_dir())
    if len(names) < 2:
        raise OptionError(f"{folder}: holds {len(names)} class folders; give the folder 101_ObjectCategories")
    samples = []
    for label, name in enumerate(names):
        photos = _photos(folder / name)
        first_held_back = len(photos) - n_validation
        samples += [Sample(p, label=label, held_back=i >= first_held_back) for i, p in enumerate(photos)]
    return samples, names


def duts(folder: Path) -> list[Sample]:
    """DUTS-TR: 10,553 photos with object masks (Wang et al., CVPR 2017); a part of it may stand in image/, mask/."""
    if (_folder(folder) / "image").is_dir():
        return photos_with_masks(folder)
    return _with_masks(folder / "DUTS-TR-Image", folder / "DUTS-TR-Mask")


def msra10k(folder: Path) -> list[Sample]:
    """MSRA10K's `train` and `val` parts; `test` is never read (Cheng et al., TPAMI 37(3) 2015)."""
    parts = [_with_masks(_folder(folder) / part / "images", folder / part / "masks") for part in ("train", "val")]
    return parts[0] + parts[1]


def mit1003(folder: Path) -> list[Sample]:
    """MIT1003: 1003 photos, 15 observers (Judd et al., ICCV 2009).

    The first fixation of each scanpath sits at the centre of the screen and is dropped. A part of it may
    stand in image/ with `fixations.json`.
    """
    folder = _folder(folder)
    if (folder / "fixations.json").exists():
        return photos_with_fixations(folder)
    samples = []
    for photo in _photos(folder / "STIMULI"):
        paths = sorted((folder / "SCANPATHS" / photo.stem).iterdir())
        points = [np.loadtxt(path, ndmin=2)[1:, :2] for path in paths if path.stat().st_size]
        samples.append(_with_fixations(photo, np.concatenate([p.reshape(-1, 2) for p in points])))
    return samples


def eye_crowd(folder: Path, left_out: Sequence[str] = ()) -> list[Sample]:
    """EyeCrowd: 500 photos of crowds, 16 observers (Jiang, Xu, Zhao, ECCV 2014), less the names `left_out`."""
    from scipy.io import loadmat

    folder = _folder(folder)
    entries = loadmat(folder / "eye" / "fixations.mat", squeeze_me=True, struct_as_record=False)["fixations"]
    samples = []
    for entry in entries:
        if entry.img in left_out:
            continue
        points = [np.stack([np.atleast_1d(s.fix_x), np.atleast_1d(s.fix_y)], 1)[1:] for s in entry.subjects]
        samples.append(_with_fixations(folder / "stimuli" / entry.img, np.concatenate(points)))
    return samples


def scenes(folder: Path) -> list[Sample]:
    """Scene saliency: 500 scenes, 12 observers; columns are y, x, start, duration."""
    from scipy.io import loadmat

    folder = _folder(folder)
    table = loadmat(folder / "tidy" / "fixations.mat", squeeze_me=True, struct_as_record=False)["fixations"]
    photos = _photos(folder / "stimuli")
    samples = []
    for photo, row in zip(photos, table, strict=True):
        points = [np.reshape(cell, (-1, 4))[1:, 1::-1] for cell in row if np.size(cell)]
        samples.append(_with_fixations(photo, np.concatenate(points)))
    return samples


def photos_with_masks(folder: Path) -> list[Sample]:
    """Photos in image/ and object masks of the same names, as PNG, in mask/."""
    return _with_masks(_folder(folder) / "image", folder / "mask")


def photos_with_fixations(folder: Path) -> list[Sample]:
    """Photos in image/ and `fixations.json`: {"name.jpg": {"fixations": [[x, y], ...]}, ...} in pixels."""
    entries = json.loads((_folder(folder) / "fixations.json").read_text())
    return [_with_fixations(folder / "image" / name, np.array(e["fixations"])) for name, e in sorted(entries.items())]


READERS: dict[str, Callable[[Path], list[Sample]]] = {
    "duts": duts,
    "msra10k": msra10k,
    "mit1003": mit1003,
    "eye-crowd": eye_crowd,
    "scenes": scenes,
}


SCIKIT_IMAGES = ("astronaut.png", "camera.png", "chelsea.png", "coffee.png", "coins.png", "rocket.jpg")


def scikit_images(folder: Path) -> tuple[dict[str, list[Sample]], list[str]]:
    """Six pictures that come with scikit-image, each a class; a mask and fixations that mean nothing.

    To show that a program runs. Each picture is there to train on and once more held back; the mask, an ellipse in the
    middle, is written to `folder`. Returns samples by the name of the data set they stand for, and class names.
    """
    import cv2
    from PIL import Image
    from skimage import data

    place = Path(data.__file__).parent
    paths = [place / name for name in SCIKIT_IMAGES]
    folder.mkdir(parents=True, exist_ok=True)
    samples: dict[str, list[Sample]] = {"caltech101": [], "duts": [], "mit1003": []}
    random = np.random.default_rng(0)
    for label, path in enumerate(paths):
        if not path.is_file():
            raise OptionError(f"{path}: does not come with this scikit-image; pip install -U scikit-image")
        mask = folder / f"{path.stem}.png"
        with Image.open(path) as image:
            width, height = image.size
        ellipse = np.zeros((height, width), np.uint8)
        cv2.ellipse(ellipse, (width // 2, height // 2), (width // 4, height // 3), 0, 0, 360, 255, -1)
        mask.write_bytes(cv2.imencode(".png", ellipse)[1].tobytes())
        points = random.normal(0.5, 0.1, (30, 2)).clip(0, 0.999).astype(np.float32)
        for held_back in (False, True):
            samples["caltech101"].append(Sample(path, label=label, held_back=held_back))
            samples["duts"].append(Sample(path, mask=mask, held_back=held_back))
            samples["mit1003"].append(Sample(path, fixations=points, held_back=held_back))
    return samples, [path.stem for path in paths]


def hold_back(samples: list[Sample], one_in: int = 20) -> list[Sample]:
    """Mark about one sample in `one_in` as held back, by a hash of its file name, so that it never moves."""
    return [
        Sample(s.path, s.label, s.mask, s.fixations, zlib.crc32(s.path.name.encode()) % one_in == 0) for s in samples
    ]


def read_names(path: Path) -> list[str]:
    """The file names that a JSON file lists (the keys of its object, or the items of its list)."""
    return [str(name) for name in json.loads(path.read_text())]


def _with_masks(photos: Path, masks: Path) -> list[Sample]:
    samples = [Sample(photo, mask=masks / f"{photo.stem}.png") for photo in _photos(photos)]
    missing = [sample.path.name for sample in samples if sample.mask and not sample.mask.exists()]
    if missing:
        raise ImageError(f"{masks}: no mask for {len(missing)} photos, the first is {missing[0]}")
    return samples


def _with_fixations(photo: Path, points: np.ndarray) -> Sample:
    from PIL import Image

    with Image.open(photo) as image:
        fractions = points / np.array(image.size)
    inside = ((fractions >= 0) & (fractions < 1)).all(axis=1)
    return Sample(photo, fixations=fractions[inside].astype(np.float32))


def _folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise OptionError(f"{folder}: no such folder; give the folder of the data set")
    return folder


def _photos(folder: Path) -> list[Path]:
    return sorted(p for p in _folder(folder).iterdir() if p.suffix.lower() in SUFFIXES)
