"""HDR gain maps: pixels that stand behind a picture, and what points at them.

A gain map is a further picture of a multi-picture file. The main picture says in XMP (Ultra HDR: `hdrgm:Version` and a
directory of items) or in an APP2 segment (ISO 21496-1) that one follows; Apple's files say so in the map alone.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import replace

from msroi.errors import ImageError
from msroi.metadata import icc, multi_picture, xmp, xmp_places
from msroi.metadata.assembly import assemble, bare
from msroi.metadata.model import Metadata, from_jpeg
from msroi.metadata.multi_picture import GAIN_MAP, ExtraPicture
from msroi.metadata.segments import APP2, Segment, is_jpeg, parse
from msroi.metadata.tiff import EXIF_POINTER, MAKER_NOTE, Tiff

_ISO = b"urn:iso:std:iso:ts:21496:-1"
_HDRGM = "http://ns.adobe.com/hdr-gain-map/1.0/"
# What a map's own XMP says of how it is applied: Adobe's and Google's, Apple's.
_PARAMETERS = frozenset((_HDRGM, "http://ns.apple.com/HDRGainMap/1.0/", "http://ns.apple.com/pixeldatainfo/1.0/"))
_VERSION = re.compile(r"[0-9.]{1,9}")
# The main picture's claim, with the prefixes that decoders look for by their letters.
_CLAIM = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"'
    ' xmlns:Container="http://ns.google.com/photos/1.0/container/"'
    ' xmlns:Item="http://ns.google.com/photos/1.0/container/item/" hdrgm:Version="{}"><Container:Directory><rdf:Seq>'
    '<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="Primary" Item:Mime="image/jpeg"/></rdf:li>'
    '<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="GainMap" Item:Mime="image/jpeg"'
    ' Item:Length="{}"/></rdf:li></rdf:Seq></Container:Directory></rdf:Description></rdf:RDF></x:xmpmeta>'
)
_APPLE = b"Apple iOS\0\0\1MM"
_HEADROOM = (0x0021, 0x0030)


def is_iso(segment: Segment) -> bool:
    """True for ISO 21496-1's segment: a version in the main picture, all of the map's parameters in the map."""
    return segment.marker == APP2 and segment.payload.startswith(_ISO)


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
    n_behind = map_behind(metadata.trailer)
    if not places and not n_behind:
        return metadata
    metadata = without_pictures_at(metadata, places)
    return replace(
        metadata,
        segments=without_claims(metadata.segments),
        trailer=metadata.trailer[n_behind:],
        notices=(*metadata.notices, "HDR gain map dropped, as `gain_map` asks"),
    )


def gain_map_alone(metadata: Metadata) -> Metadata:
    """The gain maps without metadata of their own but what shows them right, and what in the main picture says of them.

    Nothing at all where there is none. `notices`: of those that had to be dropped.
    """
    maps = [_bare_map(p) if p.kind == GAIN_MAP else None for p in metadata.pictures]
    n_unreadable = sum(p.kind == GAIN_MAP and m is None for p, m in zip(metadata.pictures, maps, strict=True))
    kept = without_pictures_at(metadata, [i for i, data in enumerate(maps) if data is None])
    fresh = [data for data in maps if data is not None]
    pictures = tuple(replace(p, data=data, gap=b"") for p, data in zip(kept.pictures, fresh, strict=True))
    n_behind = map_behind(metadata.trailer)
    behind = _bare_map(ExtraPicture(metadata.trailer[:n_behind], 0)) if n_behind else None
    notices = ("an HDR gain map that cannot be read dropped",) if n_unreadable or (n_behind and behind is None) else ()
    if not pictures and behind is None:
        return Metadata(notices=notices)
    segments = [segment for segment in metadata.segments if is_iso(segment)]
    versions = xmp_places.texts(metadata.xmp, _HDRGM, "Version") if metadata.xmp else []
    if versions and _VERSION.fullmatch(versions[0]):
        n_bytes = len(pictures[0].data) if pictures else len(behind or b"")
        segments.insert(0, xmp.to_segment(_CLAIM.format(versions[0], n_bytes).encode()))
    return Metadata(tuple(segments), pictures, kept.index, behind or b"", notices)


def map_behind(trailer: bytes) -> int:
    """Bytes of a gain map that follows without an index; 0 if none does."""
    if not is_jpeg(trailer):
        return 0
    try:
        end = parse(trailer).end
    except ImageError:
        return 0
    return end if ExtraPicture(trailer[:end], 0).kind == GAIN_MAP else 0


def _bare_map(picture: ExtraPicture) -> bytes | None:
    """The map with its profile and parameters, without any other metadata; None if it cannot be read as one."""
    data = picture.data
    try:
        segments = [segment for segment in parse(data).segments if is_iso(segment) or icc.is_part(segment)]
        packet = from_jpeg(data)[0].xmp
        if packet is not None:
            segments.insert(0, xmp.to_segment(xmp_places.only(packet, _PARAMETERS)))
        fresh = assemble(bare(data), Metadata(tuple(segments)))
        return fresh if replace(picture, data=fresh).kind == GAIN_MAP else None
    except (ImageError, xmp_places.UnreadableError):
        return None


def apple_headroom(exif: bytes | None) -> bytes | None:
    """Apple's maker notes with nothing but what the map's brightness is computed from; None where there is nothing."""
    tiff = Tiff(exif or b"")
    details = tiff.pointed(tiff.directory(tiff.first), EXIF_POINTER) if tiff.valid else None
    entry = details.get(MAKER_NOTE) if details else None
    notes = tiff.value(entry) if entry else b""
    if not notes.startswith(_APPLE):
        return None
    own = Tiff(
        b"MM\0*" + len(_APPLE).to_bytes(4, "big") + notes[8:]
    )  # its directory, whose offsets count from the notes
    directory = own.directory(own.first) if own.valid else None
    found = [e for tag in _HEADROOM if directory and (e := directory.get(tag)) and e.n_bytes == 8]
    if not found:
        return None
    behind = len(_APPLE) + 2 + 12 * len(found) + 4
    rows = [struct.pack(">HHII", e.tag, e.type, e.count, behind + 8 * i) for i, e in enumerate(found)]
    return b"".join((_APPLE, struct.pack(">H", len(found)), *rows, bytes(4), *(own.value(e) for e in found)))


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
