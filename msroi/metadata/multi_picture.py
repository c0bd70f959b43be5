"""The Multi-Picture Format (CIPA DC-007): HDR gain maps, stereo twins and previews behind a picture.

    SOI ... APP2 "MPF" index ... EOI | picture 2 | picture 3 | ... | whatever follows

The index lists sizes, and offsets from its own place in the file. Only these numbers are rewritten here;
everything else in the index and in the pictures stays byte for byte.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from msroi.metadata.segments import APP2, Segment
from msroi.metadata.tiff import LONG, Entry, Tiff

PREFIX = b"MPF\0"
_COUNT, _ENTRIES = 0xB001, 0xB002
_N_ENTRY = 16
_MAX_HEAD = 65_536
GAIN_MAP = "gain map"
_WORDS_OF_GAIN_MAPS = (b"hdrgainmap", b"hdrgm:", b"urn:iso:std:iso:ts:21496:-1")
_TYPES = {
    0x010001: "large preview",
    0x010002: "large preview",
    0x020001: "panorama part",
    0x020002: "stereo picture",
    0x020003: "multi-angle picture",
    0x030000: "primary picture",
    0x000000: "further picture",
    0x050000: GAIN_MAP,
}


@dataclass(frozen=True)
class ExtraPicture:
    """A further picture of a multi-picture file.

    `data`: the whole picture, byte for byte; `entry`: its place in the index, counted from 0 (the primary);
    `attribute`: the index's 32 bits of flags and type; `gap`: the bytes that stand before it.
    """

    data: bytes
    entry: int
    attribute: int = 0
    gap: bytes = b""

    @property
    def kind(self) -> str:
        """`gain map`, `large preview`, `stereo picture`, ... by its own XMP or the type in the attribute."""
        if any(word in self.data[:_MAX_HEAD] for word in _WORDS_OF_GAIN_MAPS):
            return GAIN_MAP
        return _TYPES.get(self.attribute & 0xFFFFFF, "further picture")


def is_index(segment: Segment) -> bool:
    """True for a segment with a multi-picture index, or with one picture's own attributes."""
    return segment.marker == APP2 and segment.payload.startswith(PREFIX)


def locate(data: bytes, payload: bytes, payload_start: int, end: int) -> tuple[ExtraPicture, ...] | None:
    """The further pictures that an index lists, in file order.

    `payload` is the index's segment, which stands at `payload_start` in `data`; `end` is the offset just
    behind the primary picture. None if one of them is not where the index says.
    """
    tiff, entries = _entries(payload)
    if entries is None or entries.count < 2 * _N_ENTRY:
        return None
    places = []
    for i in range(1, entries.count // _N_ENTRY):
        position = entries.start + i * _N_ENTRY
        attribute, n_bytes, offset = (tiff.integer(position + k, 4) for k in (0, 4, 8))
        places.append((payload_start + len(PREFIX) + offset, n_bytes, i, attribute))
    places.sort()
    ends = [end, *(start + n_bytes for start, n_bytes, _, _ in places)]
    if any(
        start < behind or data[start : start + 3] != b"\xff\xd8\xff"
        for behind, (start, *_) in zip(ends, places, strict=False)
    ):
        return None
    if ends[-1] > len(data):
        return None
    return tuple(
        ExtraPicture(data[start : start + n_bytes], i, attribute, data[behind:start])
        for behind, (start, n_bytes, i, attribute) in zip(ends, places, strict=False)
    )


def rewritten(payload: bytes, header_start: int, n_primary: int, pictures: Sequence[ExtraPicture]) -> bytes:
    """The index with the sizes and offsets of a new file.

    `header_start`: where the TIFF header inside the index stands in that file; `n_primary`: the primary's
    bytes from SOI to EOI, behind which `pictures` follow in order.
    """
    tiff, entries = _entries(payload)
    assert entries is not None, "an index that locate() has read"
    edited = bytearray(payload)

    def write(i: int, n_bytes: int, offset: int) -> None:
        position = len(PREFIX) + entries.start + i * _N_ENTRY + 4
        edited[position : position + 8] = struct.pack(tiff.order + "II", n_bytes, offset)

    write(0, n_primary, 0)
    position = n_primary
    for picture in pictures:
        position += len(picture.gap)
        write(picture.entry, len(picture.data), position - header_start)
        position += len(picture.data)
    return bytes(edited)


def without(payload: bytes, entry: int) -> bytes:
    """The index, of as many bytes, without a further picture: its entry goes, later ones move up."""
    tiff, entries = _entries(payload)
    assert entries is not None, "an index that locate() has read"
    edited = bytearray(payload)
    first, start = len(PREFIX) + entries.start, len(PREFIX) + entries.start + entry * _N_ENTRY
    end = first + entries.n_bytes
    edited[start:end] = payload[start + _N_ENTRY : end] + bytes(_N_ENTRY)
    n_left = entries.count // _N_ENTRY - 1
    for position in range(first, first + n_left * _N_ENTRY, _N_ENTRY):
        for place in (position + 12, position + 14):  # pictures that depend on this one, by number from 1
            number = struct.unpack_from(tiff.order + "H", edited, place)[0]
            if number >= entry + 1:
                struct.pack_into(tiff.order + "H", edited, place, 0 if number == entry + 1 else number - 1)
    struct.pack_into(tiff.order + "I", edited, len(PREFIX) + entries.position + 4, n_left * _N_ENTRY)
    directory = tiff.directory(tiff.first)
    count = directory.get(_COUNT) if directory else None
    if count is not None and count.type == LONG and count.count == 1:
        struct.pack_into(tiff.order + "I", edited, len(PREFIX) + count.start, n_left)
    return bytes(edited)


def _entries(payload: bytes) -> tuple[Tiff, Entry | None]:
    tiff = Tiff(payload[len(PREFIX) :])
    directory = tiff.directory(tiff.first) if tiff.valid and not tiff.big else None
    return tiff, directory.get(_ENTRIES) if directory else None
