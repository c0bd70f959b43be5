"""From coded picture and metadata to a file, and back to the coded picture alone."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from msroi.metadata import comment as our_comment
from msroi.metadata import multi_picture
from msroi.metadata.model import Metadata, is_exif
from msroi.metadata.segments import APP0, APP1, Jpeg, Segment, parse

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
_N_JFIF, _N_ADOBE = 14, 12


def bare(jpeg: bytes) -> bytes:
    """The JPEG without metadata and without anything behind it: what sizes are compared on.

    What decoding needs stays: tables, frame, scans, Adobe's segment where it decides on colour, and the JFIF
    header where there is one (without its thumbnail), since plain JPEGs have it too.
    Errors: ImageError if it cannot be taken apart.
    """
    return bare_of(parse(jpeg))


def bare_of(jpeg: Jpeg) -> bytes:
    """`bare` of a JPEG that has been taken apart."""
    jfif = [_plain_jfif(jpeg.jfif)] if jpeg.jfif else []
    return b"".join((_SOI, *(s.to_bytes() for s in (*jfif, *_coding(jpeg))), _EOI))


def picture_digest(jpeg: bytes) -> str:
    """16 hexadecimal digits that are equal for files with the same coded picture, whatever their metadata.

    JFIF is left out: it comes and goes with EXIF. Errors: ImageError if the file cannot be taken apart.
    """
    coding = b"".join(segment.to_bytes() for segment in _coding(parse(jpeg)))
    return hashlib.sha256(coding).hexdigest()[:16]


def assemble(coded: bytes, metadata: Metadata, comment: str | None = None) -> bytes:
    """A whole file from a coded JPEG, metadata and our comment.

    SOI, JFIF, the metadata's segments, our comment, then the coded JPEG's own tables, frame and scans, EOI,
    and the further pictures with their index rewritten. Metadata that stand in `coded` are left out.
    JFIF is the metadata's; else the coded JPEG's own, unless EXIF stands in its place as in a camera's file.
    Errors: ImageError if `coded` cannot be taken apart or a segment is too large.
    """
    jpeg = parse(coded)
    head = _ordered(_jfif(jpeg, metadata), metadata.segments)
    tail = [our_comment.to_segment(comment)] if comment else []
    coding = b"".join(segment.to_bytes() for segment in (*tail, *_coding(jpeg))) + _EOI
    if not metadata.pictures:
        return b"".join((_SOI, *(s.to_bytes() for s in head), coding, metadata.trailer))
    before, after = _split_for_index(head)
    front = _SOI + b"".join(segment.to_bytes() for segment in before)
    rest = b"".join(segment.to_bytes() for segment in after) + coding
    n_primary = len(front) + 4 + len(metadata.index) + len(rest)
    header_start = len(front) + 4 + len(multi_picture.PREFIX)
    index = multi_picture.rewritten(metadata.index, header_start, n_primary, metadata.pictures)
    behind = b"".join(part for picture in metadata.pictures for part in (picture.gap, picture.data))
    return b"".join((front, Segment(0xE2, index).to_bytes(), rest, behind, metadata.trailer))


def _coding(jpeg: Jpeg) -> list[Segment]:
    """The segments that decoding needs, in order."""
    adobe = jpeg.adobe if _adobe_decides(jpeg) else None
    kept = [replace(adobe, payload=adobe.payload[:_N_ADOBE])] if adobe else []
    return kept + [segment for segment in jpeg.segments if not segment.is_metadata]


def _adobe_decides(jpeg: Jpeg) -> bool:
    """True if decoders take the colour transform from Adobe's segment (libjpeg: default_decompress_parms)."""
    n_components = len(jpeg.frame.components)
    return n_components == 4 or (n_components == 3 and jpeg.jfif is None and _transform(jpeg) != 1)


def _transform(jpeg: Jpeg) -> int | None:
    return jpeg.adobe.payload[11] if jpeg.adobe else None


def _says_ycbcr_without_jfif(jpeg: Jpeg) -> bool:
    """True if JFIF may come or go without a change of colour: not three components, or YCbCr anyhow."""
    if len(jpeg.frame.components) != 3:
        return True
    if jpeg.adobe:
        return _transform(jpeg) == 1
    return tuple(component.identifier for component in jpeg.frame.components) == (1, 2, 3)


def _jfif(jpeg: Jpeg, metadata: Metadata) -> Segment | None:
    wanted = next((segment for segment in metadata.segments if segment.is_jfif), None)
    own = _plain_jfif(jpeg.jfif) if jpeg.jfif else None
    if not _says_ycbcr_without_jfif(jpeg):
        return (wanted or own) if own else None
    if wanted is None and any(is_exif(segment) for segment in metadata.segments):
        return None
    return wanted or own


def _plain_jfif(jfif: Segment) -> Segment:
    """The header without its thumbnail."""
    return replace(jfif, payload=jfif.payload[: _N_JFIF - 2] + b"\0\0")


def _ordered(jfif: Segment | None, segments: tuple[Segment, ...]) -> list[Segment]:
    """JFIF first, its extensions next, the rest in their own order."""
    extensions = [segment for segment in segments if segment.is_jfif_extension] if jfif else []
    others = [segment for segment in segments if not segment.is_jfif and not segment.is_jfif_extension]
    return [*([jfif] if jfif else []), *extensions, *others]


def _split_for_index(head: list[Segment]) -> tuple[list[Segment], list[Segment]]:
    """The multi-picture index stands behind the leading APP0 and APP1 segments (CIPA DC-007, 5.1)."""
    n_leading = next((i for i, s in enumerate(head) if s.marker not in (APP0, APP1)), len(head))
    return head[:n_leading], head[n_leading:]
