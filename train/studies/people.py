"""How well a map at full size agrees with people: masks, fixations, faces and words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from msroi.benchmark import inputs
from msroi.images import read
from train.data import datasets
from train.data.views import read_mask
from train.saliency.measures import correlation, max_f

SIDE = 224
"""Masks and maps are compared on a square of this many pixels, so that each photo counts alike."""

UPPER_THIRD = 2 / 3
LEAST_FACE = 24.0
"""Pixels of a face's shorter side; smaller ones are not counted."""

MapOf = Callable[[np.ndarray], np.ndarray]
Polygon = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One photo's score; the higher the better. truth: a mask, or fixations as fractions (n, 2)."""

    path: Path
    score: float
    truth: np.ndarray


def objects(map_of: MapOf, samples: Sequence[datasets.Sample]) -> tuple[dict[str, float], list[Case]]:
    """Largest F (beta^2 .3) and mean absolute error against masks; a photo's own score is its correlation."""
    maps, masks = [], []
    for sample in samples:
        assert sample.mask is not None
        saliency = map_of(read(sample.path).upright)
        maps.append(cv2.resize(saliency, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
        masks.append(cv2.resize(read_mask(sample.mask), (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    stack, truth = np.stack(maps), np.stack(masks)
    scores = {"max-F": max_f(stack, truth), "MAE": float(np.abs(stack - (truth >= 0.5)).mean())}
    cases = [
        Case(sample.path, correlation(stack[i : i + 1], truth[i : i + 1]), truth[i]) for i, sample in enumerate(samples)
    ]
    return scores, cases


def gaze(map_of: MapOf, samples: Sequence[datasets.Sample]) -> tuple[dict[str, float], list[Case]]:
    """AUC-Judd, NSS and correlation with the density of fixations; a photo's own score is its NSS."""
    scores, cases = [], []
    for sample in samples:
        assert sample.fixations is not None
        saliency = map_of(read(sample.path).upright).astype(np.float64)
        height, width = saliency.shape
        columns, rows = (sample.fixations * (width, height)).astype(int).T
        hits = saliency[rows, columns]
        nss = float((hits.mean() - saliency.mean()) / (saliency.std() + 1e-9))
        seen = inputs.density(sample.fixations, height, width)
        scores.append([auc_judd(saliency, hits), nss, correlation(saliency[None], seen[None])])
        cases.append(Case(sample.path, nss, sample.fixations))
    return dict(zip(("AUC-Judd", "NSS", "CC"), np.mean(scores, axis=0).tolist(), strict=True)), cases


def auc_judd(saliency: np.ndarray, hits: np.ndarray) -> float:
    """Area under the curve of hit rate against area, thresholds at the fixated values (Judd et al. 2012).

    Pixels that tie with a threshold count as area, so a flat map scores .5.
    """
    thresholds = np.sort(hits)[::-1]
    values = np.sort(saliency.ravel())
    area = (len(values) - np.searchsorted(values, thresholds, side="left")) / len(values)
    rate = np.arange(1, len(hits) + 1) / len(hits)
    # Fixations of one value are found all at once: their area goes with the last of them.
    last = np.append(thresholds[1:] != thresholds[:-1], True)
    x, y = np.concatenate([[0], area[last], [1]]), np.concatenate([[0], rate[last], [1]])
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))


def in_upper_third(saliency: np.ndarray, regions: Sequence[Polygon]) -> list[bool]:
    """Of each region, whether it lies in the upper third of the map's area.

    saliency: (height, width); regions: polygons (n, 2) of x, y in pixels. A region counts if the mean over its
    pixels of the map's rank (the share of the picture that the map puts lower, ties half) is at least 2/3. Ranks,
    because they are the same whatever curve a map is drawn with and half of a flat map is not its third; the mean
    over the region, because an encoder follows the map in every block and a peak in one corner saves no face.
    """
    values = saliency.ravel()
    ordered = np.sort(values)
    below = np.searchsorted(ordered, values, side="left") + np.searchsorted(ordered, values, side="right")
    ranks = (below / (2 * len(values))).reshape(saliency.shape)
    found = []
    for region in regions:
        inside = np.zeros(saliency.shape, np.uint8)
        cv2.fillPoly(inside, [np.round(region).astype(np.int32)], 1)
        found.append(bool(inside.any()) and float(ranks[inside > 0].mean()) >= UPPER_THIRD)
    return found


def share_in_upper_third(map_of: MapOf, photos: Sequence[tuple[Path, list[Polygon]]]) -> float:
    """Of all regions of all photos, the share in the upper third of their map's area."""
    found: list[bool] = []
    for path, regions in photos:
        found += in_upper_third(map_of(read(path).upright), regions)
    return sum(found) / max(1, len(found))


def faces(folder: Path) -> list[tuple[Path, list[Polygon]]]:
    """Photos in image/ and their faces of `faces.json` that are not backs of heads and have 24 pixels and more."""

    def boxes(entry: dict[str, list[dict[str, list[float]]]]) -> Iterator[Polygon]:
        for face in entry["faces"]:
            x, y, width, height = face["box"]
            if min(width, height) >= LEAST_FACE and not face["back"]:
                yield np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])

    entries = json.loads((folder / "faces.json").read_text())
    return [(folder / "image" / name, list(boxes(entry))) for name, entry in sorted(entries.items())]


def words(folder: Path) -> list[tuple[Path, list[Polygon]]]:
    """Photos in image/ and the readable words of `words.json`; `###` is not."""
    entries = json.loads((folder / "words.json").read_text())
    return [
        (folder / "image" / name, [np.reshape(w["quad"], (4, 2)) for w in entry["words"] if w["word"] != "###"])
        for name, entry in sorted(entries.items())
    ]
