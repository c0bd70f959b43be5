"""The surface that every JPEG codec has, and the table of them.

A codec is a frozen dataclass whose fields are its options, checked at construction. To add one, write
its module beside this one and add its line to CODECS: the command line, the search for a size, metadata
and reports know nothing else of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from msroi.codecs.jpeg.chroma_trial import Rdo
from msroi.codecs.jpeg.plain import Plain
from msroi.codecs.jpeg.two_pass import TwoPass
from msroi.errors import OptionError
from msroi.search.knobs import Interval

if TYPE_CHECKING:
    from msroi.images import Picture


class Encoder(Protocol):
    """One picture, ready to be coded at any of the settings."""

    @property
    def settings(self) -> Sequence[Any] | Interval:
        """What the search may try, from the smallest file to the largest (small dips are allowed).

        With an Interval, any real number in it; such an encoder has `rough_bytes` and `near` as well, see
        `msroi.search.matching.RealEncoder`.
        """

    def encode(self, setting: Any) -> bytes:
        """A whole JPEG without metadata; the same bytes for the same setting, on any number of threads."""


class Codec(Protocol):
    """A way to make JPEGs. Its dataclass fields are the options that it understands."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def name(self) -> str:
        """The name in CODECS."""

    @property
    def version(self) -> str:
        """Changes whenever the bytes for a request change; part of the digest in our files."""

    @property
    def uses_map(self) -> bool:
        """Whether `start` needs a saliency map."""

    @property
    def look(self) -> int:
        """How many settings around its border the search for a target looks at (see `msroi.search.matching`).

        All of them where quality is not steady, as with two quantisers one upon the other; few where steps
        are fine and sizes smooth.
        """

    @property
    def also_accepts(self) -> Mapping[str, tuple[object, ...]]:
        """Options that are no fields, and the values of them that describe what it does anyway."""

    def start(self, picture: Picture, saliency: npt.NDArray[np.float32] | None, threads: int) -> Encoder:
        """Do what all settings share. saliency: (height, width) in [0, 1], aligned with the stored pixels.

        A codec whose `takes_maker` is true gets what makes that array or None, so that it can let it go early.
        """


# The one table: name on the command line -> codec.
CODECS: dict[str, Any] = {
    "rdo": Rdo,
    "two-pass": TwoPass,
    "plain": Plain,
}

# Every option that some codec may have, with its default. A codec without one takes the default alone.
CODEC_OPTIONS: Mapping[str, object] = {
    "q_low": 30,
    "q_high": 70,
    "levels": 5,
    "chroma": "keep",
    "tune": "default",
    "guard": True,
    "baseline": False,
}


def make_codec(method: str, options: Mapping[str, object] | None = None) -> Codec:
    """The codec `method` with those of `options` (names as in CODEC_OPTIONS) that it understands.

    An option that the codec does not have must be at its default or describe what the codec does
    anyway: both codecs here are sequential and sample 4:2:0, so `baseline=True` and `chroma="420"` pass.
    Errors: OptionError for an unknown method or option, and for a value that this codec cannot honour.
    """
    if not isinstance(method, str) or method not in CODECS:
        raise OptionError(f"method: got {method!r:.80}, allowed: {', '.join(CODECS)}")
    codec_class = CODECS[method]
    fields = _option_names(codec_class)
    own: dict[str, object] = {}
    for option, value in (options or {}).items():
        if option not in CODEC_OPTIONS:
            raise OptionError(f"{option}: no option of any method; known: {', '.join(CODEC_OPTIONS)}")
        if option in fields:
            own[option] = value
        else:
            _check_foreign(codec_class, option, value)
    codec: Codec = codec_class(**own)
    return codec


def _check_foreign(codec_class: Any, option: str, value: object) -> None:
    """Refuse a value that a codec without this option cannot honour."""
    accepted = codec_class.also_accepts.get(option, (CODEC_OPTIONS[option],))
    if any(type(value) is type(candidate) and value == candidate for candidate in accepted):
        return
    having = [name for name, other in CODECS.items() if option in _option_names(other)]
    elsewhere = f"; an option of method {', '.join(having)}" if having else ""
    raise OptionError(
        f"{option}: got {value!r:.80}, allowed with method {codec_class.name}: "
        f"{', '.join(repr(candidate) for candidate in accepted)}{elsewhere}"
    )


def _option_names(codec_class: Any) -> set[str]:
    return {field.name for field in dataclasses.fields(codec_class)}
