"""Frozen features, computed once: views of every photo through VGG16's blocks 1 to 3 and the teacher.

The store is a folder of .npy files, filled in order and resumable: `filled.json` says how far it is.
A view of 160 pixels takes 256 kB.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from msroi.errors import OptionError
from train.common.ahead import made_ahead
from train.common.files import write_json
from train.data.datasets import Sample
from train.data.views import NONE, Augmentation, View, make_view
from train.saliency.recipes import Recipe

CHUNK = 32
PROGRESS = "filled.json"
Identity = dict[str, Any]


@dataclass(frozen=True)
class Store:
    """Arrays of one entry a view, memory-mapped.

    block3: float16 (n, side / 8, side / 8, 256). hint: float16 (n, side / 32, side / 32, 1024) or None.
    label: int16 (n,), -1 unknown. mask: uint8 (n, side / 8, side / 8), 0 to 255. density: float32
    (n, side / 16, side / 16). kind: uint8 (n,), 0 nothing, 1 mask, 2 fixations. held_back: bool (n,).
    """

    block3: np.ndarray
    hint: np.ndarray | None
    label: np.ndarray
    mask: np.ndarray
    density: np.ndarray
    kind: np.ndarray
    held_back: np.ndarray

    def __len__(self) -> int:
        return len(self.label)


def plan(samples: Mapping[str, Sequence[Sample]], views: Mapping[str, int]) -> list[tuple[Sample, int]]:
    """Which views are made: (sample, number of the view); held-back photos are seen once, whole."""
    rows = []
    for name, members in samples.items():
        for sample in members:
            rows += [(sample, i) for i in range(1 if sample.held_back else views.get(name, 1))]
    return rows


def fill(
    folder: Path,
    rows: Sequence[tuple[Sample, int]],
    known: Identity,
    recipe: Recipe,
    trunk: Any,
    teacher: Any | None,
    say: Callable[[str], None],
) -> Store:
    """Compute what is missing of the store in `folder` and return it open. known: the rows' `identity`."""
    folder.mkdir(parents=True, exist_ok=True)
    done = filled(folder, known)
    store = _open(folder, len(rows), recipe.side, teacher is not None, create=done == 0)
    started, first = time.monotonic(), done
    for start, views in _chunks(rows, done, recipe.side, recipe.augmentation, recipe.seed):
        chunk = rows[start : start + CHUNK]
        _write(store, start, chunk, views, trunk, teacher)
        done = start + len(chunk)
        if done % (CHUNK * 32) < CHUNK or done == len(rows):
            for array in (store.block3, store.hint, store.mask, store.density):
                if isinstance(array, np.memmap):
                    array.flush()
            write_json(folder / PROGRESS, known | {"done": done})
            rate = (done - first) / (time.monotonic() - started)
            say(f"features {done} of {len(rows)}, {rate:.1f} views a second")
    return store


def identity(rows: Sequence[tuple[Sample, int]], recipe: Recipe, layers: Sequence[Path]) -> Identity:
    """Equal for equal features: photos, views, augmentation and the files with the networks they go through."""
    digest = hashlib.sha256(repr(recipe.augmentation).encode())
    for sample, view in rows:
        digest.update(f"{sample.path.parent.name}/{sample.path.name} {view} {sample.held_back}\n".encode())
    for path in layers:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return {"side": recipe.side, "seed": recipe.seed, "of": digest.hexdigest()[:32]}


def filled(folder: Path, known: Identity) -> int:
    """How many views the store in `folder` holds, 0 without one. Errors: OptionError for one of other features."""
    progress = folder / PROGRESS
    if not progress.exists():
        return 0
    found = json.loads(progress.read_text())
    if any(found.get(key) != value for key, value in known.items()):
        raise OptionError(f"{folder}: holds features of other photos or another recipe; remove the folder")
    return int(found["done"])


def _open(folder: Path, n: int, side: int, teacher: bool, create: bool) -> Store:
    fine, coarse, far = side // 8, side // 16, side // 32
    shapes: dict[str, tuple[tuple[int, ...], Any]] = {
        "block3": ((n, fine, fine, 256), np.float16),
        "hint": ((n, far, far, 1024), np.float16),
        "label": ((n,), np.int16),
        "mask": ((n, fine, fine), np.uint8),
        "density": ((n, coarse, coarse), np.float32),
        "kind": ((n,), np.uint8),
        "held_back": ((n,), np.bool_),
    }
    arrays: dict[str, Any] = {"hint": None}
    for name, (shape, dtype) in shapes.items():
        if name == "hint" and not teacher:
            continue
        path = folder / f"{name}.npy"
        if create:
            arrays[name] = np.lib.format.open_memmap(path, "w+", dtype, shape)
        else:
            arrays[name] = np.lib.format.open_memmap(path, "r+")
    return Store(**arrays)


def _chunks(
    rows: Sequence[tuple[Sample, int]], done: int, side: int, augmentation: Augmentation, seed: int
) -> Iterator[tuple[int, list[View]]]:
    """Views of the rows from `done` on, a chunk ahead of the network."""

    def one(index: int) -> View:
        sample, view = rows[index]
        return make_view(sample, side, NONE if sample.held_back else augmentation, (seed, index, view))

    def chunk(start: int) -> list[View]:
        return [one(index) for index in range(start, min(start + CHUNK, len(rows)))]

    return made_ahead(chunk, range(done, len(rows), CHUNK), threads=2)


def _write(
    store: Store, start: int, chunk: Sequence[tuple[Sample, int]], views: list[View], trunk: Any, teacher: Any
) -> None:
    stop = start + len(chunk)
    pixels = np.zeros((CHUNK, *views[0].pixels.shape), np.float32)
    pixels[: len(views)] = [view.pixels for view in views]
    store.block3[start:stop] = trunk.predict_on_batch(pixels)[: len(views)]
    if store.hint is not None:
        store.hint[start:stop] = teacher.predict_on_batch(pixels)[: len(views)]
    for i, ((sample, _), view) in enumerate(zip(chunk, views, strict=True), start):
        store.label[i] = sample.label
        store.held_back[i] = sample.held_back
        store.kind[i] = 1 if view.mask is not None else 2 if view.density is not None else 0
        if view.mask is not None:
            store.mask[i] = np.round(np.clip(view.mask, 0, 1) * 255)
        if view.density is not None:
            store.density[i] = view.density
