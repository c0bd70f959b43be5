"""What travels beside the pixels: `Metadata`, ready to stand in a JPEG, and how it is taken from one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from msroi.errors import ImageError
from msroi.metadata import exif as exif_bytes
from msroi.metadata import icc, multi_picture, xmp
from msroi.metadata.comment import is_ours
from msroi.metadata.multi_picture import ExtraPicture
from msroi.metadata.segments import APP1, APP13, APP14, COM, Jpeg, Segment, parse

_PHOTOSHOP = b"Photoshop 3.0\0"
_RESOURCE_EXIF, _RESOURCE_XMP = (0x0422, 0x0423), (0x0424,)


@dataclass(frozen=True)
class Metadata:
    """What travels beside the pixels.

    segments: APPn and COM in file order, ready for a JPEG; never Adobe's APP14, which belongs to the coded
        data, never our own comment, never the multi-picture index.
    pictures: further pictures of a multi-picture file; `index` is their index as it was read.
    trailer: what stands behind the last picture and is no padding (a motion photo's film, maker's data).
    notices: what an edit of the metadata could not keep.
    """

    segments: tuple[Segment, ...] = ()
    pictures: tuple[ExtraPicture, ...] = ()
    index: bytes = b""
    trailer: bytes = b""
    notices: tuple[str, ...] = ()

    @property
    def exif(self) -> bytes | None:
        """The first EXIF that can be read, as a TIFF structure without `Exif\\0\\0`."""
        return next((exif for exif in _all_exif(self.segments) if exif_bytes.is_valid(exif)), None)

    @property
    def xmp(self) -> bytes | None:
        """The main XMP packet."""
        prefix = len(xmp.PREFIX)
        return next((s.payload[prefix:] for s in self.segments if xmp.is_main(s)), None)

    @property
    def icc_profile(self) -> bytes | None:
        """The ICC profile; None if there is none, a part of it is missing, or it is none."""
        return icc.join(self.segments)

    @property
    def orientation(self) -> int:
        """What the first readable EXIF says, 1 to 8; 1 where it says nothing or nonsense."""
        exif = self.exif
        return (exif_bytes.read_orientation(exif) if exif else None) or 1


def _all_exif(segments: tuple[Segment, ...]) -> list[bytes]:
    return [s.payload[6:] for s in segments if is_exif(s)]


def is_exif(segment: Segment) -> bool:
    """True for a segment with EXIF, whether it can be read or not."""
    return segment.marker == APP1 and segment.payload.startswith(exif_bytes.PREFIX)


def exif_segment(exif: bytes) -> Segment:
    """The JPEG segment of an EXIF structure."""
    return Segment(APP1, exif_bytes.PREFIX + exif)


def from_jpeg(data: bytes, jpeg: Jpeg | None = None) -> tuple[Metadata, tuple[str, ...]]:
    """The metadata of a JPEG file, and notices on what is not carried over.

    Errors: ImageError if it cannot be taken apart.
    """
    jpeg = jpeg or parse(data)
    kept = tuple(
        segment
        for segment in jpeg.segments
        if segment.is_metadata
        and not (segment.marker == APP14 and segment.payload.startswith(b"Adobe"))
        and not multi_picture.is_index(segment)
        and not (segment.marker == COM and is_ours(segment.payload))
    )
    metadata = Metadata(kept)
    notices: list[str] = []
    behind = jpeg.end
    for segment, start in zip(jpeg.segments, jpeg.starts, strict=True):
        if multi_picture.is_index(segment):
            pictures = multi_picture.locate(data, segment.payload, start, jpeg.end)
            if pictures:
                metadata = replace(metadata, pictures=pictures, index=segment.payload)
                behind += sum(len(p.gap) + len(p.data) for p in pictures)
                break
            notices.append("multi-picture index left out: it points at no picture")
    trailer = data[behind:]
    if trailer and not trailer.strip(trailer[:1]):
        if len(trailer) > 16:
            notices.append(f"{len(trailer)} padding bytes behind the picture left out")
        trailer = b""
    return replace(metadata, trailer=trailer), tuple(notices)


def without_pictures(metadata: Metadata) -> tuple[Metadata, tuple[str, ...]]:
    """The metadata for a picture of another geometry: what only fits the old one is dropped, with notices.

    Further pictures of a multi-picture file go, and with a gain map the claim in XMP that one follows.
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
        segments = xmp.edit_segments(segments, xmp.without_gain_map)
    return replace(metadata, segments=segments, pictures=(), index=b"", trailer=trailer), tuple(notices)


