"""Whose picture it is: artist and copyright, from EXIF, else from IPTC, else from XMP."""

from __future__ import annotations

from msroi.metadata import iptc, photoshop, xmp_places
from msroi.metadata.exif import Field
from msroi.metadata.model import Metadata
from msroi.metadata.segments import APP13
from msroi.metadata.tiff import ASCII, BYTE, UNDEFINED, Tiff

ARTIST, COPYRIGHT = 0x013B, 0x8298
_MAX_TEXT = 10_000  # bytes; what is longer is no name
# tag -> IPTC's dataset, XMP's property of Dublin Core
_ELSEWHERE = {ARTIST: (iptc.BYLINE, "creator"), COPYRIGHT: (iptc.COPYRIGHT, "rights")}


def credit(metadata: Metadata) -> dict[int, Field]:
    """EXIF fields of artist and copyright, those that there are. EXIF's own stay byte for byte; others are UTF-8."""
    fields = _of_exif(metadata.exif)
    for tag, (dataset, name) in _ELSEWHERE.items():
        if tag not in fields:
            said = _of_iptc(metadata, dataset) or _of_xmp(metadata.xmp, name)
            text = "; ".join(part for part in said if part).encode() + b"\0"
            if 1 < len(text) <= _MAX_TEXT:
                fields[tag] = Field(ASCII, len(text), text)
    return fields


def _of_exif(exif: bytes | None) -> dict[int, Field]:
    tiff = Tiff(exif or b"")
    directory = tiff.directory(tiff.first) if tiff.valid else None
    fields = {}
    for entry in reversed(directory.entries if directory else ()):  # of a field that stands twice the first counts
        if entry.tag in _ELSEWHERE and entry.type in (ASCII, BYTE, UNDEFINED) and entry.n_bytes <= _MAX_TEXT:
            value = tiff.value(entry)
            if value.strip(b"\0 "):  # cameras write blanks where their owner is not set
                fields[entry.tag] = Field(entry.type, entry.count, value)
    return fields


def _of_iptc(metadata: Metadata, dataset: tuple[int, int]) -> list[str]:
    blocks = [
        segment.payload[len(photoshop.PREFIX) :]
        for segment in metadata.segments
        if segment.marker == APP13 and segment.payload.startswith(photoshop.PREFIX)
    ]
    block = b"".join(blocks)
    record = next((block[a:b] for number, a, b in photoshop.resources(block) if number == photoshop.IPTC), b"")
    return [text.strip("\0 ") for text in iptc.texts(record, dataset)]


def _of_xmp(packet: bytes | None, name: str) -> list[str]:
    said = xmp_places.texts(packet, xmp_places.DC, name) if packet else []
    return said if name == "creator" else said[:1]  # rights are the same in several languages
