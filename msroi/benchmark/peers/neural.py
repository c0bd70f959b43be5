"""This package's neural codecs."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

from msroi.benchmark.encoder import Coder, Encoder, Face, Pixels
from msroi.benchmark.subject import Subject
from msroi.errors import MissingExtraError, SaliencyError
from msroi.search.knobs import Interval
from msroi.version import __version__

# It takes seconds a file.
_SLOW_NEAR_ENOUGH, _SLOW_TRIES = 0.006, 4


class Neural(Encoder):
    """A neural codec of this package whose settings are mean levels of iterations, 1 to 24.

    weights: its network's file, None for the one that ships.
    """

    suffix = ".msn"
    ours = True
    has_quality_numbers = False
    has_levels = True
    keeps_pixels = True

    def __init__(self, name: str, codec: str, by: str, face: Face, weights: Path | None = None) -> None:
        self.name, self._codec_name, self._by, self._weights = name, codec, by, weights
        self.face = face
        self.follows_map = by == "map"

    def with_weights(self, weights: Path | None) -> Neural:
        """The same with another network."""
        return Neural(self.name, self._codec_name, self._by, self.face, weights)

    @functools.cached_property
    def _codec(self) -> Any:
        from msroi.codecs.neural import load

        return load(self._codec_name, self._weights)

    def missing(self) -> str:
        try:
            self._codec.network_sha256  # noqa: B018 - reads the network's file
        except (MissingExtraError, SaliencyError) as error:
            return str(error)
        return ""

    def version(self) -> str:
        return f"msroi {__version__}, {self._codec_name}, network {self._codec.network_sha256[:16]}"

    def prepare(self) -> None:
        from msroi.codecs.neural import Rate
        from msroi.codecs.neural.quiet import import_keras

        import_keras()
        self._codec.compress(np.zeros((1, 1), np.uint8), None, Rate(level=1))

    def start(self, subject: Subject) -> Coder:
        """A file takes seconds, so sizes are guessed and not tried: uncoded, an iteration of a cell takes 4 bytes."""
        from msroi.codecs.neural import Rate
        from msroi.codecs.neural.allocation import CELL, MOST

        pixels, saliency = subject.pixels, subject.neural_saliency if self.follows_map else None
        n_cells = -(-pixels.shape[0] // CELL) * -(-pixels.shape[1] // CELL)

        def encode(level: float) -> bytes:
            data: bytes = self._codec.compress(pixels, saliency, Rate(level=level))
            return data

        knob = Interval(1.0, float(MOST), "level", near_enough=_SLOW_NEAR_ENOUGH, tries=_SLOW_TRIES)
        return Coder(encode, knob, lambda level: 4 * n_cells * level)

    def decode(self, data: bytes) -> Pixels:
        pixels: Pixels = self._codec.decompress(data)
        return pixels

    def describe(self, setting: float, data: bytes) -> str:
        return f"level={setting:.4f}"
