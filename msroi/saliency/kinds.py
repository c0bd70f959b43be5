"""The kinds of map by name, each a function of the network's evidence. A new kind is one function and one line."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from msroi.drawn import is_drawn
from msroi.errors import OptionError
from msroi.images import read
from msroi.options import MapKind, MapQuality, one_of
from msroi.saliency import activation_maps as maths
from msroi.saliency.network import DEFAULT_NETWORK, Evidence, Network, load

MAP_VERSION = 2
"""Rises whenever the same network's map of a picture, or what encoders follow of it, changes; part of its identity.

2: screens, pages of text and drawings have a flat map."""

DEFAULT_KIND: MapKind = "ms-roi"
NO_MAP = "none"
FLAT_VALUE = 0.5
"""What a map says where nothing is more important than anything else."""

FLAT_RANGE = 2
"""A picture whose values, seen by the network, span no more than this is flat: there is nothing to find."""


SURE_FROM = 0.52
"""Sureness below which a map is given up for a flat one: see `sureness` and docs/network/README.md.

Chosen by `python -m train.studies.sureness` between noise, gradients, fog, clouds and the open sea below and the
first photo with a subject above, .53."""

QUALITIES: dict[str, tuple[tuple[float, bool], ...]] = {
    "fast": ((1.0, False),),
    "high": ((1.0, False), (1.0, True), (5 / 3, False), (5 / 3, True)),
}
"""What the network looks at: (sides of its input over the usual, mirrored), each a look, averaged."""

DEFAULT_QUALITY: MapQuality = "fast"


BACKGROUND, SUBJECT = 0.1, 0.5
"""Values of the map up to which all is background to an encoder, and from which all is subject.

The map is half what people name and half where they look, so a subject seldom comes near 1. Of the gain that a human
mask brings an encoder inside the mask, on held-back photos of DUTS, the map brings 76 to 84 % as it is and 91 to 97 %
so; by fixations it gains .03 to .06 dB more: `python -m train.studies.steering`, docs/network/README.md."""


@dataclass(frozen=True)
class Found:
    """A map in its small form, and what the user should know of it, "" for nothing.

    make: makes the map, float32 (height, width) in [0, 1], the same each time: of a large photo it need not lie in
    memory while nobody looks at it.
    """

    make: Callable[[], np.ndarray]
    notice: str = ""

    @property
    def saliency(self) -> np.ndarray:
        """The map, made anew."""
        return self.make()


def saliency_map(image: Any, kind: MapKind = DEFAULT_KIND, quality: MapQuality = DEFAULT_QUALITY) -> np.ndarray:
    """Where people look in `image`: float32 (height, width) in [0, 1], aligned with the upright picture.

    image: path, bytes, binary file, PIL image or uint8 array (height, width[, 3 or 4]).
    kind: a name from `KINDS`. quality: "fast", or "high", which looks four times and agrees a little better
    with people. A flat picture gives a flat map of 0.5, and so do one in which the network sees nothing that
    stands out, a screen, page of text or drawing, and kind "none"; a flat map is read-only.
    The same picture gives the same map in every run, on any number of threads.
    Raises ImageError for an image that cannot be read, OptionError for an unknown kind or quality, SaliencyError
    for a network that is missing or damaged. Source: MS-ROI, Selimović, Hladnik 2018.
    """
    return make_map(read(image).upright, kind, quality)


def make_map(pixels: np.ndarray, kind: str = DEFAULT_KIND, quality: str = DEFAULT_QUALITY) -> np.ndarray:
    """`saliency_map` of pixels that are already upright: uint8 (height, width, 3) RGB or (height, width)."""
    return find_map(pixels, kind, quality).saliency


def steering(saliency: np.ndarray, kind: str, *, in_place: bool = False) -> np.ndarray:
    """What an encoder follows of a network's map: float32, in [0, 1]; the default kind with more contrast.

    A map of one value stays as it is. in_place: the result takes the place of a float32 map.
    """
    if kind != DEFAULT_KIND or not any(saliency.strides):
        return saliency
    result = np.subtract(saliency, np.float32(BACKGROUND), out=saliency if in_place else None, dtype=np.float32)
    result *= np.float32(1 / (SUBJECT - BACKGROUND))
    return np.clip(result, 0, 1, out=result)


def find_map(pixels: np.ndarray, kind: str = DEFAULT_KIND, quality: str = DEFAULT_QUALITY) -> Found:
    """`make_map`, with a notice where the network was too unsure to be followed, or is not asked."""
    looks = QUALITIES[one_of("map_quality", quality, tuple(QUALITIES))]
    height, width = pixels.shape[:2]
    flat = functools.partial(flat_map, height, width, FLAT_VALUE)
    network = network_of(kind)
    if network is None:
        return Found(flat)
    if is_drawn(pixels):
        return Found(flat, "drawing or screen: nothing stands out, all matters alike")
    seen = {1.0: network.see(pixels)}
    if _is_flat(seen[1.0]):
        return Found(flat)
    seen |= {scale: network.see(pixels, scale) for scale, _ in looks if scale != 1.0}
    evidence = [_look(network, seen[scale], mirrored) for scale, mirrored in looks]
    sure = sureness(evidence, network.card)
    if sure < SURE_FROM:
        return Found(flat, f"map unsure ({sure:.2f}, sure from {SURE_FROM}): nothing stands out, all matters alike")
    return Found(functools.partial(maths.enlarged, coarse_map(kind, evidence, network.card), height, width))


def _look(network: Network, seen: np.ndarray, mirrored: bool) -> Evidence:
    """The network's evidence of a picture as `see` gives it, in the places of the picture as it is."""
    if not mirrored:
        return network.look(seen)
    evidence = network.look(np.ascontiguousarray(seen[:, ::-1]))
    gaze_maps = None if evidence.gaze_maps is None else evidence.gaze_maps[..., ::-1]
    return Evidence(evidence.object_maps[..., ::-1], gaze_maps, evidence.logits)


