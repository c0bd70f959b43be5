"""One picture on its way through a request: what the encoders get, and what their files are put together with."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from msroi import images
from msroi import metadata as meta
from msroi.arrays import Saliency
from msroi.codecs.jpeg import plain
from msroi.images import Picture
from msroi.metadata import Metadata
from msroi.settings import MATCHES, Settings
from msroi.version import __version__

if TYPE_CHECKING:
    from msroi.saliency.sources import Sources
    from msroi.saliency.steering import Steering


@dataclass(frozen=True)
class Job:
    """A picture, ready to be coded.

    source: as read. picture: with the colour, size and metadata asked for.
    sources: what the map is made from; None where nothing needs one.
    steering: the map; None before `with_map`, and without sources.
    map_identity: equal for equal maps, "" without one.
    """

    settings: Settings
    source: Picture
    picture: Picture
    sources: Sources | None
    map_identity: str
    n_threads: int
    steering: Steering | None = None

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
        return "" if self.steering is None else self.steering.notice

    def weights(self) -> Saliency | None:
        """What weighs the scores: the map as it was made, as the pixels are stored. Made anew: it is not kept."""
        return None if self.steering is None else self.steering.made(self.picture.orientation)

    @property
    def pixels_changed(self) -> bool:
        """Whether the picture to code is another than the one that was read."""
        return self.picture.pixels is not self.source.pixels

    @property
    def max_bytes(self) -> int | None:
        """What the whole file may have, None where plain JPEG sets the target."""
        return self.settings.max_bytes(self.picture.upright_size)

    @property
    def target(self) -> str:
        """What is aimed at, in words."""
        settings = self.settings
        yardstick = f"plain JPEG at quality {settings.quality}"
        if settings.goal == "size":
            return f"at most {self.plain_bytes} bytes ({yardstick} with the same metadata)"
        if settings.goal == "quality":
            return f"the fewest bytes as good as {yardstick}, in PSNR and in map-weighted SSIM"
        bits = f" ({settings.bpp:g} bits per pixel)" if settings.bpp is not None else ""
        return f"at most {self.max_bytes} bytes for the whole file{bits}"

    @functools.cached_property
    def plain_jpeg(self) -> bytes:
        """Plain JPEG of the upright picture at the request's quality, the yardstick where no size is asked for."""
        return plain.encode(self.picture.upright, self.settings.quality)

    @functools.cached_property
    def plain_bytes(self) -> int:
        """Bytes of plain's file with the metadata that ours carries: what ours is measured against."""
        return len(self.unmarked(self.plain_jpeg))

    def mark(self, coded: bytes) -> str:
        """What marks our files, for a second run to know them.

        It holds the request and the coded picture: other programs keep comments in what they edit.
        """
        return f"msroi {__version__} {self.settings.digest(self.map_identity)}{meta.picture_digest(coded)}"

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
        _ = self.metadata_bytes, self.plain_bytes if self.settings.goal in MATCHES else None

    def with_map(self) -> Job:
        """The job with its map made. Errors: SaliencyError, OptionError for a box outside of the input."""
        if self.sources is None:
            return self
        from msroi.saliency.steering import steer

        steering = steer(self.sources, self.picture, self.settings.codec.curve, self.source.upright_size)
        return replace(self, sources=steering.combined.sources, steering=steering)

    def edited(self, metadata: Metadata) -> Metadata:
        """Metadata of the input, by the policy asked for."""
        return edited(metadata, self.settings, self.source.orientation)


def prepare(settings: Settings, source: Picture, n_threads: int) -> Job:
    """Everything before the encoder but the map: colour, size, metadata.

    There will be a map only if the codec, the target or the user asks for one.
    Errors: SaliencyError for a face model that cannot be read.
    """
    picture = source
    if settings.srgb:
        picture = images.convert_to_srgb(picture)
    if settings.max_side is not None:
        picture = images.resize_to_max_side(picture, settings.max_side)
    picture = replace(picture, metadata=edited(picture.metadata, settings, source.orientation))
    identity = map_identity(settings)
    return Job(settings, source, picture, settings.sources if identity else None, identity, n_threads)


def map_identity(settings: Settings) -> str:
    """Equal for equal maps of a picture; "" where nothing asks for a map."""
    if settings.codec.uses_map or settings.goal == "quality" or settings.sources.given:
        return settings.sources.identity(settings.codec.curve)
    return ""


def edited(metadata: Metadata, settings: Settings, orientation: int) -> Metadata:
    """Metadata by the policy that the request asks for. orientation: of the pixels as they are stored."""
    if not settings.gain_map:
        metadata = meta.without_gain_map(metadata)
    if settings.strip or settings.strip_all:
        notices = metadata.notices
        stripped = images.strip(metadata, orientation, credit=not settings.strip_all)
        return replace(stripped, notices=(*notices, *stripped.notices))
    return meta.strip_gps(metadata) if settings.strip_gps else metadata
