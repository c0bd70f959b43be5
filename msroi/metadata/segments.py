"""The JPEG marker stream, bytes only (ITU-T T.81, annex B).

    SOI | segment | segment | ... | SOS + entropy-coded data | ... | EOI | whatever follows

The walk is as tolerant as libjpeg's `next_marker`: it skips fill bytes, stray `FF 00` and junk between
segments. What it cannot make sense of raises `ImageError`, never anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from msroi.errors import ImageError

SOI, EOI, SOS, DQT, DHT, DAC, DRI, DNL, COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xCC, 0xDD, 0xDC, 0xFE
APP0, APP1, APP2, APP13, APP14 = 0xE0, 0xE1, 0xE2, 0xED, 0xEE
_FRAMES = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, DAC}
_BARE_MARKERS = frozenset((0x01, *range(0xD0, 0xD8)))  # TEM and RSTn stand without a length

_MAX_SEGMENTS = 20_000

# A marker between segments, any fill bytes before it passed over. `FF 00` is no marker there either.
_NEXT_MARKER = re.compile(rb"\xff([\x01-\xfe])")
# A marker that ends entropy-coded data: neither a stuffed zero nor a restart.
_SCAN_END = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")

PROCESSES = {
    0xC0: "baseline",
    0xC1: "extended sequential",
    0xC2: "progressive",
    0xC3: "lossless",
    0xC5: "hierarchical sequential",
    0xC6: "hierarchical progressive",
    0xC7: "hierarchical lossless",
    0xC9: "sequential, arithmetic coding",
    0xCA: "progressive, arithmetic coding",
    0xCB: "lossless, arithmetic coding",
    0xCD: "hierarchical sequential, arithmetic coding",
    0xCE: "hierarchical progressive, arithmetic coding",
    0xCF: "hierarchical lossless, arithmetic coding",
}


@dataclass(frozen=True)
class Segment:
    """A marker segment: `payload` without marker and length; `coded` is what follows an SOS header."""

    marker: int
    payload: bytes
    coded: bytes = b""

    @property
    def is_metadata(self) -> bool:
        """True for APPn and COM."""
        return APP0 <= self.marker <= 0xEF or self.marker == COM

    @property
    def is_jfif(self) -> bool:
        """True for the JFIF header itself (libjpeg asks for its 14 bytes)."""
        return self.marker == APP0 and self.payload[:5] == b"JFIF\0" and len(self.payload) >= 14

    @property
    def is_jfif_extension(self) -> bool:
        """True for a JFXX segment, which holds a thumbnail and follows JFIF."""
        return self.marker == APP0 and self.payload[:5] == b"JFXX\0"

    @property
    def is_adobe(self) -> bool:
        """True for an Adobe segment that decoders heed (libjpeg asks for its 12 bytes)."""
        return self.marker == APP14 and self.payload[:5] == b"Adobe" and len(self.payload) >= 12

    @property
    def name(self) -> str:
        """`SOF0`, `DQT`, `APP1`, ..."""
        names = {SOS: "SOS", DQT: "DQT", DHT: "DHT", DAC: "DAC", DRI: "DRI", DNL: "DNL", COM: "COM"}
        if APP0 <= self.marker <= 0xEF:
            return f"APP{self.marker - APP0}"
        if self.marker in _FRAMES:
            return f"SOF{self.marker - 0xC0}"
        return names.get(self.marker, f"0x{self.marker:02X}")

    def to_bytes(self) -> bytes:
        """Marker, length, payload and coded data. Error: ImageError for more than 65,533 bytes."""
        if len(self.payload) > 65_533:
            raise ImageError(f"{self.name} segment of {len(self.payload)} bytes; a JPEG takes 65533")
        n_bytes = (len(self.payload) + 2).to_bytes(2, "big")
        return b"".join((bytes((0xFF, self.marker)), n_bytes, self.payload, self.coded))


@dataclass(frozen=True)
class Component:
    """A colour component of a frame: its id, sampling factors and quantisation table."""

    identifier: int
    horizontal: int
    vertical: int
    table: int


@dataclass(frozen=True)
class Frame:
    """What an SOF header says. `width` and `height` in pixels, as stored."""

    marker: int
    precision: int
    width: int
    height: int
    components: tuple[Component, ...]

    @property
    def process(self) -> str:
        """`baseline`, `progressive`, ..."""
        return PROCESSES[self.marker]


@dataclass(frozen=True)
class Jpeg:
    """A JPEG file taken apart.

    `segments` lie between SOI and EOI in file order, `starts` are the offsets of their payloads,
    `end` is the offset just behind EOI, or the file's length where EOI is missing.
    """

    segments: tuple[Segment, ...]
    starts: tuple[int, ...]
    frame: Frame
    end: int
    has_end_marker: bool

    @property
    def scans(self) -> tuple[Segment, ...]:
        """The SOS segments with their coded data."""
        return tuple(segment for segment in self.segments if segment.marker == SOS)

    @property
    def is_fully_refined(self) -> bool:
        """True if the scans bring every coefficient of every component to its last bit.

        T.81 does not ask for it, but encoders do it; where it is not so, scans are likely to be missing.
        """
        missing = {(c.identifier, k) for c in self.frame.components for k in range(64)}
        for scan in self.scans:
            n_components = scan.payload[0] if scan.payload else 0
            identifiers = scan.payload[1 : 1 + 2 * n_components : 2]
            limits = scan.payload[1 + 2 * n_components :]
            if len(limits) >= 3 and "progressive" in self.frame.process:
                if limits[2] & 15 == 0:
                    missing -= {(i, k) for i in identifiers for k in range(limits[0], limits[1] + 1)}
            else:
                missing -= {(i, k) for i in identifiers for k in range(64)}
        return not missing

    @property
    def jfif(self) -> Segment | None:
        """The JFIF header, wherever it stands."""
        return next((segment for segment in self.segments if segment.is_jfif), None)

    @property
    def adobe(self) -> Segment | None:
        """The Adobe segment, if decoders heed it."""
        return next((segment for segment in self.segments if segment.is_adobe), None)


def is_jpeg(data: bytes) -> bool:
    """True if `data` starts as a JPEG does."""
    return data[:3] == b"\xff\xd8\xff"


def walk(data: bytes) -> Iterator[tuple[Segment, int, int]]:
    """Segments of a JPEG in file order, each with its payload's offset and the offset behind it.

    Ends behind EOI, which comes as a segment without payload, or where the data end.
    Errors: ImageError for anything that libjpeg would not get past.
    """
    if not is_jpeg(data):
        raise ImageError("not a JPEG")
    position = 2
    while found := _NEXT_MARKER.search(data, position):
        marker, position = found[1][0], found.end()
        if marker in _BARE_MARKERS:
            continue
        if marker == SOI:
            raise ImageError("damaged JPEG: a second start marker inside the picture")
        if marker == EOI:
            yield Segment(EOI, b""), position, position
            return
        n_bytes = int.from_bytes(data[position : position + 2], "big")
        start, end = position + 2, position + max(n_bytes, 2)
        segment = Segment(marker, data[start:end])
        if end > len(data) or start > len(data):
            raise ImageError(f"damaged JPEG: its {segment.name} segment runs past the end of the file")
        if n_bytes < 2 and not segment.is_metadata:
            raise ImageError(f"damaged JPEG: its {segment.name} segment has length {n_bytes}")
        if marker == SOS:
            stop = _SCAN_END.search(data, end)
            position = stop.start() if stop else len(data)
            yield replace(segment, coded=data[end:position].rstrip(b"\xff")), start, position
        else:
            position = end
            yield segment, start, position


def parse(data: bytes) -> Jpeg:
    """Takes a JPEG apart. Errors: ImageError without frame, scan or sense.

    Damage behind the first scan ends the file there; whether the picture is whole is for its decoder to say.
    """
    segments: list[Segment] = []
    starts: list[int] = []
    frame: Frame | None = None
    end, has_end_marker = len(data), False
    try:
        for segment, start, behind in walk(data):
            if segment.marker == EOI:
                end, has_end_marker = behind, True
                break
            if segment.marker in _FRAMES and frame is None:
                frame = _read_frame(segment)
            if segment.marker == SOS and frame is None:
                raise ImageError("damaged JPEG: its first scan comes before its frame header")
            if len(segments) >= _MAX_SEGMENTS:
                raise ImageError(f"damaged JPEG: more than {_MAX_SEGMENTS} segments")
            segments.append(segment)
            starts.append(start)
    except ImageError:
        if not any(segment.marker == SOS for segment in segments) or len(segments) >= _MAX_SEGMENTS:
            raise
    if frame is None:
        raise ImageError("damaged JPEG: it ends before its frame header")
    if not any(segment.marker == SOS for segment in segments):
        raise ImageError("damaged JPEG: it holds no picture data")
    if sum(segment.marker in _FRAMES for segment in segments) > 1:  # a decoder may take another one than we do
        raise ImageError("damaged JPEG: it has a second frame header")
    if frame.height == 0:
        segments, frame = _with_height_of_dnl(segments, frame)
    return Jpeg(tuple(segments), tuple(starts), frame, end, has_end_marker)


def _read_frame(segment: Segment) -> Frame:
    payload = segment.payload
    n_components = payload[5] if len(payload) > 5 else 0
    if n_components == 0 or len(payload) < 6 + 3 * n_components:
        raise ImageError("damaged JPEG: its frame header is cut short")
    components = tuple(
        Component(payload[i], payload[i + 1] >> 4, payload[i + 1] & 15, payload[i + 2])
        for i in range(6, 6 + 3 * n_components, 3)
    )
    height, width = int.from_bytes(payload[1:3], "big"), int.from_bytes(payload[3:5], "big")
    return Frame(segment.marker, payload[0], width, height, components)


def _with_height_of_dnl(segments: list[Segment], frame: Frame) -> tuple[list[Segment], Frame]:
    """Writes the height that a DNL segment gives behind the first scan into the frame header.

    libjpeg knows no DNL; with the height in its place the file is an ordinary one.
    """
    lines = next((s.payload[:2] for s in segments if s.marker == DNL and len(s.payload) >= 2), b"\0\0")
    height = int.from_bytes(lines, "big")
    patched = [
        replace(s, payload=s.payload[:1] + lines + s.payload[3:]) if s.marker == frame.marker else s for s in segments
    ]
    return patched, replace(frame, height=height)
