"""`--strip-gps`: no place is left behind, whether a position or a name, or it is said what had to go with it.

    segments: EXIF, XMP, Photoshop's resources -> edited in place; harmless ones -> kept; any other -> dropped
    further pictures, thumbnails: the same inside each, every byte in its place
    behind the pictures: further JPEGs, edited; nothing else

Words that people write (titles, captions, keywords, a person's address) are theirs to change. Comments, of which nobody
knows what they are, are dropped.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace

from msroi.errors import ImageError
from msroi.metadata import exif_places, icc, iptc, multi_picture, photoshop, xmp, xmp_places
from msroi.metadata.comment import is_ours
from msroi.metadata.gain_map import without_pictures_at
from msroi.metadata.model import Metadata
from msroi.metadata.multi_picture import ExtraPicture
from msroi.metadata.segments import APP0, APP1, APP2, APP13, APP14, COM, Segment, parse, walk

_MAX_BLOCKS = 16  # of EXIF, and of XMP; files have one, some two
_MAX_DEPTH = 3  # of pictures in pictures
_MAX_INSIDE = 64  # JPEGs within one block; cameras write one to three
_MAX_BEHIND, _MAX_GAP = 16, 1024  # JPEGs behind the pictures, bytes before each

_EXIF = re.compile(rb".{0,4}Exif\0.", re.S | re.I)
_TIFF = re.compile(rb"II\*\0|MM\0\*")
_NAME = re.compile(rb"[A-Za-z][ -~]{1,15}")
_TEXT_OF_PLACES = re.compile(rb"gps|latitude|longitude|city|country|state|province|location|place", re.I)
# What is known to hold no place, by marker and beginning.
_HARMLESS = {
    APP0: re.compile(rb"JFIF\0|AVI1|Ocad|Picasa"),
    APP2: re.compile(rb"ICC_PROFILE\0|MPF\0|FPXR\0|urn:iso:std:iso:ts:21496:"),
    0xE4: re.compile(rb"SCALADO\0|FPXR\0"),
    0xE8: re.compile(rb"SPIFF\0"),
    0xEB: re.compile(rb"HDR_RI "),
    0xEC: re.compile(rb"Ducky"),
    APP13: re.compile(rb"Adobe_CM"),
    APP14: re.compile(rb"Adobe"),
    0xEF: re.compile(rb"Q\s*\d"),
}
_PICTURE_INFO = re.compile(rb"\[picture info\]|Type=")


# More than fuzzing ever needed; each round takes something out.
_ROUNDS = 5


def strip_gps(metadata: Metadata) -> Metadata:
    """The metadata without places; `notices` says what was dropped because nobody can say what is in it.

    GPS directories are unlinked and overwritten, names and positions in XMP blanked, IPTC's datasets of places taken
    out, all of it also in thumbnails, further pictures and JPEGs behind. Everything else stays where it was.
    What was overwritten in EXIF may have served other fields as well, in files that mean harm: so what comes out is
    looked at again, until nothing changes any more.
    """
    for _ in range(_ROUNDS):
        before, metadata = metadata, _once(metadata)
        if _exif_of_all(metadata) == _exif_of_all(before):
            break
    return metadata


def _exif_of_all(metadata: Metadata) -> list[Segment]:
    return [segment for segment in metadata.segments if _is_exif(segment)]


def _once(metadata: Metadata) -> Metadata:
    work = _Work()
    payloads = work.cleaned(metadata.segments)
    segments = tuple(
        replace(s, payload=payload)
        for s, payload in zip(metadata.segments, payloads, strict=True)
        if payload is not None
    )
    metadata = work.pictures_cleaned(replace(metadata, segments=segments))
    trailer = work.behind(metadata.trailer)
    notices = list(metadata.notices)
    if work.dropped:
        notices.append(f"dropped, since a place may be in it: {', '.join(work.dropped)}")
    return replace(metadata, trailer=trailer, notices=tuple(notices))


class _Work:
    """One run: what had to be dropped, each once, and how deep in pictures inside pictures it is."""

    def __init__(self) -> None:
        self.dropped: dict[str, None] = {}
        self.depth = 0

    def cleaned(self, segments: Sequence[Segment]) -> list[bytes | None]:
        """For each segment its payload without places, as long as before, or None if it is to go."""
        edited: list[Segment | None] = list(segments)
        self._exif_segments(edited)
        for i, segment in enumerate(segments):
            if not (_is_exif(segment) or _is_edited_together(segment)):
                edited[i] = self._other(segment)
        self._photoshop(edited)
        return [None if segment is None else segment.payload for segment in self._xmp(edited)]

    def _drop(self, what: str) -> None:
        self.dropped[what] = None

    # --- segments of each kind ---

    def _exif_segments(self, segments: list[Segment | None]) -> None:
        """Edits EXIF in place; segments without a header of their own hold what did not fit into the one before."""
        run: list[int] = []
        n_blocks = 0
        for i in range(len(segments) + 1):
            segment = segments[i] if i < len(segments) else None
            is_exif = segment is not None and _is_exif(segment)
            if is_exif and run and not _TIFF.match(_exif_of(_there(segment))):
                run.append(i)
                continue
            for block in self._exif_blocks(segments, run):
                n_blocks += 1
                self._exif_run(segments, block, n_blocks <= _MAX_BLOCKS)
            run = [i] if is_exif else []

    def _exif_blocks(self, segments: list[Segment | None], run: list[int]) -> list[list[int]]:
        """The run as one block if its first segment points into the others, else each by itself."""
        bodies = [_exif_of(_there(segments[i])) for i in run]
        if len(run) > 1 and exif_places.reaches_beyond(b"".join(bodies), len(bodies[0])):
            return [run]
        return [[i] for i in run]

    def _exif_run(self, segments: list[Segment | None], run: list[int], may_stay: bool) -> None:
        parts = [_there(segments[i]) for i in run]
        bodies = [_exif_of(part) for part in parts]
        exif = self._exif(b"".join(bodies)) if may_stay else None
        if exif is None:
            self._drop("EXIF that cannot be read" if may_stay else "further EXIF")
        position = 0
        for i, part, body in zip(run, parts, bodies, strict=True):
            head = part.payload[: len(part.payload) - len(body)]
            fresh = None if exif is None else head + exif[position : position + len(body)]
            segments[i] = None if fresh is None else replace(part, payload=fresh)
            position += len(body)

    def _exif(self, exif: bytes) -> bytes | None:
        return exif_places.without_places(exif, self._field, self.jpegs_inside)

    def _field(self, tag: int, value: bytes) -> bytes:
        """The value of an EXIF field with XMP, IPTC or Photoshop's resources; zeros for one that cannot be read."""
        if tag == exif_places.XMP:
            return self._packet(value) or bytes(len(value))
        return self._iptc(value) if tag == exif_places.IPTC else self._resources(value)

    def _packet(self, packet: bytes) -> bytes | None:
        try:
            return xmp.edit_pictures(xmp_places.without_places(packet), self.jpegs_inside)
        except xmp_places.UnreadableError:
            self._drop("XMP that cannot be read")
            return None

    def _iptc(self, record: bytes) -> bytes:
        record, is_whole = iptc.without_places(record)
        if not is_whole:
            self._drop("IPTC that cannot be read")
        return record

    def _other(self, segment: Segment) -> Segment | None:
        """A segment of another kind: itself, without places if it is a thumbnail; None for what is not known."""
        payload = segment.payload
        if not payload.strip(b"\0") or (segment.marker == COM and is_ours(payload)):
            return segment
        if segment.is_jfif_extension:
            return replace(segment, payload=self.jpegs_inside(payload))
        harmless = _HARMLESS.get(segment.marker)
        if harmless and harmless.match(payload):
            return segment
        if segment.marker == 0xEC and _PICTURE_INFO.search(payload) and not _TEXT_OF_PLACES.search(payload):
            return segment
        name = _NAME.match(payload)
        known = f" ({name[0].decode('ascii').strip()})" if name and segment.marker != COM else ""
        self._drop("a comment" if segment.marker == COM else f"{segment.name}{known}")
        return None

    def _xmp(self, segments: Sequence[Segment | None]) -> list[Segment | None]:
        places = [i for i, segment in enumerate(segments) if segment is not None and _is_xmp(segment)]
        mains = [i for i in places if xmp.is_main(_there(segments[i]))]
        too_many = set(mains[_MAX_BLOCKS:])
        taken = [i for i in places if i not in too_many]
        fresh = xmp.edit_segments([_there(segments[i]) for i in taken], self._packet, named_only=True)
        edited = list(segments)
        for i in places:
            edited[i] = None
        for i, segment in zip(taken, fresh, strict=True):
            edited[i] = segment
        if too_many:
            self._drop("further XMP")
        if any(
            segment is None and xmp.is_extension(_there(segments[i])) for i, segment in zip(taken, fresh, strict=True)
        ):
            self._drop("extended XMP that no packet names or that is not whole")
        return edited

    def _photoshop(self, segments: list[Segment | None]) -> None:
        """Edits Photoshop's segments in place; those that follow each other hold one block."""
        run: list[int] = []
        for i in range(len(segments) + 1):
            segment = segments[i] if i < len(segments) else None
            if segment is not None and _is_photoshop(segment):
                run.append(i)
                continue
            if run:
                self._photoshop_run(segments, run)
            run = []

    def _photoshop_run(self, segments: list[Segment | None], run: list[int]) -> None:
        parts = [_there(segments[i]).payload[len(photoshop.PREFIX) :] for i in run]
        joined = b"".join(parts)
        block = self._resources(joined) if photoshop.is_whole(joined) else b"".join(map(self._resources, parts))
        position = 0
        for i, part in zip(run, parts, strict=True):
            segments[i] = Segment(APP13, photoshop.PREFIX + block[position : position + len(part)])
            position += len(part)

    def _resources(self, block: bytes) -> bytes:
        edited = bytearray(block)
        digests = {}  # of IPTC, before and after: Photoshop compares them
        for number, start, end in photoshop.resources(block):
            content = block[start:end]
            fresh: bytes | None = content
            if number == photoshop.IPTC:
                fresh = self._iptc(content)
                digests[_md5(content)] = _md5(fresh)
            elif number in photoshop.EXIF:
                head = 6 if content.startswith(b"Exif\0\0") else 0
                exif = self._exif(content[head:])
                fresh = None if exif is None else content[:head] + exif
            elif number == photoshop.XMP:
                fresh = self._packet(content)
            elif number in photoshop.THUMBNAILS:
                fresh = self.jpegs_inside(content)
            elif number < 0 and not photoshop.is_padding(content):
                self._drop("Photoshop's resources that cannot be read")
                fresh = None
            edited[start:end] = bytes(end - start) if fresh is None else fresh
        for number, start, end in photoshop.resources(block):
            if number == photoshop.IPTC_DIGEST:
                edited[start:end] = digests.get(block[start:end], block[start:end])
        return bytes(edited)

    # --- pictures ---

    def jpegs_inside(self, data: bytes) -> bytes:
        """The same number of bytes, with the JPEGs that stand anywhere in them without places."""
        edited, position = bytearray(data), 0
        for _ in range(_MAX_INSIDE):
            start = data.find(b"\xff\xd8\xff", position)
            if start < 0:
                return bytes(edited)
            fresh, n_bytes = self._jpeg(data[start:])
            edited[start : start + n_bytes] = fresh
            position = start + max(n_bytes, 3)
        if data.find(b"\xff\xd8\xff", position) >= 0:
            self._drop("further thumbnails")
            edited[position:] = bytes(len(data) - position)
        return bytes(edited)

    def _jpeg(self, data: bytes) -> tuple[bytes, int]:
        """The JPEG at the beginning of `data` without places, every byte in its place, and how long it is."""
        segments, starts, end = [], [], 0
        try:
            for segment, start, behind in walk(data):
                end = behind
                if segment.is_metadata:
                    segments.append(segment)
                    starts.append(start)
        except ImageError:
            pass
        if self.depth < _MAX_DEPTH:
            self.depth += 1
            payloads = self.cleaned(segments)
            self.depth -= 1
        else:
            payloads = [segment.payload if _is_needed(segment) else None for segment in segments]
        edited = bytearray(data[:end])
        for segment, start, payload in zip(segments, starts, payloads, strict=True):
            n_bytes = len(segment.payload)
            edited[start : start + n_bytes] = bytes(n_bytes) if payload is None else payload
        return bytes(edited), end

    def _whole(self, data: bytes) -> bytes | None:
        """A further picture without places, with zeros for what stands behind its end; None if it is no JPEG."""
        try:
            end = parse(data).end
        except ImageError:
            return None
        if data[end:].strip(b"\0"):
            self._drop(f"{len(data) - end} bytes behind a further picture")
        fresh, n_bytes = self._jpeg(data[:end])
        return fresh.ljust(len(data), b"\0") if n_bytes == end else None

    def pictures_cleaned(self, metadata: Metadata) -> Metadata:
        """The metadata with the further pictures without places, and without those that cannot be read."""
        pictures: list[ExtraPicture] = []
        lost: list[int] = []
        for i, picture in enumerate(metadata.pictures):
            if picture.gap.strip(b"\0"):
                self._drop(f"{len(picture.gap)} bytes between pictures")
            data = self._whole(picture.data)
            if data is None:
                self._drop(f"a further picture that cannot be read ({picture.kind})")
                lost.append(i)
            pictures.append(replace(picture, data=data or b"", gap=bytes(len(picture.gap))))
        metadata = replace(metadata, pictures=tuple(pictures))
        return without_pictures_at(metadata, lost) if lost else metadata

    def behind(self, trailer: bytes) -> bytes:
        """What of the bytes behind the pictures is further JPEGs, without places; zeros stand between them."""
        parts, position = [], 0
        for _ in range(_MAX_BEHIND):
            start = trailer.find(b"\xff\xd8\xff", position, position + _MAX_GAP)
            try:
                end = start + parse(trailer[start:]).end if start >= 0 else -1
            except ImageError:
                end = -1
            if end < 0:
                break
            if trailer[position:start].strip(b"\0"):
                self._drop(f"{start - position} bytes between pictures")
            parts += [bytes(start - position), self._jpeg(trailer[start:end])[0]]
            position = end
        rest = trailer[position:]
        if rest.strip(b"\0"):
            self._drop(f"{len(rest)} bytes behind the picture")
        return b"".join(parts)


def _there(segment: Segment | None) -> Segment:
    assert segment is not None
    return segment


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _is_xmp(segment: Segment) -> bool:
    return xmp.is_main(segment) or xmp.is_extension(segment)


def _is_photoshop(segment: Segment) -> bool:
    return segment.marker == APP13 and segment.payload.startswith(photoshop.PREFIX)


def _is_exif(segment: Segment) -> bool:
    return segment.marker == APP1 and _EXIF.match(segment.payload) is not None


def _exif_of(segment: Segment) -> bytes:
    found = _EXIF.match(segment.payload)
    return segment.payload[found.end() :] if found else b""


def _is_edited_together(segment: Segment) -> bool:
    return _is_xmp(segment) or _is_photoshop(segment)


def _is_needed(segment: Segment) -> bool:
    """True for what a picture cannot be shown without."""
    return segment.is_jfif or segment.is_adobe or icc.is_part(segment) or multi_picture.is_index(segment)
