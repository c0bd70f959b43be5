"""Best and worst cases of a map in one picture: photo, map over it, what people marked or looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from msroi.images import read
from msroi.saliency.pictures import overlay
from train.studies.people import Case, MapOf

N_CASES = 6
THUMBNAIL = 320


def draw_sheet(path: Path, title: str, map_of: MapOf, sets: dict[str, list[Case]]) -> None:
    """A PNG with the best cases of each set on the left and the worst on the right.

    sets: name and unit of the score ("ECSSD, correlation") and the cases of all its photos.
    """
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    rows = [(name, pair) for name, cases in sets.items() for pair in _extremes(cases)]
    figure, axes = pyplot.subplots(len(rows), 6, figsize=(15, 2.1 * len(rows)), squeeze=False, layout="constrained")
    figure.suptitle(f"{title}: best cases on the left, worst on the right")
    for line, (name, pair) in zip(axes, rows, strict=True):
        for half, case in zip((line[:3], line[3:]), pair, strict=True):
            _draw_case(half, name, case, map_of)
    figure.savefig(path, dpi=80)
    pyplot.close(figure)


def _extremes(cases: Sequence[Case]) -> list[tuple[Case, Case]]:
    """(best, worst), (second best, second worst), ..."""
    ordered = sorted(cases, key=lambda case: case.score)
    n = min(N_CASES, len(ordered) // 2)
    return list(zip(ordered[::-1][:n], ordered[:n], strict=True))


def _draw_case(axes: Sequence[Any], name: str, case: Case, map_of: MapOf) -> None:
    pixels = read(case.path).upright
    saliency = map_of(pixels)
    scale = THUMBNAIL / max(pixels.shape[:2])
    size = round(pixels.shape[1] * scale), round(pixels.shape[0] * scale)
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    fine = cv2.resize(np.asarray(saliency, np.float32), size, interpolation=cv2.INTER_AREA)
    axes[0].imshow(small, cmap="gray")
    axes[1].imshow(overlay(small, np.clip(fine, 0, 1)))
    if case.truth.ndim == 2 and case.truth.shape[1] == 2:
        axes[2].imshow(small // 3, cmap="gray")
        axes[2].scatter(case.truth[:, 0] * size[0], case.truth[:, 1] * size[1], s=3, c="yellow")
    else:
        axes[2].imshow(cv2.resize(case.truth, size, interpolation=cv2.INTER_AREA), cmap="gray", vmin=0, vmax=1)
    axes[0].set_title(f"{name} {case.score:.2f}", fontsize=9)
    axes[1].set_title(case.path.name, fontsize=9)
    for one in axes:
        one.set_axis_off()
