"""What each file is to reach, and the search for it: the same for every encoder.

target, yardstick's file -> budget in bytes --+
encoder's settings -> files, each made once --+--> the largest file not above the budget
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from msroi.benchmark.encoders import YARDSTICK, Encoder
from msroi.benchmark.subject import Pixels
from msroi.codecs.jpeg import plain
from msroi.codecs.neural.allocation import CELL
from msroi.errors import ImageError, OptionError, TargetError
from msroi.pipeline.equal_quality import AsGoodAs, fewest_of_both
from msroi.search.knobs import Interval
from msroi.search.matching import (
    Match,
    NoneFitsError,
    RealEncoder,
    fewest_bytes,
    land_within,
    largest_within,
)

# How files are matched. size: the largest not above the budget. quality: the fewest bytes for PSNR and SSIM of at
# least plain's. number: the encoder's own quality number, whatever it means (what unfair comparisons do).
MATCHES = ("size", "quality", "number")

# Encoders of others whose settings are real numbers land nearer to the budget than ours do, so that nothing
# here comes from bytes left over. Ours come as `msroi compress` makes them.
_NEAR_ENOUGH, _TRIES = 0.0005, 12
# A neural codec takes seconds a file.
_SLOW_NEAR_ENOUGH, _SLOW_TRIES = 0.006, 4


@dataclass(frozen=True)
class Target:
    """A size to reach: plain JPEG's at a quality, bits per pixel, or a mean level; one of the three.

    A mean level K is met exactly by the codecs that have levels; for all others it is the bits of theirs before they
    are coded, 32 K a cell of 16 x 16 pixels.
    """

    quality: int | None = None
    bpp: float | None = None
    level: float | None = None

    @property
    def name(self) -> str:
        """As in the rows: Q50, 0.5bpp, K6."""
        if self.level is not None:
            return f"K{self.level:g}"
        return f"Q{self.quality}" if self.bpp is None else f"{self.bpp:g}bpp"

    def budget(self, pixels: Pixels) -> int:
        """Bytes that no file may exceed, metadata left out."""
        if self.level is not None:
            n_cells = -(-pixels.shape[0] // CELL) * -(-pixels.shape[1] // CELL)
            return int(self.level * 4 * n_cells)
        if self.bpp is None:
            assert self.quality is not None
            return len(plain.encode(pixels, self.quality))
        # Not a byte less because .1 is none in binary.
        return max(1, int(self.bpp * pixels.shape[0] * pixels.shape[1] / 8 + 1e-6))


@dataclass(frozen=True)
class Made:
    """A file that meets a target, and the seconds that one encode at its setting took, preparation included."""

    match: Match
    seconds: float


class Files:
    """A coder whose files are made once and timed, for all targets alike.

    It is a `matching.RealEncoder` where the coder's settings are an interval. seconds: what it took to start.
    """

    def __init__(self, coder: Any, seconds: float, log: list[tuple[bytes, float]] | None = None) -> None:
        self._coder, self._seconds = coder, seconds
        self._files: dict[Any, bytes] = {}
        self._log: list[tuple[bytes, float]] = [] if log is None else log
        self.settings: Sequence[Any] | Interval = coder.settings

    def encode(self, setting: Any) -> bytes:
        """The file at a setting."""
        if setting not in self._files:
            started = time.perf_counter()
            self._files[setting] = self._coder.encode(setting)
            self._log.append((self._files[setting], self._seconds + time.perf_counter() - started))
        return self._files[setting]

    def rough_bytes(self, setting: float) -> float:
        """About the bytes of that file: the coder's estimate, or the file itself."""
        if hasattr(self._coder, "rough_bytes"):
            return float(self._coder.rough_bytes(setting))
        return len(self.encode(setting))

    def near(self, setting: float, n_bytes: float | None = None) -> RealEncoder:
        """The coder prepared for settings around this one, for a file of `n_bytes` if that is known."""
        if not hasattr(self._coder, "near"):
            return self
        started = time.perf_counter()
        prepared = self._coder.near(setting, n_bytes)
        return Files(prepared, self._seconds + time.perf_counter() - started, self._log)

    def harder_on(self, condition: str) -> Files | None:
        """The coder's variant for a condition of equal quality, where it has one."""
        if not hasattr(self._coder, "harder_on"):
            return None
        started = time.perf_counter()
        variant = self._coder.harder_on(condition)
        return variant and Files(variant, self._seconds + time.perf_counter() - started, self._log)

    def revised(self, data: bytes, setting: float, n_bytes: float | None = None) -> tuple[Files | None, str]:
        """A more cautious coder after a search, where the coder knows one, and what it says of the file."""
        if not hasattr(self._coder, "revised"):
            return None, ""
        started = time.perf_counter()
        coder, note = self._coder.revised(data, setting, n_bytes)
        return coder and Files(coder, self._seconds + time.perf_counter() - started, self._log), note

    def made(self, match: Match) -> Made:
        """The match with the seconds of its file."""
        return Made(match, next(seconds for data, seconds in self._log if data is match.data))


