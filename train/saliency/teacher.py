"""What the teacher thinks of the classes: a linear layer on GoogLeNet's pooled features."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np

from msroi.errors import OptionError
from train.saliency.measures import top_k
from train.saliency.sources import Source

CHUNK = 256
EPOCHS = 8


@dataclass(frozen=True)
class Teacher:
    """mean, spread: float32 (channels,) of the pooled features; kernel (channels, classes); bias (classes,)."""

    mean: np.ndarray
    spread: np.ndarray
    kernel: np.ndarray
    bias: np.ndarray

    def logits(self, hint: np.ndarray) -> np.ndarray:
        """hint: (n, h, w, channels), the teacher's features. Returns float32 (n, classes)."""
        return self._from_pooled(pool(hint))

    def _from_pooled(self, pooled: np.ndarray) -> np.ndarray:
        return (pooled - self.mean) / self.spread @ self.kernel + self.bias


def pool(hint: np.ndarray) -> np.ndarray:
    """Mean over the cells, float32 (n, channels)."""
    return hint.astype(np.float32).mean(axis=(1, 2))


def fit(source: Source, n_classes: int) -> tuple[Teacher, float]:
    """Learn the classes from the labelled photos; also top-1 on those held back (NaN without any).

    Errors: OptionError if the source has no features of a teacher.
    """
    known = np.flatnonzero((source.label >= 0) & ~source.held_back)
    held_back = np.flatnonzero((source.label >= 0) & source.held_back)
    pooled = _pooled(source, known)
    mean, spread = pooled.mean(0), pooled.std(0) + 1e-3
    layer = keras.layers.Dense(n_classes, dtype="float32")
    model = keras.Sequential([keras.Input((pooled.shape[1],)), layer])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(1e-3, weight_decay=0.05), loss)
    model.fit((pooled - mean) / spread, source.label[known], batch_size=128, epochs=EPOCHS, verbose=0)
    kernel, bias = (np.asarray(value, np.float32) for value in layer.get_weights())
    teacher = Teacher(mean, spread, kernel, bias)
    if not len(held_back):
        return teacher, float("nan")
    logits = teacher._from_pooled(_pooled(source, held_back))
    return teacher, top_k(logits, source.label[held_back], 1)


def _pooled(source: Source, indices: np.ndarray) -> np.ndarray:
    parts = []
    for start in range(0, len(indices), CHUNK):
        arrays = source.read(indices[start : start + CHUNK], 0)
        if "hint" not in arrays:
            raise OptionError("the photos come without a teacher's features; give --teacher googlenet.npz")
        parts.append(pool(arrays["hint"]))
    return np.concatenate(parts)
