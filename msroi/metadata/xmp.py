"""XMP packets as bytes: in JPEG segments, and edits in place that keep every length.

What is taken out is overwritten by spaces, which mean nothing between the parts of an XML tag. So
offsets, segment sizes and the places of pictures behind the packet stay what they were.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence

from msroi.metadata.segments import APP1, Segment

PREFIX = b"http://ns.adobe.com/xap/1.0/\0"
EXTENSION_PREFIX = b"http://ns.adobe.com/xmp/extension/\0"
MAX_PACKET = 65_533 - len(PREFIX)
_EXTENSION_HEADER = len(EXTENSION_PREFIX) + 32 + 4 + 4  # digest, full length, offset

# Every pattern ends at the next bracket or quote, so that hostile packets cost no more than long ones.
_HAS_EXTENDED = re.compile(rb"""HasExtendedXMP(?:\s{0,9}=\s{0,9}["']|>)\s{0,9}([0-9A-Za-z]{32})""")
_GAIN_MAP_CLAIM = re.compile(
    rb"""(?<=\s)hdrgm:Version\s{0,99}=\s{0,99}(?:"[^"]*"|'[^']*')|<hdrgm:Version>[^<]{0,99}</hdrgm:Version>"""
)
_SEMANTIC = rb"""Semantic(?:\s{0,9}=\s{0,9}["']|>)GainMap\b"""
_ITEM_TAG = re.compile(rb"<(?P<closes>/?)rdf:li\b[^<>]*?(?P<whole>/?)>|" + _SEMANTIC)
_GAIN_MAP = re.compile(_SEMANTIC)
# A JPEG's first bytes in Base64, and all that follows of it: lines may end by a character's number.
_BASE64_JPEG = re.compile(rb"""(?<=["'>\s;])/9j/(?:[A-Za-z0-9+/=\s]|&\#x?[0-9AaDd]{1,2};)++""")
_BASE64_RUN = re.compile(rb"&[^;]*+;|[A-Za-z0-9+/=]++")
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


def edit_pictures(packet: bytes, edit: Callable[[bytes], bytes]) -> bytes:
    """The same packet with `edit`, which keeps the length, applied to every JPEG that it holds in Base64."""
    edited = bytearray(packet)
    for found in _BASE64_JPEG.finditer(packet):
        runs = [run.span() for run in _BASE64_RUN.finditer(packet, *found.span()) if run[0][:1] != b"&"]
        text = b"".join(packet[start:stop] for start, stop in runs)
        try:
            before = base64.b64decode(text, validate=True)
        except ValueError:
            continue
        after = edit(before)
        if after == before:
            continue
        fresh, position = base64.b64encode(after), 0
        for start, stop in runs:
            edited[start:stop] = fresh[position : position + stop - start]
            position += stop - start
    return bytes(edited)


def edit_segments(
    segments: Sequence[Segment], edit: Callable[[bytes], bytes | None], *, named_only: bool = False
) -> list[Segment | None]:
    """The same segments with `edit` applied to main and extended packets, in time proportional to their bytes.

    edit(packet): as many bytes, or None for a packet that is to go, with all of its parts. An extended packet is
    edited as a whole; its MD5 digest, which names it, is brought up to date in its own segments and in the main packet.
    named_only: what no main packet names goes, and so does an extended packet of which a part is missing.
    """
    edited: list[Segment | None] = [_edited_main(s, edit) if is_main(s) else s for s in segments]
    mains = [i for i, segment in enumerate(edited) if segment is not None and is_main(segment)]
    named = {found[1] for i in mains for found in _HAS_EXTENDED.finditer(segments[i].payload)}
    by_digest: dict[bytes, list[int]] = {}
    for i, segment in enumerate(segments):
        if is_extension(segment):
            by_digest.setdefault(_digest(segment), []).append(i)
    fresh: dict[bytes, bytes] = {}
    for digest, places in by_digest.items():
        places.sort(key=lambda i: _offset(segments[i]))
        if named_only and (digest not in named or not _is_whole([segments[i] for i in places])):
            after = None
        else:
            after = edit(b"".join(segments[i].payload[_EXTENSION_HEADER:] for i in places))
        fresh[digest] = digest if after is None else _put_back(edited, places, after)
        if after is None:
            for i in places:
                edited[i] = None
    renamed = {digest: new for digest, new in fresh.items() if digest != new}
    for i in mains if renamed else ():
        main = edited[i]
        if main is not None:
            edited[i] = Segment(APP1, _HAS_EXTENDED.sub(lambda found: _renamed(found, renamed), main.payload))
    return edited


def _edited_main(segment: Segment, edit: Callable[[bytes], bytes | None]) -> Segment | None:
    packet = edit(segment.payload[len(PREFIX) :])
    return None if packet is None else Segment(APP1, PREFIX + packet)


def _digest(extension: Segment) -> bytes:
    return extension.payload[len(EXTENSION_PREFIX) : len(EXTENSION_PREFIX) + 32]


def _offset(extension: Segment) -> int:
    return int.from_bytes(extension.payload[_EXTENSION_HEADER - 4 : _EXTENSION_HEADER], "big")


def _is_whole(parts: list[Segment]) -> bool:
    """True if parts, sorted by offset, follow each other and are as long as they say."""
    position = 0
    for part in parts:
        if _offset(part) != position:
            return False
        position += len(part.payload) - _EXTENSION_HEADER
    return all(
        int.from_bytes(p.payload[_EXTENSION_HEADER - 8 : _EXTENSION_HEADER - 4], "big") == position for p in parts
    )


def _put_back(segments: list[Segment | None], places: list[int], packet: bytes) -> bytes:
    """Puts an extended packet into its segments, under its new digest, which is returned."""
    parts = [part for i in places if (part := segments[i]) is not None]
    old = _digest(parts[0])
    if packet == b"".join(part.payload[_EXTENSION_HEADER:] for part in parts):
        return old
    digest = hashlib.md5(packet, usedforsecurity=False).hexdigest().upper().encode()
    position = 0
    for i, part in zip(places, parts, strict=True):
        n_bytes = len(part.payload) - _EXTENSION_HEADER
        head = EXTENSION_PREFIX + digest + part.payload[len(EXTENSION_PREFIX) + 32 : _EXTENSION_HEADER]
        segments[i] = Segment(APP1, head + packet[position : position + n_bytes])
        position += n_bytes
    return digest


def _renamed(found: re.Match[bytes], renamed: dict[bytes, bytes]) -> bytes:
    head = found[0][: found.start(1) - found.start()]
    return head + renamed.get(found[1], found[1])
