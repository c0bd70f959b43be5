"""Settings: one frozen value of all that is asked of a run, and that shapes the file.

Whoever asks, on the command line, in Python, in a manifest or over HTTP, makes one of these and hands it on with an
image. Each option is a field here or on its codec, with its default, range and help text; shells take them from
`options`. Messages name fields in backquotes, which each shell puts in its own words.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from msroi.codecs.contract import Codec
from msroi.codecs.jpeg.registry import CODECS, codec_defaults, codec_options, make_codec
from msroi.errors import OptionError
from msroi.fields import (
    Anything,
    Boxes,
    Checked,
    Choice,
    Declared,
    Flag,
    Real,
    Size,
    Whole,
    declarations,
    declared,
    defaults,
    refuse_unknown,
)
from msroi.images import Limits
from msroi.options import Box, Chroma, MapKind, MapQuality, Match, Method, PercentBox, Tune
from msroi.saliency.kind import DEFAULT_QUALITY, QUALITIES
from msroi.saliency.kinds import DEFAULT_KIND, KINDS
from msroi.saliency.own_map import OwnMap

if TYPE_CHECKING:
    from msroi.saliency.sources import Sources

MATCHES = ("size", "quality")
DEFAULT_METHOD: Method = "rdo"


class Fields(TypedDict, total=False):
    """The names that `Settings.of` takes, for type checkers; a test holds them against `options`."""

    method: Method
    quality: int
    match: Match | None
    size: int | str | None
    bpp: float | None
    q_low: int
    q_high: int
    levels: int
    map_kind: MapKind
    map_quality: MapQuality
    saliency: Any
    focus: Sequence[Box | str] | PercentBox | str
    face_model: str | os.PathLike[str] | None
    chroma: Chroma
    tune: Tune
    guard: bool
    baseline: bool
    strip: bool
    strip_all: bool
    strip_gps: bool
    gain_map: bool
    srgb: bool
    max_side: int | None
    min_savings: float
    force: bool
    limits: Limits


class Option(NamedTuple):
    """An option by its name: its declaration and its default."""

    declared: Declared
    default: Any


def _kept_map(name: str, value: Any) -> OwnMap | str:
    """A map of the user's own: read from an array now, from a file when it is needed. Errors: SaliencyError."""
    if isinstance(value, str | os.PathLike):
        return os.fsdecode(value)
    return value if isinstance(value, OwnMap) else OwnMap.of(value)


def _path(name: str, value: Any) -> str:
    if not isinstance(value, str | os.PathLike):
        raise OptionError(f"{name}: got {value!r:.80}, allowed: a path")
    return os.fsdecode(value)


