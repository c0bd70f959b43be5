"""Views: what a network sees of a photo in training, a square cut-out under random geometry and colour.

The mask and the fixations go through the same geometry as the pixels. A view is a pure function of its
sample and its seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from msroi.errors import ImageError
from train.data.datasets import Sample


@dataclass(frozen=True)
class Augmentation:
    """How far a training view may stray from the whole, squashed photo.

    zoom: the shown part's side as a fraction of the photo's, from and to (over 1: borders mirrored).
    aspect: largest extra stretch of one side against the other.
    rotation_degrees: largest turn. flip_horizontal, flip_vertical: mirrored in half of the views.
    colour: largest change of gain and offset, as a fraction. jpeg: share of views that are JPEG coded.
    """

    zoom: tuple[float, float] = (0.55, 1.1)
    aspect: float = 1.25
    rotation_degrees: float = 10.0
    flip_horizontal: bool = True
    flip_vertical: bool = False
    colour: float = 0.15
    jpeg: float = 0.25


MS_ROI_2018 = Augmentation((0.7, 1.3), 1.0, 30.0, True, True, 0.0, 0.0)
"""The paper's: rotation to 30 degrees, scaling to 30 %, flips both ways."""

NONE = Augmentation((1.0, 1.0), 1.0, 0.0, False, False, 0.0, 0.0)


@dataclass(frozen=True)
class View:
    """pixels: uint8 (side, side, 3) RGB; mask: float32 (side / 8, side / 8) in [0, 1] or None;
    density: float32 (side / 16, side / 16), sum 1, or None."""

    pixels: np.ndarray
    mask: np.ndarray | None
    density: np.ndarray | None


def make_view(sample: Sample, side: int, augmentation: Augmentation, seed: tuple[int, ...]) -> View:
    """One view of `sample`, `side` pixels square; the same seed gives the same view."""
    random = np.random.default_rng(seed)
    photo = read_photo(sample.path)
    matrix = _geometry(photo.shape[1], photo.shape[0], side, augmentation, random)
    pixels = _warp(photo, matrix, side)[..., ::-1]
    pixels = _recolour(pixels, augmentation, random)
    mask = density = None
    if sample.mask is not None:
        warped = _warp(read_mask(sample.mask), matrix, side)
        mask = cv2.resize(warped, (side // 8, side // 8), interpolation=cv2.INTER_AREA)
    if sample.fixations is not None:
        density = _density(sample.fixations * (photo.shape[1], photo.shape[0]), matrix, side)
    return View(np.ascontiguousarray(pixels), mask, density)


def read_photo(path: Path) -> np.ndarray:
    """uint8 (height, width, 3), BGR, as stored."""
    return _read(path, cv2.IMREAD_COLOR)


def read_mask(path: Path) -> np.ndarray:
    """float32 (height, width), 0 or 1; the threshold is 128."""
    return (_read(path, cv2.IMREAD_GRAYSCALE) >= 128).astype(np.float32)


def _read(path: Path, flags: int) -> np.ndarray:
    picture = cv2.imread(str(path), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    if picture is None:
        raise ImageError(f"{path}: cannot be read as a picture")
    return np.asarray(picture)


def _geometry(
    width: int, height: int, side: int, augmentation: Augmentation, random: np.random.Generator
) -> np.ndarray:
    """The affine map from photo pixels to view pixels, float64 (2, 3); pixel centres lie at + 0.5."""
    zoom = random.uniform(*augmentation.zoom)
    stretch = augmentation.aspect ** random.uniform(-0.5, 0.5)
    shown = np.array([zoom * stretch, zoom / stretch])
    slack = np.abs(1 - shown) / 2
    centre = 0.5 + random.uniform(-slack, slack)
    angle = np.deg2rad(random.uniform(-1, 1) * augmentation.rotation_degrees)
    mirror = np.array(
        [
            -1.0 if augmentation.flip_horizontal and random.random() < 0.5 else 1.0,
            -1.0 if augmentation.flip_vertical and random.random() < 0.5 else 1.0,
        ]
    )
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = (side / shown * mirror)[:, None] * rotation / np.array([width, height])
    offset = side / 2 - linear @ (centre * (width, height))
    return np.column_stack([linear, offset])


def _warp(photo: np.ndarray, matrix: np.ndarray, side: int) -> np.ndarray:
    """Apply `matrix`; reductions are filtered first, so that nothing aliases."""
    reduction = 1 / np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    shrink = max(1.0, reduction)
    if shrink > 1.2:
        size = max(1, round(photo.shape[1] / shrink)), max(1, round(photo.shape[0] / shrink))
        matrix = matrix @ np.diag([photo.shape[1] / size[0], photo.shape[0] / size[1], 1.0])
        photo = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    at_centres = matrix.copy()
    at_centres[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    return cv2.warpAffine(photo, at_centres, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def _recolour(pixels: np.ndarray, augmentation: Augmentation, random: np.random.Generator) -> np.ndarray:
    if augmentation.colour:
        gain = 1 + random.uniform(-1, 1) * augmentation.colour + random.uniform(-1, 1, 3) * augmentation.colour / 3
        offset = random.uniform(-1, 1) * augmentation.colour * 64
        pixels = np.clip(pixels * gain + offset, 0, 255).astype(np.uint8)
        if random.random() < 0.1:
            pixels = np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    if random.random() < augmentation.jpeg:
        quality = int(random.integers(25, 90))
        coded = cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        pixels = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))[..., ::-1]
    return pixels


def _density(points: np.ndarray, matrix: np.ndarray, side: int) -> np.ndarray:
    """Fixations counted on a grid twice as fine as the target, blurred by half a cell of the target, sum 1."""
    cells = side // 8
    moved = (points @ matrix[:, :2].T + matrix[:, 2]) * (cells / side)
    counts, _, _ = np.histogram2d(moved[:, 1], moved[:, 0], bins=cells, range=((0, cells), (0, cells)))
    blurred = cv2.GaussianBlur(counts, (0, 0), 1.0, borderType=cv2.BORDER_REFLECT)
    density = blurred.reshape(cells // 2, 2, cells // 2, 2).sum(axis=(1, 3))
    return (density / max(density.sum(), 1e-9)).astype(np.float32)
