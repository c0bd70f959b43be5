"""XMP packets as bytes: in JPEG segments, and edits in place that keep every length.

What is taken out is overwritten by spaces, which mean nothing between the parts of an XML tag. So
offsets, segment sizes and the places of pictures behind the packet stay what they were.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from msroi.metadata.segments import APP1, Segment

PREFIX = b"http://ns.adobe.com/xap/1.0/\0"
EXTENSION_PREFIX = b"http://ns.adobe.com/xmp/extension/\0"
MAX_PACKET = 65_533 - len(PREFIX)
_EXTENSION_HEADER = len(EXTENSION_PREFIX) + 32 + 4 + 4  # digest, full length, offset

# Every pattern ends at the next bracket or quote, so that hostile packets cost no more than long ones.
_NAME = rb"[A-Za-z_][\w.-]*:(?:GPS|Gps)[\w.-]*"
_GPS_ATTRIBUTE = re.compile(rb"(?<=\s)" + _NAME + rb"""\s{0,99}=\s{0,99}(?:"[^"]*"|'[^']*')""")
_GPS_TAG = re.compile(rb"<(?P<closes>/?)(?P<name>" + _NAME + rb")(?=[\s/>])[^<>]*?(?P<whole>/?)>")
_GAIN_MAP_CLAIM = re.compile(
    rb"""(?<=\s)hdrgm:Version\s{0,99}=\s{0,99}(?:"[^"]*"|'[^']*')|<hdrgm:Version>[^<]{0,99}</hdrgm:Version>"""
)
_SEMANTIC = rb"""Semantic(?:\s{0,9}=\s{0,9}["']|>)GainMap\b"""
_ITEM_TAG = re.compile(rb"<(?P<closes>/?)rdf:li\b[^<>]*?(?P<whole>/?)>|" + _SEMANTIC)
_GAIN_MAP = re.compile(_SEMANTIC)
_ORIENTATION = re.compile(rb"""tiff:Orientation(?:\s{0,9}=\s{0,9}["']|>)\s{0,9}([1-9])(?![0-9])""")


def to_segment(packet: bytes) -> Segment:
    """The JPEG segment of a packet of at most `MAX_PACKET` bytes."""
    return Segment(APP1, PREFIX + packet)


def is_main(segment: Segment) -> bool:
    """True for a segment with the main packet."""
    return segment.marker == APP1 and segment.payload.startswith(PREFIX)


def is_extension(segment: Segment) -> bool:
    """True for a segment with a part of an extended packet."""
    return (
        segment.marker == APP1
        and segment.payload.startswith(EXTENSION_PREFIX)
        and len(segment.payload) >= _EXTENSION_HEADER
    )


def read_orientation(packet: bytes) -> int | None:
    """`tiff:Orientation`, 1 to 8; None where there is none."""
    found = _ORIENTATION.search(packet)
    value = int(found[1]) if found else 0
    return value if 1 <= value <= 8 else None


def with_orientation_1(packet: bytes) -> bytes:
    """The same packet with every `tiff:Orientation` set to 1."""
    edited = bytearray(packet)
    for found in _ORIENTATION.finditer(packet):
        edited[found.start(1) : found.end(1)] = b"1"
    return bytes(edited)


def without_gps(packet: bytes) -> bytes:
    """The same number of bytes with every attribute and element of a GPS name blanked."""
    packet = _GPS_ATTRIBUTE.sub(_spaces, packet)
    return _blanked(packet, _gps_elements(packet))


def without_gain_map(packet: bytes) -> bytes:
    """The same number of bytes without the claim that an HDR gain map follows."""
    packet = _GAIN_MAP_CLAIM.sub(_spaces, packet)
    return _blanked(packet, _gain_map_items(packet))


def _spaces(found: re.Match[bytes]) -> bytes:
    return b" " * len(found[0])


def _blanked(packet: bytes, stretches: list[tuple[int, int]]) -> bytes:
    edited = bytearray(packet)
    for start, stop in stretches:
        edited[start:stop] = b" " * (stop - start)
    return bytes(edited)


def _gps_elements(packet: bytes) -> list[tuple[int, int]]:
    """Where elements of a GPS name start and stop; of one that never ends, its tag and text."""
    stretches: list[tuple[int, int]] = []
    opened: re.Match[bytes] | None = None
    for tag in _GPS_TAG.finditer(packet):
        text_end = packet.find(b"<", tag.end())
        if tag["closes"] and opened is not None and opened["name"] == tag["name"]:
            stretches.append((opened.start(), tag.end()))
            opened = None
        elif not tag["closes"]:
            if opened is None and not tag["whole"]:
                opened = tag
            stretches.append((tag.start(), tag.end() if tag["whole"] or text_end < 0 else text_end))
    return stretches


def _gain_map_items(packet: bytes) -> list[tuple[int, int]]:
    """Where the items of a GContainer directory that stand for a gain map start and stop."""
    stretches: list[tuple[int, int]] = []
    stack: list[tuple[int, bool]] = []  # where an item starts, and whether it is a gain map's
    for found in _ITEM_TAG.finditer(packet):
        if found["whole"] is None:
            if stack:
                stack[-1] = stack[-1][0], True
        elif not found["closes"]:
            is_gain_map = _GAIN_MAP.search(found[0]) is not None
            if not found["whole"]:
                stack.append((found.start(), is_gain_map))
            elif is_gain_map:
                stretches.append(found.span())
        elif stack:
            start, is_gain_map = stack.pop()
            stretches += [(start, found.end())] if is_gain_map else []
    return stretches


def edit_segments(segments: tuple[Segment, ...], edit: Callable[[bytes], bytes]) -> tuple[Segment, ...]:
    """The same segments with `edit` (which keeps the length) applied to main and extended packets.

    An extended packet is edited as a whole; its MD5 digest, which names it, is brought up to date
    in its own segments and in the main packet.
    """
    edited = [Segment(s.marker, PREFIX + edit(s.payload[len(PREFIX) :])) if is_main(s) else s for s in segments]
    by_digest: dict[bytes, list[int]] = {}
    for i, segment in enumerate(edited):
        if is_extension(segment):
            digest = segment.payload[len(EXTENSION_PREFIX) : len(EXTENSION_PREFIX) + 32]
            by_digest.setdefault(digest, []).append(i)
    for digest, places in by_digest.items():
        _edit_extended(edited, places, digest, edit)
    return tuple(edited)


def _edit_extended(segments: list[Segment], places: list[int], digest: bytes, edit: Callable[[bytes], bytes]) -> None:
    """Edits, in `segments`, the extended packet whose parts stand at `places`."""
    places = sorted(places, key=lambda i: segments[i].payload[_EXTENSION_HEADER - 4 : _EXTENSION_HEADER])
    parts = [segments[i].payload[_EXTENSION_HEADER:] for i in places]
    before = b"".join(parts)
    after = edit(before)
    if after == before:
        return
    fresh = hashlib.md5(after, usedforsecurity=False).hexdigest().upper().encode()
    position = 0
    for i, part in zip(places, parts, strict=True):
        head = segments[i].payload[:_EXTENSION_HEADER].replace(digest, fresh)
        segments[i] = Segment(APP1, head + after[position : position + len(part)])
        position += len(part)
    for i, segment in enumerate(segments):
        if is_main(segment):
            segments[i] = Segment(APP1, segment.payload.replace(digest, fresh))