def reach(encoder: Encoder, files: Files, target: Target, matching: str, pixels: Pixels) -> Made:
    """The encoder's file for a target.

    matching: one of MATCHES. Errors: TargetError where the encoder cannot reach it, with how near it came.
    """
    if target.level is not None and encoder.has_levels:
        return files.made(Match(files.encode(target.level), target.level, n_probes=1))
    if matching == "number":
        return files.made(_by_number(encoder, files, target))
    find = _as_good_as_plain if matching == "quality" else _largest
    try:
        return files.made(find(encoder, files, target, pixels))
    except NoneFitsError as error:
        budget = target.budget(pixels)
        raise TargetError(f"its smallest file has {error.smallest} bytes, the budget is {budget}") from None


def _largest(encoder: Encoder, files: Files, target: Target, pixels: Pixels) -> Match:
    budget, settings = target.budget(pixels), files.settings
    if isinstance(settings, Interval):
        precision = {} if encoder.ours else {"near_enough": _NEAR_ENOUGH, "tries": _TRIES}
        if encoder.has_levels:
            precision = {"near_enough": _SLOW_NEAR_ENOUGH, "tries": _SLOW_TRIES}
        return land_within(files, settings.low, settings.high, budget, **precision)  # type: ignore[arg-type]
    if encoder.name == YARDSTICK and target.quality is not None:
        # Plain at quality Q is itself: a higher quality with as few bytes, as in flat pictures, is not it.
        settings = settings[: target.quality]
    return largest_within(files.encode, settings, budget, first=_first(settings, target), look=encoder.look)


def _as_good_as_plain(encoder: Encoder, files: Files, target: Target, pixels: Pixels) -> Match:
    budget, settings = target.budget(pixels), files.settings
    yardstick = plain.QualityEncoder(pixels)
    known = largest_within(yardstick.encode, plain.QUALITIES[: target.quality], budget)
    if encoder.name == YARDSTICK:
        return replace(known, data=files.encode(known.setting))
    judge = AsGoodAs(plain.decode(known.data), pixels, decode=lambda data: like(encoder.decode(data), pixels))
    if isinstance(settings, Interval):
        return fewest_of_both(files, settings, judge, len(known.data))
    return fewest_bytes(files.encode, settings, judge, first=_first(settings, target), look=min(encoder.look, 8))


def _by_number(encoder: Encoder, files: Files, target: Target) -> Match:
    if target.quality is None:
        raise OptionError("match number needs qualities as targets, not bits per pixel")
    if not encoder.has_quality_numbers:
        raise TargetError("has no scale of quality numbers; match by size")
    return Match(files.encode(target.quality), target.quality, n_probes=1)


def like(decoded: Pixels, reference: Pixels) -> Pixels:
    """Decoded pixels as grey or RGB, as the reference is. Errors: ImageError for another size."""
    if decoded.shape[:2] != reference.shape[:2]:
        height, width = decoded.shape[:2]
        raise ImageError(
            f"its file decodes to {width} x {height} pixels, not to {reference.shape[1]} x {reference.shape[0]}"
        )
    if decoded.ndim == reference.ndim:
        return decoded
    return np.asarray(Image.fromarray(decoded).convert("RGB" if reference.ndim == 3 else "L"))


def _first(settings: Sequence[Any], target: Target) -> int | None:
    """Where a search begins: at plain's quality, carried over to other scales."""
    return None if target.quality is None else max(0, len(settings) * target.quality // plain.QUALITIES[-1] - 1)
