"""Where batches come from: stored features of a frozen trunk, or views made on the spot.

Both give the same arrays, so the training loop does not know which it has. A batch is a pure function
of the recipe's seed and the step: a resumed run sees what an unbroken one would have seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np

from msroi.errors import OptionError
from train.data.datasets import Sample
from train.data.views import NONE, Augmentation, make_view
from train.saliency.features import Store

MASK, FIXATIONS = 1, 2


class Source(Protocol):
    """label int (n,), kind int (n,), held_back bool (n,); `read` gives arrays by name for some entries:
    x (the network's input), hint (or absent), mask (n, 2g, 2g) and density (n, g, g), float32."""

    label: np.ndarray
    kind: np.ndarray
    held_back: np.ndarray

    def read(self, indices: np.ndarray, step: int) -> dict[str, np.ndarray]: ...


class StoredFeatures:
    """Entries of a `Store`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.label, self.kind, self.held_back = (np.array(a) for a in (store.label, store.kind, store.held_back))

    def read(self, indices: np.ndarray, step: int) -> dict[str, np.ndarray]:
        store = self.store
        arrays = {
            "x": store.block3[indices].astype(np.float32),
            "mask": store.mask[indices].astype(np.float32) / 255,
            "density": store.density[indices],
        }
        if store.hint is not None:
            arrays["hint"] = store.hint[indices].astype(np.float32)
        return arrays


class LiveViews:
    """Views made anew in each step; the teacher, if there is one, looks at the same pixels."""

    def __init__(
        self,
        samples: Sequence[Sample],
        side: int,
        augmentation: Augmentation,
        teacher: Any | None,
        seed: int,
        cells: int,
    ) -> None:
        self.samples, self.side, self.augmentation = list(samples), side, augmentation
        self.teacher, self.seed, self.cells = teacher, seed, cells
        self.label = np.array([s.label for s in self.samples])
        self.kind = np.array([MASK if s.mask else FIXATIONS if s.fixations is not None else 0 for s in self.samples])
        self.held_back = np.array([s.held_back for s in self.samples])
        self._pool = ThreadPoolExecutor(4)

    def read(self, indices: np.ndarray, step: int) -> dict[str, np.ndarray]:
        views = list(self._pool.map(lambda i: self._view(int(i), step), indices))
        fine, coarse = 2 * self.cells, self.cells
        arrays = {
            "x": np.stack([view.pixels for view in views]).astype(np.float32),
            "mask": np.stack([_grid(v.mask, fine, np.mean) for v in views]),
            "density": np.stack([_grid(v.density, coarse, np.sum) for v in views]),
        }
        if self.teacher is not None:
            arrays["hint"] = np.asarray(self.teacher.predict_on_batch(arrays["x"]), dtype=np.float32)
        return arrays

    def _view(self, index: int, step: int) -> Any:
        sample = self.samples[index]
        augmentation = NONE if sample.held_back else self.augmentation
        return make_view(sample, self.side, augmentation, (self.seed, index, step))


def _grid(values: np.ndarray | None, cells: int, reduce: Any) -> np.ndarray:
    """A target reduced to `cells` x `cells`; zeros where there is none."""
    if values is None:
        return np.zeros((cells, cells), np.float32)
    factor = values.shape[0] // cells
    blocks = values[: cells * factor, : cells * factor].reshape(cells, factor, cells, factor)
    return np.asarray(reduce(blocks, axis=(1, 3)), dtype=np.float32)


class Sampler:
    """Which entries make up a step: (with labels, with masks, with fixations).

    Classes are drawn in proportion to the square root of their size: between the photos' own frequency,
    in which rare classes starve, and equal shares, in which their few photos are learned by heart.
    """

    def __init__(self, source: Source, batch: tuple[int, int, int], seed: int) -> None:
        free = ~source.held_back
        groups = [free & (source.label >= 0), free & (source.kind == MASK), free & (source.kind == FIXATIONS)]
        self.members = [np.flatnonzero(group) for group in groups]
        for members, size, what in zip(self.members, batch, ("labels", "masks", "fixations"), strict=True):
            if size and not len(members):
                raise OptionError(f"the recipe takes {size} photos with {what} a step and none were given")
        labels = source.label[self.members[0]]
        counts = np.bincount(labels, minlength=1)[labels] if len(labels) else np.ones(0)
        self.shares = counts**-0.5 / np.sum(counts**-0.5)
        self.batch, self.seed = batch, seed

    def draw(self, step: int) -> np.ndarray:
        """Indices of one step."""
        random = np.random.default_rng((self.seed, step))
        drawn = [random.choice(self.members[0], self.batch[0], p=self.shares)] if self.batch[0] else []
        drawn += [random.choice(m, n) for m, n in zip(self.members[1:], self.batch[1:], strict=True) if n]
        return np.concatenate(drawn)
