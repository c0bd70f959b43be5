"""What a kind of map is: a function of pixels that may ask for a network's evidence, and what goes with it.

    View (upright pixels, what the network says of them) --Kind.find--> Found (a small map or one value, a notice)

To add one, write a file with a function of `View` and a `Kind` of it, and its line in `KINDS` of kinds.py.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from msroi.errors import SaliencyError
from msroi.options import MapQuality, one_of
from msroi.saliency.curves import SQUARE_ROOT, Curve, SquareRoot
from msroi.saliency.network import Evidence, Network, load, network_hash, network_numbers
from msroi.saliency.values import map_values

QUALITIES: dict[str, tuple[tuple[float, bool], ...]] = {
    "fast": ((1.0, False),),
    "high": ((1.0, False), (1.0, True), (5 / 3, False), (5 / 3, True)),
}
"""What the network looks at: (sides of its input over the usual, mirrored), each a look, averaged."""

DEFAULT_QUALITY: MapQuality = "fast"

FLAT_VALUE = 0.5
"""What a map says where nothing is more important than anything else."""


@dataclass(frozen=True, eq=False)
class Found:
    """A map in its small form, and what the user should know of it, "" for nothing.

    values: float (h, w) in [0, 1] on any grid over the whole upright picture; one number where all matters alike.
    """

    values: npt.NDArray[np.floating] | float
    notice: str = ""


class View:
    """An upright picture as a kind sees it.

    pixels: uint8 (height, width, 3) RGB or (height, width). quality: a name from `QUALITIES`. network: the name of
    the network that may be asked; None: none. It is loaded when it is asked, and asked once.
    """

    def __init__(self, pixels: np.ndarray, quality: str = DEFAULT_QUALITY, network: str | None = None) -> None:
        self.pixels = pixels
        self.looks = QUALITIES[one_of("map_quality", quality, tuple(QUALITIES))]
        self._network = network

    @functools.cached_property
    def network(self) -> Network:
        """The network of the kind. Errors: SaliencyError for a kind without, and for a network that is damaged."""
        if self._network is None:
            raise SaliencyError("this kind of map names no network whose evidence it could ask for; see Kind.network")
        return load(self._network)

    @functools.cached_property
    def seen(self) -> np.ndarray:
        """The picture as the network takes it: uint8 (h, w, 3)."""
        return self.network.see(self.pixels)

    @functools.cached_property
    def evidence(self) -> Sequence[Evidence]:
        """What the network says, once a look, in the places of the picture as it is."""
        seen = {1.0: self.seen} | {
            scale: self.network.see(self.pixels, scale) for scale, _ in self.looks if scale != 1.0
        }
        return [_look(self.network, seen[scale], mirrored) for scale, mirrored in self.looks]


def _look(network: Network, seen: np.ndarray, mirrored: bool) -> Evidence:
    """The network's evidence of a picture as `see` gives it, in the places of the picture as it is."""
    if not mirrored:
        return network.look(seen)
    evidence = network.look(np.ascontiguousarray(seen[:, ::-1]))
    gaze_maps = None if evidence.gaze_maps is None else evidence.gaze_maps[..., ::-1]
    return Evidence(evidence.object_maps[..., ::-1], gaze_maps, evidence.logits)


@dataclass(frozen=True)
class Kind:
    """A kind of map.

    find: its function. line: on it, for users. version: rises whenever the same picture's map changes by the
    function's doing. constants: modules whose constants it goes by; they are part of its identity, so that a changed
    threshold makes other files. network: whose evidence it may ask for. curves: what stands behind the names that
    codecs give their curves.
    """

    find: Callable[[View], Found]
    line: str
    version: int = 1
    constants: Sequence[ModuleType] = ()
    network: str | None = None
    curves: Mapping[str, Curve] = field(default_factory=lambda: {SQUARE_ROOT: SquareRoot()})

    def identity(self, name: str, quality: str, curve: str) -> str:
        """Equal for equal maps of equal pictures, as they are followed through the curve of that name; "" for none.

        The network is not loaded.
        """
        facts: list[Any] = [constants(module) for module in self.constants]
        parts = [name]
        if self.network is not None:
            parts.append(network_hash(self.network)[:16])
            facts += [QUALITIES[quality], network_numbers(self.network)]
        parts.append(f"{self.version}-{fingerprint(*facts, repr(self.curves.get(curve)))}")
        if self.network is not None and quality != DEFAULT_QUALITY:
            parts.append(quality)
        return ":".join(parts)

    def map_of(self, pixels: np.ndarray, name: str, quality: str = DEFAULT_QUALITY) -> Found:
        """The map of an upright picture, checked. Errors: SaliencyError for one that is none, and the function's."""
        found = self.find(View(pixels, quality, self.network))
        if isinstance(found.values, np.ndarray):
            return Found(np.clip(map_values(found.values, f"map kind {name}"), 0, 1), found.notice)
        return Found(float(map_values([[float(found.values)]], f"map kind {name}")[0, 0]), found.notice)


def constants(module: ModuleType) -> dict[str, Any]:
    """The constants of a module by name: numbers, text, and what is put together of them."""
    named = {name: value for name, value in vars(module).items() if name.isupper()}
    return {name: value for name, value in named.items() if isinstance(value, int | float | str | tuple)}


def fingerprint(*facts: Any) -> str:
    """8 hexadecimal digits of values that JSON knows."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:8]
