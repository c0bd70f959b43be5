"""Does the map agree with people? `python -m train.evaluate_map --ecssd DIR --osie DIR [--kinds ...]`.

Objects: largest F (beta^2 0.3) and mean absolute error against human masks (ECSSD). Gaze: AUC-Judd, NSS and
correlation with fixations (OSIE). A centred blob stands beside every map: a map near it is worth nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from msroi.errors import MsroiError
from msroi.images import read
from msroi.saliency import KINDS, make_map
from train import datasets
from train.measures import correlation, max_f
from train.views import read_mask

SIDE = 224
"""Masks and maps are compared on a square of this many pixels, so that each photo counts alike."""

BLUR_PIXELS = 24.0
"""Sigma of the density of fixations, about one degree of sight on OSIE's 800 x 600."""

MapOf = Callable[[np.ndarray], np.ndarray]


def main(argv: list[str] | None = None) -> int:
    options = _arguments().parse_args(argv)
    try:
        maps: dict[str, MapOf] = {"centre": centre_blob}
        for kind in options.kinds:
            maps[kind] = lambda pixels, kind=kind: make_map(pixels, kind)  # type: ignore[misc]
        rows = [score(name, map_of, options) for name, map_of in maps.items()]
    except MsroiError as error:
        print(f"train.evaluate_map: {error}", file=sys.stderr)
        return error.exit_status
    columns = list(rows[0])
    print("| " + " | ".join(columns) + " |\n|" + " --- |" * len(columns))
    for row in rows:
        print("| " + " | ".join(v if isinstance(v, str) else f"{v:.3f}" for v in row.values()) + " |")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


def score(name: str, map_of: MapOf, options: argparse.Namespace) -> dict[str, float | str]:
    """One row of the table."""
    row: dict[str, float | str] = {"map": name}
    if options.ecssd:
        maps, masks = _object_maps(map_of, datasets.photos_with_masks(options.ecssd))
        row |= {"max-F": max_f(maps, masks), "MAE": float(np.abs(maps - (masks >= 0.5)).mean())}
    if options.osie:
        row |= _gaze_scores(map_of, datasets.photos_with_fixations(options.osie))
    return row


def centre_blob(pixels: np.ndarray) -> np.ndarray:
    """A Gaussian at the centre, sigma a quarter of each side: what a map must beat."""
    height, width = pixels.shape[:2]
    y, x = (np.arange(n) / n - 0.5 + 0.5 / n for n in (height, width))
    return np.exp(-(y[:, None] ** 2 + x[None] ** 2) / (2 * 0.25**2)).astype(np.float32)


def _object_maps(map_of: MapOf, samples: list[datasets.Sample]) -> tuple[np.ndarray, np.ndarray]:
    maps, masks = [], []
    for sample in samples:
        pixels = read(sample.path).upright
        assert sample.mask is not None
        mask = read_mask(sample.mask)
        maps.append(cv2.resize(map_of(pixels), (SIDE, SIDE), interpolation=cv2.INTER_AREA))
        masks.append(cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    return np.stack(maps), np.stack(masks)


def _gaze_scores(map_of: MapOf, samples: list[datasets.Sample]) -> dict[str, float]:
    scores = []
    for sample in samples:
        assert sample.fixations is not None
        saliency = map_of(read(sample.path).upright).astype(np.float64)
        height, width = saliency.shape
        columns, rows = (sample.fixations * (width, height)).astype(int).T
        counts = np.zeros((height, width))
        np.add.at(counts, (rows, columns), 1)
        density = cv2.GaussianBlur(counts, (0, 0), BLUR_PIXELS * width / 800)
        hits = saliency[rows, columns]
        scores.append(
            [
                auc_judd(saliency, hits),
                float((hits.mean() - saliency.mean()) / (saliency.std() + 1e-9)),
                correlation(saliency[None], density[None]),
            ]
        )
    return dict(zip(("AUC-Judd", "NSS", "CC"), np.mean(scores, axis=0).tolist(), strict=True))


def auc_judd(saliency: np.ndarray, hits: np.ndarray) -> float:
    """Area under the curve of hit rate against area, thresholds at the fixated values (Judd et al. 2012)."""
    thresholds = np.sort(hits)[::-1]
    values = np.sort(saliency.ravel())
    area = (len(values) - np.searchsorted(values, thresholds, side="left")) / len(values)
    rate = np.arange(1, len(hits) + 1) / len(hits)
    x, y = np.concatenate([[0], area, [1]]), np.concatenate([[0], rate, [1]])
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train.evaluate_map", description="Does the map agree with people?")
    parser.add_argument("--ecssd", type=Path, metavar="DIR", help="photos in image/, masks in mask/")
    parser.add_argument("--osie", type=Path, metavar="DIR", help="photos in image/, fixations.json")
    parser.add_argument(
        "--kinds", nargs="+", default=["ms-roi", "objects", "gaze", "cam"], choices=[k for k in KINDS if k != "none"]
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the rows there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
