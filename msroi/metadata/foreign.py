"""Metadata of other formats, brought into JPEG segments."""

from __future__ import annotations

from dataclasses import dataclass, replace

from msroi.metadata import exif as exif_bytes
from msroi.metadata import icc, photoshop, xmp
from msroi.metadata.model import Metadata, exif_segment
from msroi.metadata.segments import APP0, APP13, COM, Segment
from msroi.metadata.tiff import Tiff

_MAX_PAYLOAD = 65_533
_TAG_XMP, _TAG_IPTC, _TAG_PHOTOSHOP, _TAG_ICC = 700, 33723, 34377, 34675


@dataclass(frozen=True)
class Density:
    """Pixels per `unit`: 0 none (an aspect ratio), 1 inch, 2 centimetre, as JFIF counts."""

    unit: int
    across: int
    down: int


@dataclass(frozen=True)
class Foreign:
    """What a file of another format says beside its pixels.

    exif: a TIFF structure; xmp: a packet; icc_profile: a profile; iptc: an IIM record (IPTC-NAA);
    comments: plain text; density: resolution.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    icc_profile: bytes | None = None
    iptc: bytes | None = None
    comments: tuple[bytes, ...] = ()
    density: Density | None = None


def to_metadata(foreign: Foreign) -> tuple[Metadata, tuple[str, ...]]:
    """JPEG segments in the usual order, and notices on what a JPEG segment cannot hold.

    EXIF, XMP and IPTC are kept byte for byte. EXIF that is too large or cannot be read is left out.
    """
    notices: list[str] = []
    segments: list[Segment] = []

    def add(what: str, segment: Segment) -> None:
        if len(segment.payload) > _MAX_PAYLOAD:
            n_bytes = len(segment.payload)
            notices.append(f"{what} of {n_bytes} bytes left out: a JPEG segment holds {_MAX_PAYLOAD}")
        else:
            segments.append(segment)

    if foreign.density and 0 < foreign.density.across < 65_536 and 0 < foreign.density.down < 65_536:
        segments.append(_jfif(foreign.density))
    if foreign.exif:
        exif = foreign.exif.removeprefix(exif_bytes.PREFIX)
        if exif_bytes.is_valid(exif):
            add("EXIF", exif_segment(exif))
        else:
            notices.append("EXIF left out: it cannot be read")
    if foreign.xmp:
        add("XMP", xmp.to_segment(foreign.xmp))
    if foreign.iptc:
        add("IPTC", _photoshop(foreign.iptc))
    if foreign.icc_profile:
        parts = icc.split(foreign.icc_profile) if icc.is_valid(foreign.icc_profile) else ()
        segments.extend(parts)
        if not parts:
            notices.append("ICC profile left out: it is no usable profile")
    for comment in foreign.comments:
        add("comment", Segment(COM, comment))
    return Metadata(tuple(segments)), tuple(notices)


def with_exif_orientation(metadata: Metadata, orientation: int) -> Metadata:
    """The metadata with a minimal EXIF that says `orientation`, put before everything but JFIF."""
    fresh = exif_segment(exif_bytes.orientation_only(orientation))
    n_leading = sum(segment.is_jfif for segment in metadata.segments[:1])
    segments = (*metadata.segments[:n_leading], fresh, *metadata.segments[n_leading:])
    return replace(metadata, segments=segments)


def from_tiff(data: bytes) -> Foreign:
    """EXIF, XMP, IPTC, ICC and resolution of a TIFF's first page. The EXIF is new, without orientation."""
    tiff = Tiff(data)
    main = tiff.directory(tiff.first) if tiff.valid else None
    if main is None:
        return Foreign()
    values = {entry.tag: tiff.value(entry) for entry in main.entries if entry.tag in _FOREIGN_TAGS}
    packet = values.get(_TAG_XMP)
    return Foreign(
        exif=exif_bytes.from_tiff(tiff),
        xmp=xmp.with_orientation_1(packet.rstrip(b"\0")) if packet else None,
        icc_profile=values.get(_TAG_ICC),
        iptc=values.get(_TAG_IPTC) or iptc_of_photoshop(values.get(_TAG_PHOTOSHOP, b"")),
        density=_tiff_density(tiff),
    )


_FOREIGN_TAGS = (_TAG_XMP, _TAG_IPTC, _TAG_PHOTOSHOP, _TAG_ICC)


def from_bmp(data: bytes) -> Foreign:
    """The profile inside a BMP with a version 5 header, and the resolution."""
    header = data[14:138]

    def integer(position: int) -> int:
        return int.from_bytes(header[position : position + 4], "little")

    profile = None
    if integer(0) >= 124 and header[56:60] == b"DEBM":  # the number "MBED", little-endian: it is inside
        start = 14 + integer(112)
        profile = data[start : start + integer(116)]
    density = None
    if integer(0) >= 40 and integer(24) and integer(28):
        density = Density(2, round(integer(24) / 100), round(integer(28) / 100))
    return Foreign(icc_profile=profile, density=density)


def iptc_of_photoshop(block: bytes) -> bytes | None:
    """The IPTC record among Photoshop's image resources."""
    return next(
        (block[start:end] for number, start, end in photoshop.resources(block) if number == photoshop.IPTC), None
    )


def profile_text(text: bytes) -> bytes | None:
    """The bytes of a `Raw profile type ...` text, as ImageMagick writes it: name, length, hexadecimal."""
    lines = text.strip(b"\n\0 ").split(b"\n", 2)
    if len(lines) < 3:
        return None
    try:
        n_bytes = int(lines[1])
        return bytes.fromhex(b"".join(lines[2].split()).decode("ascii"))[: max(n_bytes, 0)]
    except ValueError:
        return None


def _photoshop(iptc: bytes) -> Segment:
    head = photoshop.PREFIX + b"8BIM" + photoshop.IPTC.to_bytes(2, "big") + b"\0\0"
    return Segment(APP13, head + len(iptc).to_bytes(4, "big") + iptc + bytes(len(iptc) % 2))


def _jfif(density: Density) -> Segment:
    head = b"JFIF\0\1\1" + bytes((density.unit,))
    return Segment(APP0, head + density.across.to_bytes(2, "big") + density.down.to_bytes(2, "big") + b"\0\0")


def _tiff_density(tiff: Tiff) -> Density | None:
    main = tiff.directory(tiff.first)
    if main is None:
        return None
    unit = (tiff.integers(main.get(296)) or [2])[0]
    values = []
    for tag in (282, 283):
        entry = main.get(tag)
        if entry is None or entry.type != 5:
            return None
        numerator, denominator = tiff.integer(entry.start, 4), tiff.integer(entry.start + 4, 4)
        values.append(round(numerator / denominator) if denominator else 0)
    return Density({2: 1, 3: 2}.get(unit, 0), *values)