def strip_gps(metadata: Metadata) -> Metadata:
    """`--strip-gps`: the position is taken out of EXIF and XMP, everything else stays where it was.

    GPS directories are unlinked and overwritten in place (maker notes and previews are untouched), GPS names
    in XMP are blanked, also in Photoshop's copies and in further pictures. EXIF that cannot be read is
    dropped, since nobody can say what is in it; `notices` says so.
    """
    segments, dropped = _segments_without_gps(metadata.segments)
    pictures = tuple(replace(p, data=_jpeg_without_gps(p.data)) for p in metadata.pictures)
    trailer = metadata.trailer
    if trailer.startswith(b"\xff\xd8\xff"):
        trailer = _jpeg_without_gps(trailer)
    notices = list(metadata.notices)
    if dropped:
        notices.append("EXIF that cannot be read dropped: it may hold a position")
    if trailer.find(b"ftyp", 0, 64) >= 0:
        notices.append("the film behind the picture is kept and may hold a position; --strip drops it")
    return replace(metadata, segments=segments, pictures=pictures, trailer=trailer, notices=tuple(notices))


def _segments_without_gps(segments: tuple[Segment, ...]) -> tuple[tuple[Segment, ...], bool]:
    kept, dropped = [], False
    for segment in segments:
        if is_exif(segment):
            edited = exif_bytes.without_gps(segment.payload[6:])
            if edited is None:
                dropped = True
                continue
            segment = exif_segment(edited)
        elif segment.marker == APP13 and segment.payload.startswith(_PHOTOSHOP):
            segment = replace(segment, payload=_photoshop_without_gps(segment.payload))
        kept.append(segment)
    return xmp.edit_segments(tuple(kept), xmp.without_gps), dropped


def _photoshop_without_gps(payload: bytes) -> bytes:
    """The same Photoshop resources with the copies of EXIF and XMP among them freed of positions."""
    edited = bytearray(payload)
    position = len(_PHOTOSHOP)
    while payload[position : position + 4] == b"8BIM":
        identifier = int.from_bytes(payload[position + 4 : position + 6], "big")
        start = position + 6 + (payload[position + 6 : position + 7] or b"\0")[0] + 1
        start += (start - position) % 2 + 4
        n_bytes = int.from_bytes(payload[start - 4 : start], "big")
        content = payload[start : start + n_bytes]
        if identifier in _RESOURCE_EXIF:
            bare = content.removeprefix(exif_bytes.PREFIX)
            fresh = exif_bytes.without_gps(bare)
            content = content[: len(content) - len(bare)] + (bytes(len(bare)) if fresh is None else fresh)
        elif identifier in _RESOURCE_XMP:
            content = xmp.without_gps(content)
        edited[start : start + len(content)] = content
        position = start + n_bytes + n_bytes % 2
    return bytes(edited)


def _jpeg_without_gps(data: bytes) -> bytes:
    """The same JPEG, every byte in its place, without positions; unchanged if it cannot be taken apart."""
    try:
        jpeg = parse(data)
    except ImageError:
        return data
    edited = bytearray(data)
    metadata = [(i, s) for i, s in enumerate(jpeg.segments) if s.is_metadata]
    for i, segment in metadata:
        if is_exif(segment):
            exif = segment.payload[6:]
            fresh = exif_bytes.without_gps(exif)
            payload = segment.payload[:6] + (bytes(len(exif)) if fresh is None else fresh)
        else:
            payload = _segments_without_gps((segment,))[0][0].payload
        start = jpeg.starts[i]
        edited[start : start + len(payload)] = payload
    return bytes(edited)
