"""`--chroma auto` of what was drawn: both samplings are tried at the size that is asked for, and the better is kept.

    search --> file --> search for as many bytes with the other sampling --> file --> the better by SSIMULACRA2

For photos a rule on the pixels does (sampling.py beside this). For screens and drawings none does: subpixel text gains
by full chroma at high rates and loses at low ones, coloured areas turn about elsewhere, and much hangs on it. A search
for equal quality goes by the rule alone.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from msroi.arrays import Pixels
from msroi.codecs.jpeg import plain
from msroi.codecs.jpeg.plain import QualitySession
from msroi.codecs.jpeg.rdo import codec as rdo
from msroi.codecs.jpeg.rdo.sampling import needs_full_chroma
from msroi.codecs.jpeg.rdo.session import RdoSession
from msroi.codecs.jpeg.rdo.tables import PRESETS
from msroi.drawn import is_drawn
from msroi.metrics.ssimulacra2 import ssimulacra2_distance
from msroi.search.secant import GROWTH
from msroi.search.session import Session

if TYPE_CHECKING:
    from msroi.images import Picture
    from msroi.saliency.steering import Steering


HALF, FULL = "420", "444"

# The second encoder is anchored at the first's setting, or at LAST: from there on settings lead it up to BEYOND, for
# prepared encoders keep their tables, and where those are a little coarse their finest file lies beyond 1.
LAST, BEYOND = 0.9, 1.5

# Halvings of the interval of settings that find where estimates lie at a size.
HALVINGS = 9

# A file that is off the size wanted by more than this (log size) has tables meant for another; encoders are prepared at
# most so often.
ASTRAY, PREPARATIONS = 0.1, 4

# Of pictures with more pixels strips of so many rows are compared, evenly spaced.
SAMPLE_PIXELS, STRIP = 2_000_000, 256


@dataclass(frozen=True)
class Rdo(rdo.Rdo):
    """`rdo` whose `chroma="auto"` tries both samplings of a picture that was drawn, see this module."""

    def start(  # type: ignore[override]
        self, picture: Picture, steering: Steering | None, threads: int
    ) -> RdoSession | QualitySession | Either:
        """As `rdo.Rdo.start`."""
        if self.chroma != "auto" or not _by_trial(picture):
            return super().start(picture, steering, threads)

        first, second = (HALF, FULL)
        if needs_full_chroma(picture.pixels, PRESETS[self.tune].steps, threads):
            first, second = second, first

        def start(sampling: str) -> RdoSession:
            codec = rdo.Rdo(**(dataclasses.asdict(self) | {"chroma": sampling}))
            encoder = codec.start(picture, steering, threads)
            assert isinstance(encoder, RdoSession), "a drawing has more than one colour"
            return encoder

        return Either(picture.pixels, start(first), lambda: start(second))


def _by_trial(picture: Picture) -> bool:
    """Whether this is a drawing in colours that nobody has halved as yet."""
    pixels = picture.pixels
    if pixels.ndim != 3 or picture.source.format == "JPEG":
        return False
    coloured = any(not np.array_equal(pixels[..., 0], pixels[..., channel]) for channel in (1, 2))
    return coloured and is_drawn(pixels)


class Either(Session):
    """One picture, ready to be coded with one sampling; what a search found is then compared with the other.

    pixels: uint8 (height, width, 3). first: encoder of the sampling that is tried first; start_other starts that of the
    other.
    """

    knob = RdoSession.knob
    has_variants = True

    def __init__(self, pixels: Pixels, first: RdoSession, start_other: Callable[[], RdoSession]) -> None:
        self._pixels, self._first, self._start_other = pixels, first, start_other

    def encode(self, setting: float) -> bytes:
        """The JPEG at `setting`, of the first sampling."""
        return self._first.encode(setting)

    def rough_bytes(self, setting: float) -> float:
        """About how many bytes that has."""
        return self._first.rough_bytes(setting)

    def near(self, setting: float, n_bytes: float | None = None) -> First:
        """The encoder of the first sampling, prepared as `RdoSession.near` does."""
        return First(self._first.near(setting, n_bytes), self)

    def variant(self, metric: str) -> RdoSession | None:
        """As `RdoSession.variant`, of the first sampling."""
        return self._first.variant(metric)

    def start_other(self) -> RdoSession:
        """The encoder of the other sampling."""
        return self._start_other()

    def distance(self, data: bytes) -> float:
        """How far a file is from the picture, by SSIMULACRA2; of a large picture on strips of it."""
        return ssimulacra2_distance(_sample(self._pixels), _sample(np.asarray(plain.decode(data))))


class First(Session):
    """The first sampling's encoder, prepared."""

    knob = RdoSession.knob

    def __init__(self, encoder: RdoSession, either: Either) -> None:
        self._encoder, self._either = encoder, either

    def encode(self, setting: float) -> bytes:
        """The JPEG at `setting`."""
        return self._encoder.encode(setting)

    def rough_bytes(self, setting: float) -> float:
        """About how many bytes that has."""
        return self._encoder.rough_bytes(setting)

    def near(self, setting: float, n_bytes: float | None = None) -> First:
        """Prepared anew."""
        return First(self._encoder.near(setting, n_bytes), self._either)

    def revised(self, data: bytes, setting: float, n_bytes: float | None = None) -> tuple[First | Second | None, str]:
        """What its own encoder says of a file; if that is content with the end of a search, the other sampling."""
        encoder, note = self._encoder.revised(data, setting, n_bytes)
        if encoder is not None:
            return First(encoder, self._either), note
        if n_bytes is not None:
            return None, note
        return Second(self._either, Kept(data, note), setting), note


