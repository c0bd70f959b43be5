"""What a training run is judged by, on held-back photos: accuracy, object masks, gaze; and its pictures."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from msroi.images import read
from train.data.datasets import Sample
from train.saliency.sources import FIXATIONS, MASK, Source

if TYPE_CHECKING:
    import keras

    from msroi.saliency.network import Network

CHUNK = 64


def top_k(logits: np.ndarray, label: np.ndarray, k: int) -> float:
    """Share of photos whose class is among the k most probable."""
    best = np.argsort(-logits, axis=1, kind="stable")[:, :k]
    return float((best == label[:, None]).any(axis=1).mean())


def max_f(maps: np.ndarray, masks: np.ndarray, beta_squared: float = 0.3) -> float:
    """Largest F over 255 thresholds of mean precision and mean recall over the photos (Achanta et al. 2009)."""
    # Of each photo how many pixels fall into each 256th, in the mask and in all: sums from above are what is found.
    steps = np.clip((np.asarray(maps) * 256).astype(np.int64), 0, 256)
    truth = masks >= 0.5
    found = np.stack([np.bincount(one.ravel(), minlength=257) for one in steps])
    both = np.stack([np.bincount(one[mask], minlength=257) for one, mask in zip(steps, truth, strict=True)])
    found, both = (counts[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:256] for counts in (found, both))
    precision = (both / np.maximum(found, 1)).mean(axis=0)
    recall = (both / np.maximum(truth.sum((1, 2)), 1)[:, None]).mean(axis=0)
    return float(np.max((1 + beta_squared) * precision * recall / np.maximum(beta_squared * precision + recall, 1e-12)))


def correlation(maps: np.ndarray, densities: np.ndarray) -> float:
    """Mean over the photos of the linear correlation of map and density."""
    a = maps.reshape(len(maps), -1)
    b = densities.reshape(len(densities), -1)
    a, b = a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True)
    return float(((a * b).sum(1) / np.sqrt((a**2).sum(1) * (b**2).sum(1) + 1e-12)).mean())


def of_network(network: keras.Model, trainer: keras.Model, source: Source, n_classes: int) -> dict[str, float]:
    """Scores on held-back photos: top-1, top-5, max-F and MAE of objects, correlation of gaze.

    Maps are compared on the training grid; scores at full size come from the exported network.
    """
    scores: dict[str, float] = {}
    labelled = np.flatnonzero(source.held_back & (source.label >= 0))
    if len(labelled):
        logits = _predict(trainer, network, source, labelled, n_classes)["logits"]
        scores["top1"] = round(top_k(logits, source.label[labelled], 1), 4)
        scores["top5"] = round(top_k(logits, source.label[labelled], 5), 4)
    for kind, output, target in ((MASK, "objects", "mask"), (FIXATIONS, "gaze", "density")):
        held = np.flatnonzero(source.held_back & (source.kind == kind))
        if not len(held) or output not in trainer.output:
            continue
        predicted = _predict(trainer, network, source, held, n_classes)
        maps, truth = 1 / (1 + np.exp(-predicted[output])), predicted[target]
        if kind == MASK:
            scores["max_f"] = round(max_f(maps, truth), 4)
            scores["mae"] = round(float(np.abs(maps - truth).mean()), 4)
        else:
            scores["cc"] = round(correlation(maps, truth), 4)
    return scores


def _predict(trainer: Any, network: Any, source: Source, indices: np.ndarray, n_classes: int) -> dict[str, np.ndarray]:
    """Outputs of the training model and the targets, joined over chunks."""
    parts: list[dict[str, np.ndarray]] = []
    for start in range(0, len(indices), CHUNK):
        chunk = indices[start : start + CHUNK]
        arrays = source.read(chunk, 0)
        padded = np.zeros((CHUNK, *arrays["x"].shape[1:]), np.float32)
        padded[: len(chunk)] = arrays["x"]
        classes = np.tile(np.arange(5, dtype=np.int32) % n_classes, (CHUNK, 1))
        outputs = trainer.predict_on_batch({network.input.name: padded, "random_classes": classes})
        part = {name: np.asarray(value, np.float32)[: len(chunk)] for name, value in outputs.items()}
        parts.append(part | {"mask": arrays["mask"], "density": arrays["density"]})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def write_per_class(folder: Path, network: Any, trainer: Any, source: Source, names: list[str]) -> None:
    """`per_class.csv` (class, photos, top-1, top-5) and `confusion.csv` (rows: true class, columns: predicted)."""
    held = np.flatnonzero(source.held_back & (source.label >= 0))
    if not len(held):
        return
    logits = _predict(trainer, network, source, held, len(names))["logits"]
    label, predicted = source.label[held], logits.argmax(1)
    confusion = np.zeros((len(names), len(names)), int)
    np.add.at(confusion, (label, predicted), 1)
    with (folder / "per_class.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["class", "photos", "top1", "top5"])
        for i, name in enumerate(names):
            own = label == i
            if own.any():
                accuracies = [f"{top_k(logits[own], label[own], k):.4f}" for k in (1, 5)]
                writer.writerow([name, int(own.sum()), *accuracies])
    with (folder / "confusion.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["true \\ predicted", *names])
        writer.writerows([name, *row] for name, row in zip(names, confusion.tolist(), strict=True))


def of_exported(network: Network, samples: Sequence[Sample]) -> dict[str, float | int]:
    """Of a network as msroi runs it: top-1 and top-5 on labelled photos, and how many they were."""
    logits = np.stack([network.look(network.see(read(sample.path).upright)).logits for sample in samples])
    label = np.array([sample.label for sample in samples])
    ranks = (np.argsort(-logits, axis=1, kind="stable") == label[:, None]).argmax(axis=1)
    return {
        "photos": len(samples),
        "top1": round(float((ranks < 1).mean()), 4),
        "top5": round(float((ranks < 5).mean()), 4),
    }
