"""HDR gain maps: pixels that stand behind a picture, and what points at them.

A gain map is a further picture of a multi-picture file. The main picture says in XMP (Ultra HDR: `hdrgm:Version` and a
directory of items) or in an APP2 segment (ISO 21496-1) that one follows; Apple's files say so in the map alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from msroi.metadata import multi_picture, xmp
from msroi.metadata.model import Metadata
from msroi.metadata.multi_picture import GAIN_MAP
from msroi.metadata.segments import APP2, Segment

_ISO = b"urn:iso:std:iso:ts:21496:-1"


def is_iso(segment: Segment) -> bool:
    """True for ISO 21496-1's segment: a version in the main picture, all of the map's parameters in the map."""
    return segment.marker == APP2 and segment.payload.startswith(_ISO)


def has_gain_map(metadata: Metadata) -> bool:
    """True if one of the further pictures is a gain map."""
    return any(picture.kind == GAIN_MAP for picture in metadata.pictures)


def without_pictures_at(metadata: Metadata, places: Sequence[int]) -> Metadata:
    """The metadata without the further pictures at these places of `metadata.pictures`, the index in step."""
    index, pictures = metadata.index, list(metadata.pictures)
    for place in sorted(places, reverse=True):
        gone = pictures.pop(place).entry
        index = multi_picture.without(index, gone)
        pictures = [replace(p, entry=p.entry - 1) if p.entry > gone else p for p in pictures]
    return replace(metadata, pictures=tuple(pictures), index=index if pictures else b"")


def without_claims(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """The segments of a main picture behind which no gain map follows any more."""
    edited = xmp.edit_segments(segments, xmp.without_gain_map)
    return tuple(segment for segment in edited if segment is not None and not is_iso(segment))


def without_gain_map(metadata: Metadata) -> Metadata:
    """`--no-gain-map`: gain maps dropped with a notice, and the claims that one follows; all else stays."""
    places = [i for i, picture in enumerate(metadata.pictures) if picture.kind == GAIN_MAP]
    if not places:
        return metadata
    metadata = without_pictures_at(metadata, places)
    notice = "HDR gain map dropped, as --no-gain-map asks"
    return replace(metadata, segments=without_claims(metadata.segments), notices=(*metadata.notices, notice))


def without_pictures(metadata: Metadata) -> tuple[Metadata, tuple[str, ...]]:
    """The metadata for a picture of another geometry: what only fits the old one is dropped, with notices.

    Further pictures of a multi-picture file go, and with a gain map the claims that one follows.
    A JPEG that follows without an index may be a gain map just as well, so it goes too.
    """
    notices = []
    if metadata.pictures:
        kinds = ", ".join(sorted({picture.kind for picture in metadata.pictures}))
        n = len(metadata.pictures)
        notices.append(f"{n} further picture(s) dropped ({kinds}): they fit the old size only")
    trailer = metadata.trailer
    if trailer.startswith(b"\xff\xd8\xff"):
        n = len(trailer)
        notices.append(f"{n} bytes of a JPEG behind the picture dropped: it fits the old size only")
        trailer = b""
    segments = metadata.segments
    if notices:
        segments = without_claims(segments)
    return replace(metadata, segments=segments, pictures=(), index=b"", trailer=trailer), tuple(notices)
