"""Class activation maps to one saliency map: the mathematics, in NumPy.

Definition (MS-ROI: Selimović, Hladnik 2018; DESIGN section 6): f is the last feature map, w the weights of
the classes, z_c = sum_k w_kc mean(f_k) + b_c, p = softmax(z), CAM_c = sum_k w_kc f_k. The map is

    M = sum over the five most probable classes of p_c CAM_c / sum p_c.

The paper says 'weighted sum of the top five' and no more; weighting by probability is our reading.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from msroi.errors import SaliencyError

N_BEST = 5
MAP_STEPS = 1024
"""Maps are rounded to this many steps on their grid, far above the noise of float summation."""

FINER = 5
"""Cells of the map's grid to one of the network's, on each axis: evidence is enlarged before the sigmoid.

So the object maps were taught (train/saliency/losses.py): the sigmoid of enlarged evidence has edges, an enlarged
sigmoid is a blur. On held-back photos 4, 5 and 8 gain the same, 2 gains less (docs/network/README.md). Odd, so that the
values of the network's own cells stay in the map: its highest is what `sureness` in read_outs.py goes by.
"""


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of the classes; logits: float (classes,)."""
    shifted = np.exp(np.asarray(logits, dtype=np.float64) - np.max(logits))
    return np.asarray(shifted / shifted.sum())


def best_classes(probabilities: np.ndarray, n_best: int = N_BEST) -> tuple[np.ndarray, np.ndarray]:
    """The most probable classes, first the best, and their weights, which sum to 1."""
    classes = np.argsort(-probabilities, kind="stable")[:n_best]
    return classes, probabilities[classes] / probabilities[classes].sum()


def weighted_map(class_maps: np.ndarray, classes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """sum of weight * class map; class_maps: float (all classes, h, w). Returns float64 (h, w)."""
    if class_maps.ndim != 3:
        raise SaliencyError(f"class maps have the shape {class_maps.shape}; it must be (classes, height, width)")
    return np.tensordot(weights, class_maps[classes].astype(np.float64), axes=1)


def calibrated(evidence: np.ndarray, scale: float, offset: float) -> np.ndarray:
    """A supervised map's sigmoid with its two learned numbers: float (h, w) in [0, 1]."""
    return rounded(1 / (1 + np.exp(-np.clip(scale * evidence + offset, -30, 30))))


def stretched(evidence: np.ndarray) -> np.ndarray:
    """A label-only map: ReLU, then minimum to 0 and maximum to 1; flat evidence gives a flat map of 0.5."""
    positive = np.maximum(evidence, 0)
    span = positive.max() - positive.min()
    if span < 1e-6:
        return np.full(evidence.shape, 0.5)
    return rounded((positive - positive.min()) / span)


def blended(objects: np.ndarray, gaze: np.ndarray) -> np.ndarray:
    """What both sets of class maps say: half the objects, half the gaze over its own maximum."""
    return rounded(0.5 * objects + 0.5 * gaze / max(float(gaze.max()), 1e-6))


def averaged(evidence: Sequence[np.ndarray]) -> np.ndarray:
    """The mean of evidence (h, w) for the same picture on grids of different fineness, on a grid for the map.

    That is `FINER` times as fine as the finest of them; bilinear, with half-pixel centres. Returns float64.
    """
    width, height = (FINER * max(one.shape[axis] for one in evidence) for axis in (1, 0))
    same = [cv2.resize(one.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) for one in evidence]
    return np.asarray(np.mean(same, axis=0, dtype=np.float64))


def rounded(values: np.ndarray) -> np.ndarray:
    """In steps of 1 / 1024, so that a last bit of the network hardly ever shows in a file."""
    return np.round(values * MAP_STEPS) / MAP_STEPS
