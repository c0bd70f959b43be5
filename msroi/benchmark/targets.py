"""What each file is to reach, and the search for it: the same for every encoder.

target, yardstick's file -> budget in bytes --+
session's knob -> files, each made once ------+--> the largest file not above the budget
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from msroi.arrays import Pixels
from msroi.benchmark.encoders import YARDSTICK, Encoder
from msroi.codecs.jpeg import plain
from msroi.errors import ImageError, OptionError, TargetError
from msroi.pipeline.equal_quality import AsGoodAs
from msroi.search.knobs import Knob
from msroi.search.match import Match, NoneFitsError
from msroi.search.session import Session
from msroi.search.targets import largest, smallest_as_good

# How files are matched. size: the largest not above the budget. quality: the fewest bytes for PSNR and SSIM of at
# least plain's. number: the encoder's own quality number, whatever it means (what unfair comparisons do).
MATCHES = ("size", "quality", "number")

# Around the border of equal quality so many settings are looked at.
_LOOK = 8


@dataclass(frozen=True)
class Target:
    """A size to reach: plain JPEG's at a quality, or bits per pixel. A protocol may have targets of its own kind."""

    quality: int | None = None
    bpp: float | None = None

    @property
    def name(self) -> str:
        """As in the rows: Q50, 0.5bpp."""
        return f"Q{self.quality}" if self.bpp is None else f"{self.bpp:g}bpp"

    def budget(self, pixels: Pixels) -> int:
        """Bytes that no file may exceed, metadata left out."""
        if self.bpp is None:
            assert self.quality is not None
            return len(plain.encode(pixels, self.quality))
        # Not a byte less because .1 is none in binary.
        return max(1, int(self.bpp * pixels.shape[0] * pixels.shape[1] / 8 + 1e-6))

    def setting_of(self, knob: Knob) -> Any | None:
        """The setting of this knob that is asked for, whatever its bytes; None where it is the bytes that are."""
        return None


@dataclass(frozen=True)
class Made:
    """A file that meets a target, and the seconds that one encode at its setting took, preparation included."""

    match: Match
    seconds: float


class Files(Session):
    """A session whose files are made once and timed, for all targets alike. seconds: what it took to start."""

    def __init__(self, session: Session, seconds: float, log: list[tuple[bytes, float]] | None = None) -> None:
        self._session, self._seconds = session, seconds
        self.has_variants = session.has_variants
        self._files: dict[Any, bytes] = {}
        self._log: list[tuple[bytes, float]] = [] if log is None else log

    @property
    def knob(self) -> Knob:
        """The session's."""
        return self._session.knob

    def encode(self, setting: Any) -> bytes:
        """The file at a setting."""
        if setting not in self._files:
            started = time.perf_counter()
            self._files[setting] = self._session.encode(setting)
            self._log.append((self._files[setting], self._seconds + time.perf_counter() - started))
        return self._files[setting]

    def rough_bytes(self, setting: Any) -> float:
        """About the bytes of that file: the session's estimate, or the file itself, kept."""
        is_made = type(self._session).rough_bytes is Session.rough_bytes
        return len(self.encode(setting)) if is_made else self._session.rough_bytes(setting)

    def near(self, setting: Any, n_bytes: float | None = None) -> Files:
        """The session prepared for settings around this one, for a file of `n_bytes` if that is known."""
        started = time.perf_counter()
        prepared = self._session.near(setting, n_bytes)
        return self if prepared is self._session else self._timed(prepared, started)

    def variant(self, metric: str) -> Files | None:
        """The session's variant for a condition of equal quality, where it has one."""
        started = time.perf_counter()
        variant = self._session.variant(metric)
        return None if variant is None else self._timed(variant, started)

    def part(self, rows: npt.NDArray[np.intp]) -> Session | None:
        """The session's, whose files are for a look and not timed."""
        return self._session.part(rows)

    def revised(self, data: bytes, setting: Any, n_bytes: float | None = None) -> tuple[Files | None, str]:
        """A more cautious session after a search, where this one knows one, and what it says of the file."""
        started = time.perf_counter()
        session, note = self._session.revised(data, setting, n_bytes)
        return (None if session is None else self._timed(session, started)), note

    def _timed(self, session: Session, started: float) -> Files:
        return Files(session, self._seconds + time.perf_counter() - started, self._log)

    def made(self, match: Match) -> Made:
        """The match with the seconds of its file."""
        return Made(match, next(seconds for data, seconds in self._log if data is match.data))


def reach(encoder: Encoder, files: Files, target: Target, matching: str, pixels: Pixels) -> Made:
    """The encoder's file for a target.

    matching: one of MATCHES. Errors: TargetError where the encoder cannot reach it, with how near it came.
    """
    asked = target.setting_of(files.knob)
    if asked is not None:
        return files.made(Match(files.encode(asked), asked, n_probes=1))
    if matching == "number":
        return files.made(_by_number(encoder, files, target))
    find = _as_good_as_plain if matching == "quality" else _largest
    try:
        return files.made(find(encoder, files, target, pixels))
    except NoneFitsError as error:
        budget = target.budget(pixels)
        raise TargetError(f"its smallest file has {error.smallest} bytes, the budget is {budget}") from None


def _largest(encoder: Encoder, files: Files, target: Target, pixels: Pixels) -> Match:
    # Plain at quality Q is itself: a higher quality with as few bytes, as in flat pictures, is not it.
    last = target.quality - 1 if encoder.name == YARDSTICK and target.quality is not None else None
    return largest(files, target.budget(pixels), begin=_begin(target), last=last)


def _as_good_as_plain(encoder: Encoder, files: Files, target: Target, pixels: Pixels) -> Match:
    budget = target.budget(pixels)
    last = None if target.quality is None else target.quality - 1
    known = largest(plain.QualitySession(pixels), budget, last=last)
    if encoder.name == YARDSTICK:
        return replace(known, data=files.encode(known.setting))
    judge = AsGoodAs(lambda: plain.decode(known.data), pixels, decode=lambda data: like(encoder.decode(data), pixels))
    return smallest_as_good(files, judge, len(known.data), begin=_begin(target), look=_LOOK)


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


def _begin(target: Target) -> float | None:
    """Where on a knob with steps a search begins: at plain's quality, carried over to other scales."""
    return None if target.quality is None else target.quality / plain.QUALITIES[-1]
