"""This package's neural codecs."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from msroi.benchmark.encoder import Encoder, Face, Pixels
from msroi.codecs.neural import registry
from msroi.codecs.neural.contract import NeuralCodec
from msroi.codecs.neural.weights import import_libraries
from msroi.errors import MissingExtraError, SaliencyError
from msroi.images import Limits, Picture, read
from msroi.saliency.steering import Steering
from msroi.search.session import Session
from msroi.version import __version__


class Neural(Encoder):
    """A neural codec of this package. by: "map" or "" (no map). weights: its network's file, None for what ships."""

    suffix = ".msn"
    ours = True
    has_quality_numbers = False
    keeps_pixels = True

    def __init__(self, name: str, codec: str, by: str, face: Face, weights: Path | None = None) -> None:
        self.name, self._codec_name, self._by, self._weights = name, codec, by, weights
        self.face = face
        self.follows_map = by == "map"

    def with_weights(self, weights: Path | None) -> Neural:
        """The same with another network."""
        return Neural(self.name, self._codec_name, self._by, self.face, weights)

    @functools.cached_property
    def _codec(self) -> NeuralCodec:
        return registry.load(self._codec_name, self._weights)

    @property
    def curve(self) -> str:  # type: ignore[override]
        return self._codec.curve

    def missing(self) -> str:
        try:
            self._codec.network_sha256  # noqa: B018 - reads the network's file
        except (MissingExtraError, SaliencyError) as error:
            return str(error)
        return ""

    def version(self) -> str:
        return f"msroi {__version__}, {self._codec_name}, network {self._codec.network_sha256[:16]}"

    def prepare(self) -> None:
        import_libraries(self._codec.needs)
        self._codec.start(read(np.zeros((1, 1), np.uint8))).encode(self._codec.default)

    def start(self, picture: Picture, steering: Steering | None, threads: int) -> Session:
        return self._codec.start(picture, steering, threads)

    def decode(self, data: bytes, limits: Limits | None = None) -> Pixels:
        return self._codec.decode(data, limits)

    def facts(self, data: bytes) -> dict[str, Any]:
        return self._codec.facts(data)

    def describe(self, setting: float, data: bytes) -> str:
        return f"{self._codec.knob.name}={setting:.4f}"


_MEANINGS = ("ours: a neural codec that follows a map", "ours: the neural codec without a map")

# Where a codec has its own place in charts; the others take what is free.
_FACES = {"recurrent": (Face(_MEANINGS[0], 5, "dashed", "circle"), Face(_MEANINGS[1], 5, "dotted", "diamond"))}


def neural_encoders() -> Iterator[Neural]:
    """Each neural codec of the registry, with the map and without."""
    for name in registry.CODECS:
        following, constant = _FACES.get(name) or map(Face, _MEANINGS)
        yield Neural(name, name, "map", following)
        yield Neural(f"{name}-constant", name, "", constant)