def coarse_map(kind: str, looks: Sequence[Evidence], card: dict[str, Any]) -> np.ndarray:
    """The map of a kind on a grid `FINER` than the network's, the finest of several looks': float64 (h, w), 0 to 1."""
    return _KINDS[kind].coarse(looks, card)


def sureness(looks: Sequence[Evidence], card: dict[str, Any]) -> float:
    """How sure the network is that anything stands out: the highest value of its objects and gaze maps, 0 to 1.

    Their learned sigmoids make the values probabilities; the gaze map counts before it is divided by its maximum.
    On held-back photos the values below .52 are fog, clouds and the open sea; noise has .1 and less. Of a
    network without learned sigmoids, whose maps are stretched to 0 to 1, nothing is known and 1 is said.
    """
    if "objects" not in card["read_out"]:
        return 1.0
    return float(max(_objects(looks, card).max(), _gaze(looks, card).max()))


def network_of(kind: str) -> Network | None:
    """The network that makes maps of this kind, None for no map. Errors: OptionError for an unknown kind."""
    name = network_name(kind)
    return None if name is None else load(name)


def network_name(kind: str) -> str | None:
    """The name of the network that makes maps of this kind. Errors: OptionError for an unknown kind."""
    if kind not in _KINDS:
        raise OptionError(f"map kind {kind!r}: unknown; the kinds are {', '.join(_KINDS)}")
    return _KINDS[kind].network


def flat_map(height: int, width: int, value: float) -> np.ndarray:
    """One value everywhere: float32 (height, width), read-only, four bytes of memory whatever its size."""
    return np.broadcast_to(np.float32(value), (height, width))


def _is_flat(seen: np.ndarray) -> bool:
    return bool(np.ptp(seen, axis=(0, 1)).max() <= FLAT_RANGE)


def _objects(looks: Sequence[Evidence], card: dict[str, Any]) -> np.ndarray:
    return _read_out([(e.object_maps, e.logits) for e in looks], card["read_out"].get("objects"), maths.N_BEST)


def _gaze(looks: Sequence[Evidence], card: dict[str, Any]) -> np.ndarray:
    found = [(e.gaze_maps, e.logits) for e in looks if e.gaze_maps is not None]
    return _read_out(found, card["read_out"].get("gaze"), maths.N_BEST) if found else _objects(looks, card)


def _ms_roi(looks: Sequence[Evidence], card: dict[str, Any]) -> np.ndarray:
    if looks[0].gaze_maps is None:
        return _objects(looks, card)
    return maths.blended(_objects(looks, card), _gaze(looks, card))


def _best_class(looks: Sequence[Evidence], card: dict[str, Any]) -> np.ndarray:
    # Grad-CAM of a network with global average pooling is its class activation map after ReLU, up to
    # scale (Selvaraju et al. 2017, section 3.1), so both names read the same map.
    return _read_out([(e.object_maps, e.logits) for e in looks], None, 1)


def _nothing(looks: Sequence[Evidence], card: dict[str, Any]) -> np.ndarray:
    return np.full((1, 1), FLAT_VALUE)


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


@dataclass(frozen=True)
class _Kind:
    """coarse: the map on its own grid, of looks and card of the network called `network`; line: for users."""

    coarse: Callable[[Sequence[Evidence], dict[str, Any]], np.ndarray]
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
