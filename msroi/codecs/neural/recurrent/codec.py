"""The recurrent codec: levels by the map, bits by the network, bytes by the context model, and back.

    picture, map -> levels a cell (allocation) -> [residual -> encoder -> bits -> decoder -> picture so far] x 24
                                                                |
    file: levels | bits of iteration 1 | bits of iteration 2 | ...      (a section each, `container`)

Wang, Han, Wang 2019, on Toderici et al. 2017. A file is progressive: the sections of a prefix are a coarser picture.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from msroi.codecs.neural import allocation, container
from msroi.codecs.neural.allocation import CELL, Levels
from msroi.codecs.neural.container import Header, Section
from msroi.codecs.neural.contract import Pixels, Progress, Rate, Saliency, check_input
from msroi.codecs.neural.recurrent import context
from msroi.codecs.neural.recurrent.context import ContextModel
from msroi.errors import BitstreamError, ImageError, SaliencyError, TargetError

WEIGHTS = Path(__file__).with_name("weights") / "recurrent.npz"
NAME = "recurrent"
MAX_PIXELS = 16_000_000
"""Coding takes some 740 bytes of memory a pixel at the width that ships: 9.9 GB at 12.7 megapixels."""

MOST_PROBES = 6
GRAIN = 0.98
"""A file of at least this share of the bytes that were asked for ends the search."""


@dataclass(frozen=True)
class Recurrent:
    """The codec with the weights of a file, by default the one that ships.

    Errors: SaliencyError for weights that are missing or damaged; MissingExtraError without Keras.
    """

    weights: Path | None = None

    name = NAME

    @cached_property
    def _file(self) -> bytes:
        path = self.weights or WEIGHTS
        try:
            data = path.read_bytes()
        except OSError as error:
            raise SaliencyError(
                f"{path}: the network is missing ({error.strerror}); install msroi again or name its file"
            ) from error
        expected = _expected_hash(path)
        found = hashlib.sha256(data).hexdigest()
        if expected and found != expected:
            raise SaliencyError(f"{path}: damaged, its SHA-256 is {found}, expected {expected}; install msroi again")
        return data

    @property
    def network_sha256(self) -> str:
        """Of the file of weights, in hexadecimal."""
        return hashlib.sha256(self._file).hexdigest()

    @cached_property
    def _arrays(self) -> dict[str, Any]:
        file = self._file
        try:
            with np.load(io.BytesIO(file), allow_pickle=False) as stored:
                return dict(stored)
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise SaliencyError(f"{self.weights or WEIGHTS}: no network's file ({error})") from error

    @cached_property
    def _context(self) -> ContextModel:
        return ContextModel.of(self._arrays)

    @cached_property
    def _stepper(self) -> Any:
        from msroi.codecs.neural.recurrent.stepping import Stepper

        return Stepper(self._arrays)

    def compress(
        self, picture: Pixels, saliency: Saliency | None, rate: Rate, *, progress: Progress | None = None
    ) -> bytes:
        """`picture`, uint8 (height, width[, 3]), as a file of at most the bytes asked for, or of mean level K.

        saliency: float32 (height, width) in [0, 1]; None spends the same on every cell. progress is told the share
        that is done. Errors: TargetError where no allocation fits; ImageError for pictures of over 16 megapixels.
        """
        check_input(picture, saliency)
        height, width = picture.shape[:2]
        _check_size(height, width)
        values = allocation.cell_sums(np.ones((height, width), np.float32) if saliency is None else saliency)
        budget = rate.budget(height, width)
        if budget is None:
            assert rate.level is not None
            return self.encode_levels(picture, allocation.allocate(values, rate.level), progress=progress)
        return _largest_within(budget, values, lambda levels: self.encode_levels(picture, levels, progress=progress))

    def encode_levels(self, picture: Pixels, levels: Levels, *, progress: Progress | None = None) -> bytes:
        """A file with the levels that are given: uint8 (rows, columns), 0 to 24 iterations for each cell."""
        bits = self._stepper.analyse(padded(picture), levels, progress)
        header = Header(NAME, picture.shape[1], picture.shape[0], picture.ndim == 2, bytes.fromhex(self.network_sha256))
        sections = [Section(container.ALLOCATION, allocation.encode_levels(levels))]
        sections += [
            Section(container.CODES, context.encode(self._context, bits[t], context.past_of(bits, t), t))
            for t in range(len(bits))
        ]
        data = container.write(header, sections)
        # What is handed out has been read back: a file that does not decode would be found here.
        if not np.array_equal(self._read(*container.read(data)), bits):
            raise BitstreamError("the file that was made does not decode to what was coded; please report this")
        return data

    def decompress(self, data: bytes) -> Pixels:
        """The picture of a whole file: uint8 (height, width[, 3]). Errors: BitstreamError for anything else."""
        header, sections = container.read(data)
        self._check(header)
        return self._picture(header, self._read(header, sections))

    def decompress_preview(self, prefix: bytes) -> Pixels:
        """The picture as far as the beginning of a file tells it, by its whole sections.

        Errors: BitstreamError for a prefix that ends before the levels do.
        """
        header, sections = container.read_prefix(prefix)
        self._check(header)
        return self._picture(header, self._read(header, sections, whole=False))

    def _check(self, header: Header) -> None:
        if header.codec != NAME:
            raise BitstreamError(f"the file was made by the codec {header.codec}, not {NAME}")
        container.check_network(header, self.network_sha256)
        _check_size(header.height, header.width)

    def _read(self, header: Header, sections: list[Section], whole: bool = True) -> npt.NDArray[np.int8]:
        """Bits of all iterations that are there, int8 (iterations, rows, columns, 32)."""
        rows, columns = -(-header.height // CELL), -(-header.width // CELL)
        own = [s for s in sections if s.kind in (container.ALLOCATION, container.CODES)]
        if [s.kind for s in own] != [container.ALLOCATION, *[container.CODES] * (len(own) - 1)]:
            raise BitstreamError("the file has no section of levels where it should begin with one")
        codes = [s.payload for s in own[1:]]
        levels = allocation.decode_levels(own[0].payload, rows, columns)
        if levels.max() > allocation.MOST:
            raise BitstreamError(f"the file has levels up to {levels.max()}; {allocation.MOST} is the most")
        if len(codes) > levels.max() or (whole and len(codes) != levels.max()):
            raise BitstreamError(f"the file has {len(codes)} iterations, its levels {levels.max()}")
        bits = np.zeros((len(codes), rows, columns, context.BITS), np.int8)
        for t, payload in enumerate(codes):
            bits[t] = context.decode(self._context, payload, levels > t, context.past_of(bits, t), t)
        return bits

    def _picture(self, header: Header, bits: npt.NDArray[np.int8]) -> Pixels:
        colour = self._stepper.synthesise(bits)[: header.height, : header.width]
        return grey(colour) if header.grey else colour


def _check_size(height: int, width: int) -> None:
    if height * width > MAX_PIXELS:
        raise ImageError(f"{width} x {height} pixels are more than this codec takes (16 megapixels); reduce it first")


def padded(picture: Pixels) -> Pixels:
    """uint8 (rows x 16, columns x 16, 3): colour, and mirrored beyond its edges up to whole cells."""
    height, width = picture.shape[:2]
    colour = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    return np.pad(colour, ((0, -height % CELL), (0, -width % CELL), (0, 0)), mode="symmetric")


def grey(colour: Pixels) -> Pixels:
    """Luma by BT.601 of uint8 (height, width, 3)."""
    return np.floor(colour @ np.array([0.299, 0.587, 0.114]) + 0.5).clip(0, 255).astype(np.uint8)


def _largest_within(budget: int, values: npt.NDArray[np.float64], encode: Callable[[Levels], bytes]) -> bytes:
    """The largest file found of at most `budget` bytes, by the mean level: a secant within what brackets it."""
    most = float(allocation.MOST)
    low, low_bytes, best = 0.0, 0, None
    high, high_bytes = most, None
    level = min(most, max(1.0, 8 * budget / values.size / 32))
    for _ in range(MOST_PROBES):
        levels = allocation.allocate(values, level)
        data = encode(levels)
        if len(data) <= budget:
            best, low, low_bytes = data, level, len(data)
            if len(data) >= GRAIN * budget or level >= most:
                break
        else:
            high, high_bytes = level, len(data)
        level = _next_level(budget, low, low_bytes, high, high_bytes)
        if np.array_equal(allocation.allocate(values, level), levels):
            break
    return best if best is not None else _smallest_within(budget, values, encode)


def _smallest_within(budget: int, values: npt.NDArray[np.float64], encode: Callable[[Levels], bytes]) -> bytes:
    """The file of one iteration a cell. Errors: TargetError where that has more bytes than `budget`."""
    data = encode(allocation.allocate(values, 1))
    if len(data) > budget:
        raise TargetError(
            f"target {budget} bytes is below the smallest this picture can be with this codec ({len(data)} bytes)"
        )
    return data


def _next_level(budget: int, low: float, low_bytes: int, high: float, high_bytes: int | None) -> float:
    """Between two levels by their bytes, or beyond the only one in proportion; never below 1."""
    if high_bytes is None:
        level = low * 0.995 * budget / low_bytes
    elif low_bytes:
        level = low + (high - low) * (0.995 * budget - low_bytes) / (high_bytes - low_bytes)
        level = min(max(level, low + 0.05 * (high - low)), high - 0.05 * (high - low))
    else:
        level = high * 0.99 * budget / high_bytes
    return float(min(max(level, 1.0), allocation.MOST))


def _expected_hash(path: Path) -> str:
    """What the card beside a file of weights says of its hash, "" without a card."""
    try:
        return str(json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["sha256"])
    except (OSError, ValueError, KeyError):
        return ""
