"""The kinds of map that are read out of a network's evidence.

evidence of each look --sureness--> flat where it is unsure
                      --read-out--> map on a grid finer than the network's
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from msroi import drawn
from msroi.saliency import activation_maps as maths
from msroi.saliency import network as networks
from msroi.saliency.curves import SQUARE_ROOT, Curve, SquareRoot
from msroi.saliency.kind import FLAT_VALUE, Found, Kind, View
from msroi.saliency.network import DEFAULT_NETWORK, Evidence

MAP_VERSION = 3
"""Rises whenever the same network's map of a picture changes by what the code does; constants count by themselves.

2: screens, pages of text and drawings have a flat map. 3: boxes and faces come after the curve."""

SURE_FROM = 0.52
"""Sureness below which a map is given up for a flat one: see `sureness` and docs/network/README.md.

Chosen by `python -m train.studies.sureness` between noise, gradients, fog, clouds and the open sea below and the
first photo with a subject above, .53."""

BACKGROUND, SUBJECT = 0.1, 0.5
"""Values of the map up to which all is background to an encoder, and from which all is subject.

The map is half what people name and half where they look, so a subject seldom comes near 1. Of the gain that a human
mask brings an encoder inside the mask, on held-back photos of DUTS, the map brings 76 to 84 % as it is and 91 to 97 %
so; by fixations it gains .03 to .06 dB more: `python -m train.studies.steering`, docs/network/README.md."""


FLAT_RANGE = 2
"""A picture whose values, seen by the network, span no more than this is flat: there is nothing to find."""

ReadOut = Callable[[Sequence[Evidence], Mapping[str, Any]], np.ndarray]


def coarse_map(kind: str, looks: Sequence[Evidence], card: Mapping[str, Any]) -> np.ndarray:
    """The map of a kind on a grid `FINER` than the network's, the finest of several looks': float64 (h, w), 0 to 1."""
    return READ_OUTS[kind](looks, card)


def kind(name: str, line: str, *, network: str = DEFAULT_NETWORK, curves: Mapping[str, Curve] | None = None) -> Kind:
    """A kind that reads its map out of a network's evidence, flat where that is no ground for one.

    name: in READ_OUTS. curves: besides the square root.
    """
    return Kind(
        functools.partial(_find, name),
        line,
        version=MAP_VERSION,
        constants=(sys.modules[__name__], maths, networks, drawn),
        network=network,
        curves={SQUARE_ROOT: SquareRoot(), **(curves or {})},
    )


def _find(name: str, view: View) -> Found:
    card = view.network.card
    if drawn.is_drawn(view.pixels):
        return Found(FLAT_VALUE, "drawing or screen: nothing stands out, all matters alike")
    if np.ptp(view.seen, axis=(0, 1)).max() <= FLAT_RANGE:
        return Found(FLAT_VALUE)
    sure = sureness(view.evidence, card)
    if sure < SURE_FROM:
        notice = f"map unsure ({sure:.2f}, sure from {SURE_FROM}): nothing stands out, all matters alike"
        return Found(FLAT_VALUE, notice)
    return Found(coarse_map(name, view.evidence, card))


def sureness(looks: Sequence[Evidence], card: Mapping[str, Any]) -> float:
    """How sure the network is that anything stands out: the highest value of its objects and gaze maps, 0 to 1.

    Their learned sigmoids make the values probabilities; the gaze map counts before it is divided by its maximum.
    On held-back photos the values below .52 are fog, clouds and the open sea; noise has .1 and less. Of a
    network without learned sigmoids, whose maps are stretched to 0 to 1, nothing is known and 1 is said.
    """
    if "objects" not in card["read_out"]:
        return 1.0
    return float(max(_objects(looks, card).max(), _gaze(looks, card).max()))


def _objects(looks: Sequence[Evidence], card: Mapping[str, Any]) -> np.ndarray:
    return _read_out([(e.object_maps, e.logits) for e in looks], card["read_out"].get("objects"), maths.N_BEST)


def _gaze(looks: Sequence[Evidence], card: Mapping[str, Any]) -> np.ndarray:
    found = [(e.gaze_maps, e.logits) for e in looks if e.gaze_maps is not None]
    return _read_out(found, card["read_out"].get("gaze"), maths.N_BEST) if found else _objects(looks, card)


def _ms_roi(looks: Sequence[Evidence], card: Mapping[str, Any]) -> np.ndarray:
    if looks[0].gaze_maps is None:
        return _objects(looks, card)
    return maths.blended(_objects(looks, card), _gaze(looks, card))


def _best_class(looks: Sequence[Evidence], card: Mapping[str, Any]) -> np.ndarray:
    # Grad-CAM of a network with global average pooling is its class activation map after ReLU, up to
    # scale (Selvaraju et al. 2017, section 3.1), so both names read the same map.
    return _read_out([(e.object_maps, e.logits) for e in looks], None, 1)


def _read_out(
    looks: Sequence[tuple[np.ndarray, np.ndarray]], sigmoid: dict[str, float] | None, n_best: int
) -> np.ndarray:
    """The best classes' map, through the learned sigmoid or, without one, stretched to [0, 1].

    looks: class maps and logits; their evidence is enlarged and averaged before the sigmoid.
    """
    evidence = maths.averaged(
        [maths.weighted_map(one, *maths.best_classes(maths.softmax(logits), n_best)) for one, logits in looks]
    )
    return maths.stretched(evidence) if sigmoid is None else maths.calibrated(evidence, **sigmoid)


READ_OUTS: dict[str, ReadOut] = {
    "ms-roi": _ms_roi,
    "ms-roi-labels": _objects,
    "objects": _objects,
    "gaze": _gaze,
    "cam": _best_class,
    "grad-cam": _best_class,
}
"""What is made of evidence, by the name of the kind."""
