"""The recurrent codec: levels by the map, bits by the network, bytes by the context model, and back.

    picture, map -> levels a cell (allocation) -> [residual -> encoder -> bits -> decoder -> picture so far] x 24
                                                                |
    file: levels | bits of iteration 1 | bits of iteration 2 | ...      (a section each, `container`)

Wang, Han, Wang 2019, on Toderici et al. 2017. Its knob is the mean number of iterations. A file is progressive: the
sections of a prefix are a coarser picture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from msroi.arrays import Pixels, Saliency
from msroi.codecs.neural import container
from msroi.codecs.neural.container import Header, Section
from msroi.codecs.neural.contract import NeuralCodec, NeuralSession, Progress, Symbols, grey
from msroi.codecs.neural.recurrent import VERSION, allocation, context
from msroi.codecs.neural.recurrent.allocation import CELL, MOST, Levels
from msroi.codecs.neural.recurrent.context import ContextModel
from msroi.codecs.neural.weights import built, import_keras
from msroi.errors import BitstreamError, MissingExtraError
from msroi.saliency.curves import SQUARE_ROOT
from msroi.search.knobs import Interval, Knob

NAME = "recurrent"
WEIGHTS = Path(__file__).with_name("weights") / "recurrent.npz"

MAX_PIXELS = 16_000_000
"""Coding takes some 740 bytes of memory a pixel at the width that ships: 9.9 GB at 12.7 megapixels."""

MOST_PROBES = 6
"""Files made for a size. Each takes seconds: one that is 1.2 % under it ends the search."""
NEAR_ENOUGH = 0.012

# Of the network that ships, measured on Kodak: what is left of an iteration's 4 bytes a cell by the context model, how
# many iterations less that is in all, since the first ones are coded best, and what a section takes beside, in bytes.
_CODED_SHARE, _LESS, _SECTION = 0.87, 0.15, 9

_BAR = 40


@dataclass(frozen=True)
class Recurrent(NeuralCodec):
    """The codec with the weights of a file, by default the one that ships.

    Errors: SaliencyError for weights that are missing or damaged; MissingExtraError without Keras.
    """

    weights: Path | None = None

    name: ClassVar[str] = NAME
    bytes_version: ClassVar[str] = VERSION
    curve: ClassVar[str] = SQUARE_ROOT
    shipped: ClassVar[Path] = WEIGHTS
    knob: ClassVar[Knob] = Interval(1.0, float(MOST), "iterations", NEAR_ENOUGH, MOST_PROBES)
    default: ClassVar[float] = 6.0
    knob_help: ClassVar[str] = "mean number of iterations, 1 to 24, of 1/8 bit per pixel each before coding"
    max_pixels: ClassVar[int] = MAX_PIXELS

    @property
    def context(self) -> ContextModel:
        """The context model of the weights."""
        return built(ContextModel.of, self.network)

    @property
    def stepper(self) -> Any:
        """The network, built."""
        import_keras()
        from msroi.codecs.neural.recurrent.stepping import Stepper

        return built(Stepper, self.network)

    def session(self, pixels: Pixels, saliency: Saliency | None, tell: Progress) -> RecurrentSession:
        return RecurrentSession(self, pixels, saliency, tell)

    def encode_levels(self, pixels: Pixels, levels: Levels) -> bytes:
        """A file with the levels that are given: uint8 (rows, columns), 0 to 24 iterations for each cell."""
        return self.session(pixels, None, lambda share: None).with_levels(levels)

    def read(self, header: Header, sections: Sequence[Section], whole: bool) -> Symbols:
        """Levels (rows, columns), then bits of all iterations that are there, int8 (iterations, rows, columns, 32)."""
        if [s.kind for s in sections] != [container.ALLOCATION, *[container.CODES] * (len(sections) - 1)]:
            raise BitstreamError("the file has no section of levels where it should begin with one")
        rows, columns = allocation.cells(header.height, header.width)
        codes = [s.payload for s in sections[1:]]
        levels = allocation.decode_levels(sections[0].payload, rows, columns)
        if levels.max() > MOST:
            raise BitstreamError(f"the file has levels up to {levels.max()}; {MOST} is the most")
        if len(codes) > levels.max() or (whole and len(codes) != levels.max()):
            raise BitstreamError(f"the file has {len(codes)} iterations, its levels {levels.max()}")
        bits = np.zeros((len(codes), rows, columns, context.BITS), np.int8)
        for t, payload in enumerate(codes):
            bits[t] = context.decode(self.context, payload, levels > t, context.past_of(bits, t), t)
        return [levels, bits]

    def draw(self, header: Header, symbols: Symbols) -> Pixels:
        """The picture after the iterations that there are."""
        colour: Pixels = self.stepper.synthesise(symbols[1])[: header.height, : header.width]
        return grey(colour) if header.grey else colour

    def own_facts(self, header: Header, sections: Sequence[Section]) -> dict[str, Any]:
        """iterations: their mean. levels: how many cells of 16 x 16 pixels have so many iterations.

        Both None where that section is not there, or is coded and there is no range coder.
        """
        levels = _levels(header, sections)
        mean = sum(level * n for level, n in levels.items()) / sum(levels.values()) if levels else None
        return {"iterations": mean, "levels": levels}

    @classmethod
    def lines(cls, facts: Mapping[str, Any]) -> list[str]:
        """The levels as bars."""
        if not facts["levels"]:
            return []
        most = max(facts["levels"].values())
        mean = f"levels    {facts['iterations']:.2f} in the mean; cells of 16 x 16 pixels by their iterations:"
        return [mean, *(f"{level:>9}  {n:>7,}  {'#' * -(-_BAR * n // most)}" for level, n in facts["levels"].items())]


class RecurrentSession(NeuralSession):
    """One picture, its cells and their share of the map."""

    codec: Recurrent

    def __init__(self, codec: Recurrent, pixels: Pixels, saliency: Saliency | None, tell: Progress) -> None:
        super().__init__(codec, pixels, saliency, tell)
        even = np.ones(pixels.shape[:2], np.float32)
        self._values = allocation.cell_sums(even if saliency is None else saliency)

    def same_as(self, setting: float) -> int:
        """The iterations of all cells, which are whole."""
        return int(setting * self._values.size)

    def rough_bytes(self, setting: float) -> float:
        """By what an iteration of a cell takes in the mean."""
        n_sections = int(allocation.allocate(self._values, setting).max())
        return _CODED_SHARE * 4 * self._values.size * (setting - _LESS) + _SECTION * n_sections

    def code(self, setting: float) -> tuple[Symbols, list[Section]]:
        """Levels and bits; the levels' section, and one for each iteration."""
        return self._coded(allocation.allocate(self._values, setting))

    def with_levels(self, levels: Levels) -> bytes:
        """The file with these levels."""
        return self.written(*self._coded(levels))

    def _coded(self, levels: Levels) -> tuple[Symbols, list[Section]]:
        bits = self.codec.stepper.analyse(padded(self.pixels), levels, self.tell)
        sections = [Section(container.ALLOCATION, allocation.encode_levels(levels))]
        sections += [
            Section(container.CODES, context.encode(self.codec.context, bits[t], context.past_of(bits, t), t))
            for t in range(len(bits))
        ]
        return [levels, bits], sections


def padded(picture: Pixels) -> Pixels:
    """uint8 (rows x 16, columns x 16, 3): colour, and mirrored beyond its edges up to whole cells."""
    height, width = picture.shape[:2]
    colour = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    return np.pad(colour, ((0, -height % CELL), (0, -width % CELL), (0, 0)), mode="symmetric")


def _levels(header: Header, sections: Sequence[Section]) -> dict[int, int] | None:
    if not sections or sections[0].kind != container.ALLOCATION:
        return None
    try:
        levels = allocation.decode_levels(sections[0].payload, *allocation.cells(header.height, header.width))
    except MissingExtraError:  # without a range coder only even levels can be read
        return None
    return dict(sorted(Counter(levels.ravel().tolist()).items()))
