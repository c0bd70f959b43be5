"""The contract of all codecs, JPEG, neural and foreign.

    picture, map --> start --> session --> encode(value of its knob) --> file
    file --> decode --> pixels;  file --> facts --> what it says of itself, without its pixels

A codec is a frozen dataclass whose fields are its options, checked at construction. Rates are bytes and bits per pixel
everywhere; what a codec turns to reach them is its own knob (quality, scale, iterations, gamma, step), named by its
session. The search for a target (`msroi.search`) turns it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from msroi.arrays import Pixels

if TYPE_CHECKING:
    from msroi.images import Limits, Picture
    from msroi.saliency.steering import Steering
    from msroi.search.session import Session


class Coding(Protocol):
    """A way to make files of pictures, and to read them: what all codecs are, those of others too."""

    @property
    def name(self) -> str:
        """The name in the table that it stands in."""

    def start(self, picture: Picture, steering: Steering | None, threads: int) -> Session:
        """Do what all settings of the knob share.

        steering: the map of the upright picture; `steering.followed(picture.orientation)` is what to follow, aligned
        with the stored pixels. None: all matters alike. Errors: SaliencyError for a map of another shape.
        """

    def decode(self, data: bytes, limits: Limits | None = None) -> Pixels:
        """Upright pixels of a file of this codec: uint8 (height, width, 3) or, where it is grey, (height, width).

        limits: of what may be decoded; None: the usual ones. Errors: an MsroiError for what is no such file.
        """

    def facts(self, data: bytes) -> dict[str, Any]:
        """What a file says of itself, for people and JSON; no pixel is decoded. Errors: as `decode`."""


class Codec(Coding, Protocol):
    """A codec of this package. Its dataclass fields are the options that it understands."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def version(self) -> str:
        """Changes whenever the bytes for a request change; part of the digest in our files."""

    @property
    def uses_map(self) -> bool:
        """Whether `start` has a use for a map."""

    @property
    def curve(self) -> str:
        """What it follows of a kind's map, by name: see `msroi.saliency.curves`. "" for the map as it was made."""

    @property
    def is_yardstick(self) -> bool:
        """Whether its file at a quality is what others are measured against: then it is itself, without our mark."""

    @property
    def quality_options(self) -> tuple[str, ...]:
        """Those of its options that make the best file better, for who asks for too much."""

    @property
    def also_accepts(self) -> Mapping[str, tuple[object, ...]]:
        """Options that are no fields, and the values of them that describe what it does anyway."""
