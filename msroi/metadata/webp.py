"""WebP's RIFF container (RFC 9649): canvas size and metadata, without decoding."""

from __future__ import annotations

from dataclasses import dataclass

from msroi.errors import ImageError
from msroi.metadata.foreign import Foreign

_MAX_CHUNKS = 1_000_000


@dataclass(frozen=True)
class WebP:
    """Canvas size in pixels, number of frames, metadata."""

    width: int
    height: int
    n_frames: int
    foreign: Foreign


def parse(data: bytes) -> WebP:
    """Takes a WebP apart. Errors: ImageError if it has no canvas or is cut short."""
    declared = int.from_bytes(data[4:8], "little") + 8
    if declared > len(data) + 1:
        raise ImageError("damaged WebP: it is cut short")
    size: tuple[int, int] | None = None
    found: dict[bytes, bytes] = {}
    n_frames, position = 0, 12
    for _ in range(_MAX_CHUNKS):
        if position + 8 > len(data):
            break
        kind = data[position : position + 4]
        n_bytes = int.from_bytes(data[position + 4 : position + 8], "little")
        start = position + 8
        size = size or _size(kind, data[start : start + 10])
        n_frames += kind == b"ANMF"
        if kind in (b"EXIF", b"XMP ", b"ICCP"):
            found.setdefault(kind, data[start : start + n_bytes])
        position = start + n_bytes + n_bytes % 2
    if size is None:
        raise ImageError("damaged WebP: it has no picture header")
    foreign = Foreign(exif=found.get(b"EXIF"), xmp=found.get(b"XMP "), icc_profile=found.get(b"ICCP"))
    return WebP(*size, max(n_frames, 1), foreign)


def _size(kind: bytes, head: bytes) -> tuple[int, int] | None:
    if kind == b"VP8X" and len(head) == 10:
        return int.from_bytes(head[4:7], "little") + 1, int.from_bytes(head[7:10], "little") + 1
    if kind == b"VP8 " and head[3:6] == b"\x9d\x01\x2a" and len(head) == 10:
        return int.from_bytes(head[6:8], "little") & 0x3FFF, int.from_bytes(head[8:10], "little") & 0x3FFF
    if kind == b"VP8L" and head[:1] == b"\x2f" and len(head) >= 5:
        bits = int.from_bytes(head[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None
