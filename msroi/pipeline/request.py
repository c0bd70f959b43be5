"""What is asked of a run: every option that shapes the file, checked before anything is read."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass

from msroi.codecs.contract import Codec
from msroi.errors import OptionError
from msroi.options import flag, n_bytes, one_of, real_number, whole_number

MATCHES = ("size", "quality")


@dataclass(frozen=True)
class Request:
    """What shapes the file, checked at construction. Errors: OptionError.

    codec: an encoder with its own options.
    quality: of the plain JPEG to compare with, 1 to 100.
    match: "size" (the default) or "quality".
    size, bpp: a target for the whole file instead, in bytes or in bits per pixel of the picture as
        written; at most one of match, size and bpp may be given.
    strip, strip_all, strip_gps, gain_map, srgb: what is done to metadata, HDR gain maps (False drops them) and colour.
    baseline: a sequential file, with codecs that write no other, too: it rules out progressive originals.
    max_side: largest width or height in pixels, 1 to 65,500.
    min_savings: percent of a JPEG input's bytes that must be saved, 0 to 100.
    force: no ladder, no recognition of our own files.
    """

    codec: Codec
    quality: int = 75
    match: str | None = None
    size: int | str | None = None  # an int once checked
    bpp: float | None = None
    strip: bool = False
    strip_all: bool = False
    strip_gps: bool = False
    gain_map: bool = True
    srgb: bool = False
    baseline: bool = False
    max_side: int | None = None
    min_savings: float = 0.0
    force: bool = False

    def __post_init__(self) -> None:
        self._set("quality", whole_number("quality", self.quality, 1, 100))
        given = [name for name in ("match", "size", "bpp") if getattr(self, name) is not None]
        if len(given) > 1:
            raise OptionError(f"{given[0]}: got {given[1]} as well, allowed: one of match, size and bpp")
        if self.match is not None:
            one_of("match", self.match, MATCHES)
        if self.size is not None:
            self._set("size", n_bytes("size", self.size))
        if self.bpp is not None:
            self._set("bpp", real_number("bpp", self.bpp, 0, 1_000, above=True))
        if self.max_side is not None:
            self._set("max_side", whole_number("max_side", self.max_side, 1, 65_500))
        self._set("min_savings", real_number("min_savings", self.min_savings, 0, 100))
        for name in ("strip", "strip_all", "strip_gps", "gain_map", "srgb", "baseline", "force"):
            flag(name, getattr(self, name))

    def _set(self, option: str, value: object) -> None:
        """Put a checked value into its plain type in place."""
        object.__setattr__(self, option, value)

    @property
    def goal(self) -> str:
        """`size`, `quality`, `bytes` or `bits per pixel`."""
        if self.size is not None:
            return "bytes"
        return "bits per pixel" if self.bpp is not None else self.match or "size"

    def max_bytes(self, upright_size: tuple[int, int]) -> int | None:
        """What the whole file may have, None where plain JPEG sets the target. (width, height) in pixels."""
        assert not isinstance(self.size, str)
        if self.bpp is not None:
            return math.floor(self.bpp * upright_size[0] * upright_size[1] / 8)
        return self.size

    def digest(self, map_identity: str) -> str:
        """16 hexadecimal digits that are equal for requests with equal results on equal pictures."""
        value = {"bytes": self.size, "bits per pixel": self.bpp}.get(self.goal, self.quality)
        facts = {
            "goal": [self.goal, float(value or 0)],
            "method": [self.codec.name, self.codec.version, dataclasses.asdict(self.codec)],
            "map": map_identity,
            "metadata": [self.strip or self.strip_all, self.strip_all, self.strip_gps, self.gain_map, self.srgb],
            "baseline": self.baseline,
            "max_side": self.max_side,
            "min_savings": self.min_savings,
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
