"""One picture on its way through a request: what the encoders get, and what their files are put together with."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from msroi import images
from msroi import metadata as meta
from msroi.arrays import Saliency
from msroi.codecs.jpeg import plain
from msroi.images import Picture
from msroi.metadata import Metadata
from msroi.pipeline.request import MATCHES, Request
from msroi.version import __version__

if TYPE_CHECKING:
    from msroi.saliency.hints import Hints
    from msroi.saliency.kinds import Found


@dataclass(frozen=True)
class Job:
    """A picture, ready to be coded.

    source: as read. picture: with the colour, size and metadata asked for.
    hints: what the map is made from; None where nothing needs one.
    found: the map, upright, to be made when it is needed; None before `with_map`, and without hints.
    map_identity: equal for equal maps, "" without one.
    """

    request: Request
    source: Picture
    picture: Picture
    hints: Hints | None
    map_identity: str
    n_threads: int
    found: Found | None = None

    @property
    def name(self) -> str:
        """The input's name in messages."""
        return self.source.source.name

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should know of the picture that is coded."""
        known = (*self.picture.notices, *self.picture.metadata.notices)
        return (*known, self.map_notice) if self.map_notice else known

    @property
    def map_notice(self) -> str:
        """What the user should know of the map, or ""."""
        return "" if self.found is None else self.found.notice

    @property
    def saliency(self) -> Saliency | None:
        """The map, float32 (height, width) in [0, 1], upright. Made anew: four bytes a pixel are not kept."""
        return None if self.found is None else self.found.saliency

    def saliency_maker(self) -> Callable[[], Saliency | None]:
        """What makes the map later, without the pictures; the user's own is read now, for it may be another then."""
        from msroi.saliency.hints import is_own

        if self.found is None or self.hints is None or not is_own(self.hints.saliency):
            return _no_map if self.found is None else self.found.make
        return functools.partial(np.asarray, self.saliency)

    def stored_saliency(self) -> Saliency | None:
        """The map as the pixels are stored, made anew."""
        saliency = self.saliency
        if saliency is None or self.picture.orientation == 1:
            return saliency  # as it is: a flat map may be one value seen everywhere
        return np.asarray(images.to_stored(saliency, self.picture.orientation))

    def followed(self) -> Saliency | None:
        """What an encoder follows of the map, as the pixels are stored, made anew."""
        stored = self.stored_saliency()
        if stored is None or self.hints is None:
            return stored
        from msroi.saliency.hints import followed

        return followed(stored, self.hints)

    @property
    def pixels_changed(self) -> bool:
        """Whether the picture to code is another than the one that was read."""
        return self.picture.pixels is not self.source.pixels

    @property
    def max_bytes(self) -> int | None:
        """What the whole file may have, None where plain JPEG sets the target."""
        return self.request.max_bytes(self.picture.upright_size)

    @property
    def target(self) -> str:
        """What is aimed at, in words."""
        request = self.request
        yardstick = f"plain JPEG at quality {request.quality}"
        if request.goal == "size":
            return f"at most {self.plain_bytes} bytes ({yardstick} with the same metadata)"
        if request.goal == "quality":
            return f"the fewest bytes as good as {yardstick}, in PSNR and in map-weighted SSIM"
        bits = f" ({request.bpp:g} bits per pixel)" if request.bpp is not None else ""
        return f"at most {self.max_bytes} bytes for the whole file{bits}"

    @functools.cached_property
    def plain_jpeg(self) -> bytes:
        """Plain JPEG of the upright picture at the request's quality, the yardstick where no size is asked for."""
        return plain.encode(self.picture.upright, self.request.quality)

    @functools.cached_property
    def plain_bytes(self) -> int:
        """Bytes of plain's file with the metadata that ours carries: what ours is measured against."""
        return len(self.unmarked(self.plain_jpeg))

    def mark(self, coded: bytes) -> str:
        """What marks our files, for a second run to know them.

        It holds the request and the coded picture: other programs keep comments in what they edit.
        """
        return f"msroi {__version__} {self.request.digest(self.map_identity)}{meta.picture_digest(coded)}"

    def unmarked(self, coded: bytes) -> bytes:
        """A coded picture with metadata, as others would write it."""
        return meta.assemble(coded, self.picture.metadata)

    def assembled(self, coded: bytes) -> bytes:
        """The whole file: a coded picture with metadata and our mark."""
        return meta.assemble(coded, self.picture.metadata, self.mark(coded))

    @functools.cached_property
    def overhead(self) -> int:
        """What metadata and our mark add to a coded picture, in bytes: to any of ours as many."""
        return len(self.assembled(self._tiny)) - len(self._tiny)

    @functools.cached_property
    def metadata_bytes(self) -> int:
        """What metadata alone add."""
        return len(self.unmarked(self._tiny)) - len(self._tiny)

    @functools.cached_property
    def _tiny(self) -> bytes:
        return plain.encode(self.picture.upright[:8, :8], plain.QUALITIES[0])

    def settle_sizes(self) -> None:
        """Make now what needs a copy of the upright picture; later there is an encoder, which is large itself."""
        _ = self.metadata_bytes, self.plain_bytes if self.request.goal in MATCHES else None

    def with_map(self) -> Job:
        """The job with its map made. Errors: SaliencyError, OptionError for a box outside of the input."""
        if self.hints is None:
            return self
        from msroi.saliency.hints import combined

        return replace(self, found=combined(self.hints, self.picture, self.source.upright_size))

    def edited(self, metadata: Metadata) -> Metadata:
        """Metadata of the input, by the policy asked for."""
        return edited(metadata, self.request, self.source.orientation)


def _no_map() -> None:
    """The map of a job without one."""


def prepare(request: Request, source: Picture, hints: Hints, n_threads: int) -> Job:
    """Everything before the encoder but the map: colour, size, metadata.

    There will be a map only if the codec, the target or the user asks for one.
    Errors: SaliencyError and OptionError for a map that cannot be had.
    """
    picture = source
    if request.srgb:
        picture = images.convert_to_srgb(picture)
    if request.max_side is not None:
        picture = images.resize_to_max_side(picture, request.max_side)
    picture = replace(picture, metadata=edited(picture.metadata, request, source.orientation))
    wanted = _wants_map(request, hints)
    if wanted:
        from msroi.saliency.hints import is_own, small_user_map

        if is_own(hints.saliency):  # read once
            width, height = picture.upright_size
            hints = replace(hints, saliency=small_user_map(hints.saliency, height, width))
    identity = map_identity(request, hints, picture.upright_size)
    return Job(request, source, picture, hints if wanted else None, identity, n_threads)


def map_identity(request: Request, hints: Hints, upright_size: tuple[int, int]) -> str:
    """Equal for equal maps of a picture of this size (width, height) in pixels; "" where nothing asks for a map."""
    if not _wants_map(request, hints):
        return ""
    from msroi.saliency.hints import identity_at

    return identity_at(hints, *upright_size)


def _wants_map(request: Request, hints: Hints) -> bool:
    return request.codec.uses_map or request.goal == "quality" or hints.given


def edited(metadata: Metadata, request: Request, orientation: int) -> Metadata:
    """Metadata by the policy that the request asks for. orientation: of the pixels as they are stored."""
    if not request.gain_map:
        metadata = meta.without_gain_map(metadata)
    if request.strip or request.strip_all:
        notices = metadata.notices
        stripped = images.strip(metadata, orientation, credit=not request.strip_all)
        return replace(stripped, notices=(*notices, *stripped.notices))
    return meta.strip_gps(metadata) if request.strip_gps else metadata