class Second(Session):
    """The other sampling's encoder: prepared, when it is used, where its files have as many bytes as the first's file.

    setting: of the first's file; what the encoder knows by another is called so here.
    """

    knob = RdoSession.knob

    def __init__(self, either: Either, rival: Kept, setting: float) -> None:
        self._either, self._rival, self._anchor = either, rival, min(setting, LAST)

    @functools.cached_property
    def _prepared(self) -> tuple[RdoSession, float]:
        """The prepared encoder and its own setting at the anchor."""
        encoder = self._either.start_other()
        following = _estimated(encoder, len(self._rival.data))
        for _ in range(PREPARATIONS):
            setting, prepared = following, encoder.near(following, len(self._rival.data))
            short = math.log(len(self._rival.data) / len(prepared.encode(setting)))
            if abs(short) < ASTRAY:
                break
            following = setting + short / GROWTH
        return prepared, setting

    def _own(self, setting: float) -> float:
        own = self._prepared[1]
        if setting <= self._anchor:
            return own + setting - self._anchor
        return own + (setting - self._anchor) * (BEYOND - own) / (self._either.knob.high - self._anchor)

    def encode(self, setting: float) -> bytes:
        """The JPEG at `setting`."""
        return self._prepared[0].encode(self._own(setting))

    def rough_bytes(self, setting: float) -> float:
        """About how many bytes that has."""
        return self._prepared[0].rough_bytes(self._own(setting))

    def revised(self, data: bytes, setting: float, n_bytes: float | None = None) -> tuple[Second | Kept | None, str]:
        """What its own encoder says of a file; if that is content with the end of a search, the better one of two."""
        encoder, own = self._prepared
        cautious, note = encoder.revised(data, self._own(setting), n_bytes)
        if cautious is not None:
            other = Second(self._either, self._rival, self._anchor)
            other.__dict__["_prepared"] = cautious, own
            return other, note
        if n_bytes is not None:
            return None, note
        is_worse = self._either.distance(self._rival.data) <= self._either.distance(data)
        return (self._rival if is_worse else None), note


@dataclass(frozen=True)
class Kept(Session):
    """A file that was found, and what was said of it: the one answer to every setting."""

    data: bytes
    note: str

    knob = RdoSession.knob

    def encode(self, setting: float) -> bytes:
        """The file."""
        return self.data

    def revised(self, data: bytes, setting: float, n_bytes: float | None = None) -> tuple[None, str]:
        """Nothing more to do, and the note."""
        return None, self.note


def _sample(pixels: Pixels) -> Pixels:
    """The picture or, of a large one, strips of it one under the other."""
    height, width = pixels.shape[:2]
    n_strips, n_all = max(1, SAMPLE_PIXELS // (STRIP * width)), height // STRIP
    if height * width <= SAMPLE_PIXELS or n_strips >= n_all:
        return np.ascontiguousarray(pixels)
    tops = [STRIP * (i * (n_all - 1) // max(1, n_strips - 1)) for i in range(n_strips)]
    return np.concatenate([pixels[top : top + STRIP] for top in tops])


def _estimated(encoder: RdoSession, n_bytes: int) -> float:
    """The setting at which files have about `n_bytes` bytes by estimate."""
    low, high = encoder.knob.low, encoder.knob.high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if encoder.rough_bytes(middle) < n_bytes else (low, middle)
    return (low + high) / 2
