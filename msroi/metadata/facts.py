"""What a JPEG file is, for `msroi info FILE`."""

from __future__ import annotations

from dataclasses import dataclass

from msroi.metadata import icc
from msroi.metadata.comment import read_comment
from msroi.metadata.model import from_jpeg
from msroi.metadata.segments import DQT, DRI, Frame, Jpeg, Segment, parse

# ITU-T T.81, tables K.1 and K.2, which libjpeg scales by quality; row by row.
_LUMINANCE = (
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMINANCE = (
    *(17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99),
    *(24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99),
    *(99,) * 32,
)
# Row-by-row place of the k-th coefficient in zigzag order (T.81, figure 5).
_ZIGZAG = sorted(range(64), key=lambda i: (i // 8 + i % 8, i // 8 if (i // 8 + i % 8) % 2 else i % 8))
_PLACE = sorted(range(64), key=_ZIGZAG.__getitem__)  # zigzag place of the i-th coefficient row by row
_SAMPLING = {
    ((1, 1), (1, 1), (1, 1)): "4:4:4",
    ((2, 1), (1, 1), (1, 1)): "4:2:2",
    ((2, 2), (1, 1), (1, 1)): "4:2:0",
    ((1, 2), (1, 1), (1, 1)): "4:4:0",
    ((4, 1), (1, 1), (1, 1)): "4:1:1",
    ((4, 2), (1, 1), (1, 1)): "4:1:0",
}


@dataclass(frozen=True)
class JpegFacts:
    """What a JPEG file says of itself.

    width, height: pixels, upright; orientation: EXIF 1 to 8; components: 1, 3 or 4; process: `baseline`,
    `progressive`, ...; sampling: `4:2:0`, ... (None for other than three components); bits: per sample;
    n_bytes: the whole file; n_scans; restart_interval: in MCUs, 0 for none.
    quantisation_tables: (id, 64 steps row by row), as last defined.
    estimated_quality: 1 to 100, the quality whose scaled standard tables come nearest; None without tables.
    quality_is_exact: the tables are just those. segments: (name, bytes of payload, what it holds).
    pictures: (kind, bytes) of further pictures; comment: our own mark `msroi VERSION DIGEST`, or None.
    """

    width: int
    height: int
    orientation: int
    components: int
    process: str
    sampling: str | None
    bits: int
    n_bytes: int
    n_scans: int
    restart_interval: int
    quantisation_tables: tuple[tuple[int, tuple[int, ...]], ...]
    estimated_quality: int | None
    quality_is_exact: bool
    icc_profile: str | None
    segments: tuple[tuple[str, int, str], ...]
    pictures: tuple[tuple[str, int], ...]
    comment: str | None


def jpeg_facts(data: bytes) -> JpegFacts:
    """What the JPEG in `data` is. Errors: ImageError if it cannot be taken apart."""
    jpeg = parse(data)
    metadata, _ = from_jpeg(data, jpeg)
    tables = _quantisation_tables(jpeg)
    quality, exact = _estimated_quality(jpeg.frame, tables)
    profile, orientation = metadata.icc_profile, metadata.orientation
    width, height = jpeg.frame.width, jpeg.frame.height
    if orientation > 4:
        width, height = height, width
    return JpegFacts(
        width=width,
        height=height,
        orientation=orientation,
        components=len(jpeg.frame.components),
        process=jpeg.frame.process,
        sampling=_sampling(jpeg.frame),
        bits=jpeg.frame.precision,
        n_bytes=len(data),
        n_scans=len(jpeg.scans),
        restart_interval=_restart_interval(jpeg),
        quantisation_tables=tuple(sorted(tables.items())),
        estimated_quality=quality,
        quality_is_exact=exact,
        icc_profile=(icc.description(profile) or icc.colour_space(profile)) if profile else None,
        segments=tuple((s.name, len(s.payload), _content(s)) for s in jpeg.segments),
        pictures=tuple((picture.kind, len(picture.data)) for picture in metadata.pictures),
        comment=read_comment(data),
    )


def _sampling(frame: Frame) -> str | None:
    factors = tuple((c.horizontal, c.vertical) for c in frame.components)
    if len(factors) != 3:
        return None
    across, down = factors[1]
    if factors[1] == factors[2] and across and down and not (factors[0][0] % across or factors[0][1] % down):
        reduced = ((factors[0][0] // across, factors[0][1] // down), (1, 1), (1, 1))
        if reduced in _SAMPLING:
            return _SAMPLING[reduced]
    return ", ".join(f"{across}x{down}" for across, down in factors)


def _restart_interval(jpeg: Jpeg) -> int:
    intervals = [int.from_bytes(s.payload[:2], "big") for s in jpeg.segments if s.marker == DRI]
    return intervals[0] if intervals else 0


def _quantisation_tables(jpeg: Jpeg) -> dict[int, tuple[int, ...]]:
    """id -> 64 steps row by row, the last definition of each; a table cut short is left out."""
    tables: dict[int, tuple[int, ...]] = {}
    for segment in jpeg.segments:
        payload, position = segment.payload if segment.marker == DQT else b"", 0
        while position < len(payload):
            size, identifier = (2 if payload[position] >> 4 else 1), payload[position] & 15
            steps = payload[position + 1 : position + 1 + 64 * size]
            position += 1 + 64 * size
            if len(steps) == 64 * size:
                values = [int.from_bytes(steps[i : i + size], "big") for i in range(0, 64 * size, size)]
                tables[identifier] = tuple(values[k] for k in _PLACE)
    return tables


def scaled_table(base: tuple[int, ...], quality: int) -> tuple[int, ...]:
    """A standard table at a quality from 1 to 100, as libjpeg's `jpeg_set_quality` makes it (baseline)."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return tuple(min(max((step * scale + 50) // 100, 1), 255) for step in base)


def _estimated_quality(frame: Frame, tables: dict[int, tuple[int, ...]]) -> tuple[int | None, bool]:
    """The quality whose tables have the least sum of absolute differences, and whether it is 0."""
    identifiers = [component.table for component in frame.components]
    wanted = [(_LUMINANCE, tables.get(identifiers[0]))]
    if len(identifiers) == 3:
        wanted.append((_CHROMINANCE, tables.get(identifiers[1])))
    pairs = [(base, table) for base, table in wanted if table]
    if not pairs:
        return None, False

    def distance(quality: int) -> int:
        return sum(abs(a - b) for base, table in pairs for a, b in zip(scaled_table(base, quality), table, strict=True))

    best = min(range(100, 0, -1), key=distance)
    return best, distance(best) == 0


def _content(segment: Segment) -> str:
    """What an APPn or COM segment holds, by its first words; empty for others."""
    if not segment.is_metadata:
        return ""
    head = segment.payload[:40].split(b"\0")[0]
    if segment.name == "COM":
        head = segment.payload[:40]
    return "".join(c if c.isprintable() else " " for c in head.decode("utf-8", "replace")).strip()
