"""One picture on its way through a request: what the encoders get, and what their files are put together with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from msroi import images
from msroi import metadata as meta
from msroi.images import Picture
from msroi.jpeg import plain
from msroi.metadata import Metadata
from msroi.pipeline.request import Request
from msroi.pipeline.result import Saliency
from msroi.version import __version__

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Job:
    """A picture, ready to be coded.

    source: as read. picture: with the colour, size and metadata asked for.
    plain_jpeg: plain JPEG of the upright picture at the request's quality, the yardstick.
    saliency: float32 (height, width) in [0, 1], upright; None where nothing needs it.
    map_identity: equal for equal maps, "" without one.
    """

    request: Request
    source: Picture
    picture: Picture
    plain_jpeg: bytes
    saliency: Saliency | None
    map_identity: str
    n_threads: int

    @property
    def name(self) -> str:
        """The input's name in messages."""
        return self.source.source.name

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should know of the picture that is coded."""
        return (*self.picture.notices, *self.picture.metadata.notices)

    @property
    def stored_saliency(self) -> Saliency | None:
        """The map as the pixels are stored."""
        if self.saliency is None or self.picture.orientation == 1:
            return self.saliency  # as it is: a flat map may be one value seen everywhere
        return np.asarray(images.to_stored(self.saliency, self.picture.orientation))

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
            return f"at most {len(self.plain_jpeg)} bytes of picture data ({yardstick})"
        if request.goal == "quality":
            return f"the fewest bytes as good as {yardstick}, in PSNR and in map-weighted SSIM"
        bits = f" ({request.bpp:g} bits per pixel)" if request.bpp is not None else ""
        return f"at most {self.max_bytes} bytes for the whole file{bits}"

    @property
    def comment(self) -> str:
        """What marks our files, for a second run to know them."""
        return f"msroi {__version__} {self.request.digest(self.map_identity)}"

    def assembled(self, coded: bytes) -> bytes:
        """The whole file: a coded picture with metadata and our mark."""
        return meta.assemble(coded, self.picture.metadata, self.comment)

    def edited(self, metadata: Metadata) -> Metadata:
        """Metadata of the input, by the policy asked for."""
        return _edited(metadata, self.request, self.source.orientation)


def prepare(
    request: Request, source: Picture, map_kind: str, saliency: Any, focus: Sequence[Box], n_threads: int
) -> Job:
    """Everything before the encoder: colour, size, metadata, plain's file and the map.

    The map is made only if the codec, the target or the user asks for one.
    Errors: SaliencyError and OptionError for a map that cannot be had.
    """
    picture = source
    if request.srgb:
        picture = images.convert_to_srgb(picture)
    if request.max_side is not None:
        picture = images.resize_to_max_side(picture, request.max_side)
    picture = replace(picture, metadata=_edited(picture.metadata, request, source.orientation))
    resolved: Saliency | None = None
    identity = ""
    if request.codec.uses_map or request.goal == "quality" or saliency is not None or len(focus) > 0:
        from msroi.saliency.hints import resolve

        boxes = _scaled(focus, source.upright_size, picture.upright_size)
        resolved, identity = resolve(saliency, map_kind, boxes, picture)
    plain_jpeg = plain.encode(picture.upright, request.quality)
    return Job(request, source, picture, plain_jpeg, resolved, identity, n_threads)


def _edited(metadata: Metadata, request: Request, orientation: int) -> Metadata:
    if request.strip:
        return images.strip(metadata, orientation)
    return meta.strip_gps(metadata) if request.strip_gps else metadata


def _scaled(boxes: Sequence[Box], before: tuple[int, int], after: tuple[int, int]) -> Sequence[Box]:
    """Boxes given in pixels of the input, in pixels of the reduced picture. Sizes are (width, height)."""
    if before == after or any(len(box) != 4 for box in boxes):
        return boxes  # a box that is none is for `resolve` to refuse
    horizontal, vertical = after[0] / before[0], after[1] / before[1]
    scaled = []
    for x, y, width, height in boxes:
        left, top = math.floor(x * horizontal), math.floor(y * vertical)
        right, bottom = math.ceil((x + width) * horizontal), math.ceil((y + height) * vertical)
        scaled.append((left, top, right - left, bottom - top))
    return scaled
