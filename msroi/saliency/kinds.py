"""The kinds of map by name, each a function of the network's evidence. A new kind is one function and one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from msroi.errors import OptionError
from msroi.images import read
from msroi.saliency import activation_maps as maths
from msroi.saliency.network import DEFAULT_NETWORK, Evidence, Network, load

DEFAULT_KIND = "ms-roi"
NO_MAP = "none"
FLAT_VALUE = 0.5
"""What a map says where nothing is more important than anything else."""

FLAT_RANGE = 2
"""A picture whose values, seen by the network, span no more than this is flat: there is nothing to find."""


def saliency_map(image: Any, kind: str = DEFAULT_KIND) -> np.ndarray:
    """Where people look in `image`: float32 (height, width) in [0, 1], aligned with the upright picture.

    image: path, bytes, binary file, PIL image or uint8 array (height, width[, 3 or 4]).
    kind: a name from `KINDS`. A flat picture gives a flat map of 0.5, and so does kind "none"; a flat map is
    read-only.
    The same picture gives the same map in every run, on any number of threads.
    Raises ImageError for an image that cannot be read, OptionError for an unknown kind, SaliencyError for a
    network that is missing or damaged. Source: MS-ROI, Selimović, Hladnik 2018.
    """
    return make_map(read(image).upright, kind)


def make_map(pixels: np.ndarray, kind: str = DEFAULT_KIND) -> np.ndarray:
    """`saliency_map` of pixels that are already upright: uint8 (height, width, 3) RGB or (height, width)."""
    height, width = pixels.shape[:2]
    network = network_of(kind)
    if network is None:
        return flat_map(height, width, FLAT_VALUE)
    seen = network.see(pixels)
    if _is_flat(seen):
        return flat_map(height, width, FLAT_VALUE)
    coarse = _KINDS[kind].coarse(network.look(seen), network.card)
    return maths.enlarged(coarse, height, width)


def network_of(kind: str) -> Network | None:
    """The network that makes maps of this kind, None for no map. Errors: OptionError for an unknown kind."""
    if kind not in _KINDS:
        raise OptionError(f"map kind {kind!r}: unknown; the kinds are {', '.join(_KINDS)}")
    name = _KINDS[kind].network
    return None if name is None else load(name)


def flat_map(height: int, width: int, value: float) -> np.ndarray:
    """One value everywhere: float32 (height, width), read-only, four bytes of memory whatever its size."""
    return np.broadcast_to(np.float32(value), (height, width))


def _is_flat(seen: np.ndarray) -> bool:
    return bool(np.ptp(seen, axis=(0, 1)).max() <= FLAT_RANGE)


def _objects(evidence: Evidence, card: dict[str, Any]) -> np.ndarray:
    return _read_out(evidence.object_maps, evidence.logits, card["read_out"].get("objects"), maths.N_BEST)


def _gaze(evidence: Evidence, card: dict[str, Any]) -> np.ndarray:
    if evidence.gaze_maps is None:
        return _objects(evidence, card)
    return _read_out(evidence.gaze_maps, evidence.logits, card["read_out"].get("gaze"), maths.N_BEST)


def _ms_roi(evidence: Evidence, card: dict[str, Any]) -> np.ndarray:
    if evidence.gaze_maps is None:
        return _objects(evidence, card)
    return maths.blended(_objects(evidence, card), _gaze(evidence, card))


def _best_class(evidence: Evidence, card: dict[str, Any]) -> np.ndarray:
    # Grad-CAM of a network with global average pooling is its class activation map after ReLU, up to
    # scale (Selvaraju et al. 2017, section 3.1), so both names read the same map.
    return _read_out(evidence.object_maps, evidence.logits, None, 1)


def _nothing(evidence: Evidence, card: dict[str, Any]) -> np.ndarray:
    return np.full((1, 1), FLAT_VALUE)


def _read_out(class_maps: np.ndarray, logits: np.ndarray, sigmoid: dict[str, float] | None, n_best: int) -> np.ndarray:
    """The best classes' map, through the learned sigmoid or, without one, stretched to [0, 1]."""
    evidence = maths.weighted_map(class_maps, *maths.best_classes(maths.softmax(logits), n_best))
    return maths.stretched(evidence) if sigmoid is None else maths.calibrated(evidence, **sigmoid)


@dataclass(frozen=True)
class _Kind:
    """coarse: the map on the network's grid, of what the network called `network` says; line: for users."""

    coarse: Callable[[Evidence, dict[str, Any]], np.ndarray]
    line: str
    network: str | None = DEFAULT_NETWORK


_KINDS = {
    "ms-roi": _Kind(_ms_roi, "objects and gaze together, from the five most probable classes (default)"),
    "ms-roi-labels": _Kind(_objects, "as published: the network was taught by class labels alone", "ms-roi-labels"),
    "objects": _Kind(_objects, "what people would call the subject"),
    "gaze": _Kind(_gaze, "where people look first"),
    "cam": _Kind(_best_class, "class activation map of the best class alone"),
    "grad-cam": _Kind(
        _best_class, "Grad-CAM of the best class (the same map: the network ends in global average pooling)"
    ),
    NO_MAP: _Kind(_nothing, "no map: everything matters alike", None),
}

KINDS: dict[str, str] = {name: kind.line for name, kind in _KINDS.items()}
"""Names of the kinds and a line on each."""