@dataclass(frozen=True)
class Settings(Checked):
    """What shapes the file, checked at construction; it can be pickled. Errors: OptionError.

    codec: an encoder with its own options. limits: what is refused before decoding.
    At most one of match, size and bpp may be given.
    """

    codec: Codec = dataclasses.field(default_factory=CODECS[DEFAULT_METHOD])
    quality: int = declared(
        75,
        Whole(1, 100),
        "of the plain JPEG to measure up to, 1 to 100",
        group="targets",
        metavar="Q",
    )
    size: int | str | None = declared(  # an int once checked
        None,
        Size(),
        "at most this many bytes, metadata included; 120k or 120 KB is 120,000, 1.5M is 1,500,000, 500KiB is 512,000",
        group="targets",
        metavar="BYTES",
    )
    bpp: float | None = declared(
        None,
        Real(0, 1_000, above=True),
        "at most this many bits per pixel, metadata included",
        group="targets",
        metavar="X",
    )
    match: str | None = declared(
        None,
        Choice(MATCHES),
        "what is matched: plain JPEG's size, or its quality with the fewest bytes",
        group="targets",
        by_default="size",
    )
    map_kind: str = declared(DEFAULT_KIND, Choice(lambda: tuple(KINDS)), "which map", group="map", metavar="KIND")
    saliency: Any = declared(
        None,
        Anything(_kept_map),
        "a map of your own, upright, of any size: a grey picture (white matters) or .npy, 0 to 1",
        group="map",
        metavar="FILE",
        spelling="--map",
    )
    focus: Any = declared(
        (),
        Boxes(),
        "a box that matters, in pixels of the upright picture or in percent of it (40%,30%,20%,20%); may be repeated",
        group="map",
        metavar="X,Y,W,H",
    )
    map_quality: str = declared(
        DEFAULT_QUALITY,
        Choice(tuple(QUALITIES)),
        "high looks four times and closer, which takes seven times as long",
        group="map",
    )
    face_model: str | None = declared(
        None,
        Anything(_path),
        "YuNet's ONNX file, with which OpenCV finds faces that matter as well",
        group="map",
        metavar="FILE",
    )
    strip: bool = declared(
        False, Flag(), "drop all metadata but artist, copyright, colour profile and orientation", group="metadata"
    )
    strip_all: bool = declared(False, Flag(), "the same, artist and copyright too", group="metadata")
    strip_gps: bool = declared(
        False,
        Flag(),
        "drop where the photo was taken: positions, names of places, and what may hide one",
        group="metadata",
    )
    gain_map: bool = declared(
        True, Flag(), "drop the HDR gain map, which is pixels: `strip` keeps it", group="metadata"
    )
    srgb: bool = declared(False, Flag(), "convert the colours to sRGB", group="metadata")
    max_side: int | None = declared(
        None,
        Whole(1, 65_500),
        "reduce the picture until its longer side has at most N pixels",
        group="metadata",
        metavar="N",
    )
    baseline: bool = declared(
        False,
        Flag(),
        "sequential JPEG instead of progressive, for very old decoders; of a progressive input it may be larger",
        group="encoder",
    )
    min_savings: float = declared(
        0.0,
        Real(0, 100, unit="%"),
        "keep a JPEG input as it is unless this much is saved",
        group="output",
        metavar="PERCENT",
        by_default="0: at least one byte",
    )
    force: bool = declared(
        False,
        Flag(),
        "write our encode even where it is larger than a JPEG input or it is our own file",
        group="output",
    )
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        given = [name for name in ("match", "size", "bpp") if getattr(self, name) is not None]
        if len(given) > 1:
            raise OptionError(f"{given[0]}: got {given[1]} as well, allowed: one of match, size and bpp")
        if isinstance(self.saliency, str) and self.saliency in KINDS:
            object.__setattr__(self, "map_kind", self.saliency)
            object.__setattr__(self, "saliency", None)
        super().__post_init__()
        # Codecs that know the option, and what is kept of originals, go by the same value.
        object.__setattr__(self, "baseline", self.baseline or bool(getattr(self.codec, "baseline", False)))

    # --- by names ---------------------------------------------------------------------------------

    @classmethod
    def of(cls, method: str = DEFAULT_METHOD, **given: Any) -> Settings:
        """Settings by the names of `options`, those of the codec's options among them.

        method: a name from `msroi.codecs.jpeg.CODECS`. An option that the codec has not must say what it does anyway.
        Errors: OptionError, also for a name that no option has.
        """
        refuse_unknown(given, options() | {"limits": None})
        known = codec_options()
        codec = make_codec(method, {name: value for name, value in given.items() if name in known})
        own = {field.name for field in dataclasses.fields(cls)}
        return cls(codec=codec, **{name: value for name, value in given.items() if name in own})

    def flat(self) -> dict[str, Any]:
        """All options by name, the method and those of its codec among them: what `of` takes."""
        own = {name: getattr(self, name) for name in declarations(type(self))}
        codec = {name: getattr(self.codec, name) for name in declarations(self.codec)}
        return {"method": self.codec.name} | own | codec | {"limits": self.limits}

    def to_json(self) -> str:
        """One line of JSON, from which `from_json` makes equal settings. Errors: OptionError for a map in an array."""
        values = self.flat()
        if isinstance(self.saliency, OwnMap):
            raise OptionError("saliency: got an array, allowed in JSON: the path of a picture or .npy file")
        values["focus"] = [box if isinstance(box, tuple) else str(box) for box in self.focus]
        values["limits"] = dataclasses.asdict(self.limits)
        return json.dumps(values, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """Settings of a JSON object with some of the options, the rest by default. Errors: OptionError."""
        try:
            values = json.loads(text)
        except ValueError as error:
            raise OptionError(f"settings: not JSON ({error}); give an object with options by name") from None
        if not isinstance(values, dict):
            raise OptionError("settings: got no JSON object; give one with options by name")
        if "limits" in values:
            values["limits"] = _limits(values["limits"])
        return cls.of(**values)

    # --- what follows from them -------------------------------------------------------------------

    @functools.cached_property
    def sources(self) -> Sources:
        """What the map is made from. Errors: SaliencyError for a file that is no map, or no face model."""
        from msroi.saliency.sources import Sources

        names = ("saliency", "map_kind", "map_quality", "focus", "face_model")
        return Sources.of(**{name: getattr(self, name) for name in names})

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


def options() -> dict[str, Option]:
    """Name -> option, of all that `Settings.of` takes but the limits: the method, its codecs' options, and the rest."""
    method = Declared(Choice(lambda: tuple(CODECS)), "", group="encoder")
    found = {"method": Option(method, DEFAULT_METHOD)}
    for table, values in ((declarations(Settings), defaults(Settings)), (codec_options(), codec_defaults())):
        found |= {name: Option(one, values[name]) for name, one in table.items()}
    return found


def _limits(value: Any) -> Limits:
    known = {field.name for field in dataclasses.fields(Limits)}
    if not isinstance(value, Mapping) or not known.issuperset(value):
        raise OptionError(f"limits: got {value!r:.80}, allowed: an object with {', '.join(sorted(known))}")
    return Limits(**value)
