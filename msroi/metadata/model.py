"""What travels beside the pixels: `Metadata`, ready to stand in a JPEG, and how it is taken from one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from msroi.metadata import exif as exif_bytes
from msroi.metadata import icc, multi_picture, xmp
from msroi.metadata.comment import is_ours
from msroi.metadata.multi_picture import ExtraPicture
from msroi.metadata.segments import APP1, APP14, COM, Jpeg, Segment, parse

_MAX_INDICES = 16  # a file has one; its further pictures may have their own


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
    indices = [(s, start) for s, start in zip(jpeg.segments, jpeg.starts, strict=True) if multi_picture.is_index(s)]
    for segment, start in indices[:_MAX_INDICES]:
        pictures = multi_picture.locate(data, segment.payload, start, jpeg.end)
        if pictures:
            metadata = replace(metadata, pictures=pictures, index=segment.payload)
            behind += sum(len(p.gap) + len(p.data) for p in pictures)
            break
        if not notices:
            notices.append("multi-picture index left out: it points at no picture")
    trailer = data[behind:]
    if trailer and not trailer.strip(trailer[:1]):
        if len(trailer) > 16:
            notices.append(f"{len(trailer)} padding bytes behind the picture left out")
        trailer = b""
    return replace(metadata, trailer=trailer), tuple(notices)
