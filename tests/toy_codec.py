"""A neural codec in a hundred lines: the DCT of 8 x 8 pixels, a range coder, and a quantiser's step as its knob.

Its "network" is a table of how large each coefficient usually is. That the contract is no codec's own is held by this
one, which goes through all of tests/test_neural_contract.py. `register` is what a new codec adds: two lines.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from msroi.arrays import Pixels, Saliency
from msroi.codecs.neural import container, registry
from msroi.codecs.neural.container import Header, Section
from msroi.codecs.neural.contract import NeuralCodec, NeuralSession, Progress, Symbols
from msroi.codecs.neural.weights import built
from msroi.entropy import FrequencyTables, RangeDecoder, RangeEncoder, round_to_total
from msroi.errors import BitstreamError
from msroi.search.knobs import Steps

MOST = 128
"""Steps of a coefficient at most, on either side of 0: 8 x 128 in steps of 8."""

COSINES = (
    np.cos(np.pi * np.arange(8)[:, None] * (2 * np.arange(8) + 1) / 16) * np.where(np.arange(8), 0.5, 8**-0.5)[:, None]
)
TO_LUMA = np.array([[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]])
BANDS = np.digitize(np.add.outer(np.arange(8), np.arange(8)).ravel(), [1, 4])
"""For each coefficient its section: DC, the low ones, the others."""


def usual_sizes(arrays: dict[str, Any]) -> np.ndarray:
    """How large coefficients usually are, in eighths: int64 (64, 1)."""
    return np.asarray(arrays["spread"], np.int64).reshape(64, 1)


@dataclass(frozen=True)
class Toy(NeuralCodec):
    """The codec with the table of a file."""

    weights: Path | None = None
    name = "toy"
    bytes_version = "1"
    shipped = Path(__file__).with_name("toy.npz")
    knob = Steps("step", [eighths / 8 for eighths in range(1024, 63, -1)], look=2)
    default = 16.0
    knob_help = "the quantiser's step, 8 to 128"
    needs = ("constriction",)
    max_pixels = 16_000_000

    def session(self, pixels: Pixels, saliency: Saliency | None, tell: Progress) -> ToySession:
        return ToySession(self, pixels, saliency, tell)

    def tables(self, eighths: int) -> FrequencyTables:
        """The wider, the larger a coefficient usually is; in whole numbers, so that every machine has the same."""
        distance = eighths * abs(np.arange(-MOST, MOST + 1))
        spread = built(usual_sizes, self.network)
        return round_to_total(((spread**2 << 15) // (spread**2 + distance**2)) ** 2)

    def read(self, header: Header, sections: Sequence[Section], whole: bool) -> Symbols:
        codes = [section.payload for section in sections if section.kind == container.CODES]
        if len(codes) != len(sections) or len(codes) > 3 or (whole and len(codes) < 3) or len(codes[0]) < 2:
            raise BitstreamError(f"the file has {len(codes)} sections of codes, expected 3")
        (eighths,) = struct.unpack("<H", codes[0][:2])
        symbols = [np.array([eighths])]
        n = -(-header.height // 8) * -(-header.width // 8) * (1 if header.grey else 3)
        for band, payload in enumerate([codes[0][2:], *codes[1:]]):
            decoder, index = RangeDecoder(payload), np.tile(np.flatnonzero(band == BANDS), n)
            symbols.append(decoder.decode(self.tables(eighths), index).reshape(n, -1) - MOST)
            decoder.finish()
        return symbols

    def draw(self, header: Header, symbols: Symbols) -> Pixels:
        rows, columns = -(-header.height // 8), -(-header.width // 8)
        quantised = np.zeros((rows * columns * (1 if header.grey else 3), 64))
        for band, values in enumerate(symbols[1:]):
            quantised[:, band == BANDS] = values
        blocks = COSINES.T @ (quantised * symbols[0] / 8).reshape(rows, columns, -1, 8, 8) @ COSINES
        planes = blocks.transpose(0, 3, 1, 4, 2).reshape(8 * rows, 8 * columns, -1)[: header.height, : header.width]
        colour = planes if header.grey else planes @ np.linalg.inv(TO_LUMA).T
        pixels = np.floor(colour + 128.5).clip(0, 255).astype(np.uint8)
        return pixels[..., 0] if header.grey else pixels

    def own_facts(self, header: Header, sections: Sequence[Section]) -> dict[str, Any]:
        there = sections and len(sections[0].payload) >= 2
        return {"step": struct.unpack("<H", sections[0].payload[:2])[0] / 8 if there else None}


class ToySession(NeuralSession):
    """A picture's coefficients, and where to round them down: what the map calls dark loses its smallest ones."""

    codec: Toy

    def __init__(self, codec: Toy, pixels: Pixels, saliency: Saliency | None, tell: Progress) -> None:
        super().__init__(codec, pixels, saliency, tell)
        planes = self._blocks(pixels[..., None] - 128.0 if pixels.ndim == 2 else (pixels - 128.0) @ TO_LUMA.T)
        self._coefficients = (COSINES @ planes @ COSINES.T).reshape(-1, 64)
        even = saliency is None or saliency.min() == saliency.max()
        values = np.ones(pixels.shape[:2]) if even else saliency
        means = np.broadcast_to(self._blocks(values[..., None]).mean((3, 4)), planes.shape[:3]).reshape(-1, 1)
        self._rounding = 0.2 + 0.3 * np.minimum(1, means / means.mean())

    @staticmethod
    def _blocks(planes: np.ndarray) -> np.ndarray:
        """(height, width, planes) -> (rows, columns, planes, 8, 8)"""
        height, width, n = planes.shape
        padded = np.pad(planes, ((0, -height % 8), (0, -width % 8), (0, 0)), mode="edge")
        return padded.reshape(-(-height // 8), 8, -(-width // 8), 8, n).transpose(0, 2, 4, 1, 3)

    def code(self, setting: float) -> tuple[Symbols, list[Section]]:
        steps = np.floor(abs(self._coefficients) / setting + self._rounding) * np.sign(self._coefficients)
        symbols: list[np.ndarray] = [np.array([round(8 * setting)])]
        sections = []
        for band in range(3):
            symbols.append(steps[:, band == BANDS].clip(-MOST, MOST).astype(np.int32))
            encoder, index = RangeEncoder(), np.tile(np.flatnonzero(band == BANDS), len(steps))
            encoder.encode(symbols[-1].ravel() + MOST, self.codec.tables(round(8 * setting)), index)
            head = b"" if band else struct.pack("<H", round(8 * setting))
            sections.append(Section(container.CODES, head + encoder.data()))
            self.tell((band + 1) / 3)
        return symbols, sections


def untrained(path: Path, seed: int) -> None:
    """Write a table to `path`: larger for lower frequencies, not the same for two seeds."""
    frequency = 1 + np.add.outer(np.arange(8), np.arange(8)).ravel()
    spread = 2400 // frequency**2 + np.random.default_rng(seed).integers(40, 60, 64)
    np.savez(path, spread=spread)


def register() -> None:
    """What makes the codec known everywhere."""
    container.CODEC_IDS["toy"] = 200
    registry.CODECS["toy"] = "toy_codec:Toy"


def unregister() -> None:
    """Take it away again."""
    del container.CODEC_IDS["toy"], registry.CODECS["toy"]
