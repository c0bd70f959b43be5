"""This package's JPEG encoders."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from msroi.benchmark.encoder import Encoder, Face, sampling_of
from msroi.codecs.jpeg import CODECS, make_codec
from msroi.images import Picture
from msroi.saliency.steering import Steering
from msroi.search.session import Session
from msroi.version import __version__

# With this begin the settings in the rows of an encoder that has two passes.
Q_FINAL = "q_final="


class Msroi(Encoder):
    """An encoder of this package. by: "map" (the one that was given, or the network's), "mask" or "" (no map)."""

    ours = True
    has_quality_numbers = False

    def __init__(self, name: str, method: str, by: str, face: Face, **options: Any) -> None:
        self.name, self.face = name, face
        self._codec, self._options = make_codec(method, options), options
        self.curve = self._codec.curve
        self.needs_mask, self.follows_map = by == "mask", by == "map"

    def version(self) -> str:
        return f"msroi {__version__}, {self._codec.name} {self._codec.version}"

    def start(self, picture: Picture, steering: Steering | None, threads: int) -> Session:
        return self._codec.start(picture, steering, threads)

    def facts(self, data: bytes) -> dict[str, Any]:
        return self._codec.facts(data)

    def describe(self, setting: Any, data: bytes) -> str:
        options = [f"{option}={value}" for option, value in self._options.items()]
        return " ".join([f"setting={setting:.6f}", *options, sampling_of(data)]).strip()


class TwoPass(Msroi):
    """The paper's encoder, whose setting is the quality of its second pass: `Q_FINAL` in its rows."""

    has_quality_numbers = True

    def __init__(self, name: str, by: str, face: Face, **options: Any) -> None:
        super().__init__(name, "two-pass", by, face, **options)

    def describe(self, setting: Any, data: bytes) -> str:
        options = [f"{name}={getattr(self._codec, name)}" for name in ("q_low", "q_high", "levels")]
        return " ".join([f"{Q_FINAL}{setting}", *options, sampling_of(data)]).strip()


def other_codecs(known: Collection[str]) -> Iterator[Msroi]:
    """Each JPEG codec of the registry that is none of `known`, with the map, where it has a use for one, and without.

    The yardstick is among the benchmark's encoders as what it is, Pillow.
    """
    for name, codec in CODECS.items():
        if name in known or codec.is_yardstick:
            continue
        if codec.uses_map:
            yield Msroi(name, name, "map", Face("ours: JPEG that follows a map"))
        yield Msroi(f"{name}-constant", name, "", Face("ours: JPEG without a map"))
