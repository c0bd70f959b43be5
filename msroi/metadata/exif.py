"""EXIF as bytes: what it says, and edits in place, so that every offset in it stays valid.

`exif` is always the TIFF structure, without the `Exif\\0\\0` that stands before it in a JPEG.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from msroi.metadata.tiff import (
    EXIF_POINTER,
    GPS_POINTER,
    INTEROPERABILITY_POINTER,
    LONG,
    ORIENTATION,
    SHORT,
    Directory,
    Tiff,
)

PREFIX = b"Exif\0\0"
_INTEROPERABILITY_INDEX, _COLOUR_SPACE = 0x0001, 0xA001
# Of a TIFF's first directory: what describes the photo, not how its pixels are stored.
_DESCRIPTIVE_TAGS = (270, 271, 272, 282, 283, 296, 305, 306, 315, 316, 318, 319, 33432, 18246, 18249)
_DESCRIPTIVE_TAGS_WINDOWS = tuple(range(0x9C9B, 0x9CA0))
_MAX_BUILT = 1_000_000  # bytes; a JPEG segment holds 65,533, fields of a hostile file lie over each other


def is_valid(exif: bytes) -> bool:
    """True if header and first directory can be read."""
    return Tiff(exif).valid


def read_orientation(exif: bytes) -> int | None:
    """EXIF orientation 1 to 8; None where there is none or it makes no sense."""
    tiff = Tiff(exif)
    directory = tiff.directory(tiff.first) if tiff.valid else None
    values = tiff.integers(directory.get(ORIENTATION)) if directory else []
    return values[0] if values and 1 <= values[0] <= 8 else None


def orientation_only(orientation: int) -> bytes:
    """The smallest EXIF that says `orientation` (1 to 8)."""
    return build({ORIENTATION: Field(SHORT, 1, orientation.to_bytes(2, "big"))}, order=">")


def with_orientation(exif: bytes, orientation: int) -> bytes:
    """The same EXIF with another orientation, in place. Unchanged where it has no such field."""
    tiff = Tiff(exif)
    directory = tiff.directory(tiff.first) if tiff.valid else None
    entry = directory.get(ORIENTATION) if directory else None
    if entry is None or entry.type not in (SHORT, LONG) or entry.count != 1:
        return exif
    return _overwritten(tiff, entry.start, orientation, entry.n_bytes)


def claims_adobe_rgb(exif: bytes) -> bool:
    """True for pixels in Adobe RGB without a profile, as cameras write them (DCF 2.0: index `R03`)."""
    tiff = Tiff(exif)
    directory = tiff.directory(tiff.first) if tiff.valid else None
    interoperability = tiff.pointed(tiff.pointed(directory, EXIF_POINTER), INTEROPERABILITY_POINTER)
    entry = interoperability.get(_INTEROPERABILITY_INDEX) if interoperability else None
    return entry is not None and tiff.value(entry)[:3] == b"R03"


def with_srgb_claim(exif: bytes) -> bytes:
    """The same EXIF with colour space sRGB (1, index `R98`) where it has these fields, in place."""
    tiff = Tiff(exif)
    directory = tiff.directory(tiff.first) if tiff.valid else None
    details = tiff.pointed(directory, EXIF_POINTER)
    entry = details.get(_COLOUR_SPACE) if details else None
    if entry is not None and entry.type in (SHORT, LONG) and entry.count == 1:
        exif = _overwritten(tiff, entry.start, 1, entry.n_bytes)
    interoperability = tiff.pointed(details, INTEROPERABILITY_POINTER)
    entry = interoperability.get(_INTEROPERABILITY_INDEX) if interoperability else None
    if entry is not None and exif[entry.start : entry.start + 3] == b"R03":
        exif = exif[: entry.start] + b"R98" + exif[entry.start + 3 :]
    return exif


def has_gps(exif: bytes) -> bool:
    """True if a directory points at GPS data, or if nobody can say."""
    tiff = Tiff(exif)
    directories = tiff.reachable() if tiff.valid else []
    return directories is None or any(directory.get(GPS_POINTER) for directory in directories)


def _overwritten(tiff: Tiff, start: int, value: int, n_bytes: int) -> bytes:
    return tiff.data[:start] + _packed(tiff, value, n_bytes) + tiff.data[start + n_bytes :]


def _packed(tiff: Tiff, value: int, n_bytes: int) -> bytes:
    return value.to_bytes(n_bytes, "big" if tiff.order == ">" else "little")


@dataclass(frozen=True)
class Field:
    """A field to write: type, count, and its value in the byte order of the structure."""

    type: int
    count: int
    value: bytes


def build(
    main: dict[int, Field],
    exif: dict[int, Field] | None = None,
    gps: dict[int, Field] | None = None,
    interoperability: dict[int, Field] | None = None,
    order: str = "<",
) -> bytes:
    """A new EXIF structure from its directories; pointers between them are made here."""
    endian: Literal["big", "little"] = "big" if order == ">" else "little"

    def table(fields: dict[int, Field], position: int) -> bytes:
        rows, values = [], []
        behind = position + 2 + 12 * len(fields) + 4
        for tag, field in sorted(fields.items()):
            rows.append(tag.to_bytes(2, endian) + field.type.to_bytes(2, endian) + field.count.to_bytes(4, endian))
            if len(field.value) <= 4:
                rows.append(field.value.ljust(4, b"\0"))
            else:
                rows.append(behind.to_bytes(4, endian))
                values.append(field.value + bytes(len(field.value) % 2))
                behind += len(values[-1])
        return b"".join((len(fields).to_bytes(2, endian), *rows, bytes(4), *values))

    def pointing(fields: dict[int, Field], tag: int, offset: int) -> dict[int, Field]:
        return fields | {tag: Field(LONG, 1, offset.to_bytes(4, endian))}

    main, exif = dict(main), dict(exif or {})
    head = (b"MM" if order == ">" else b"II") + (42).to_bytes(2, endian) + (8).to_bytes(4, endian)
    if exif or interoperability:
        main = pointing(main, EXIF_POINTER, 0)
    if gps:
        main = pointing(main, GPS_POINTER, 0)
    if interoperability:
        exif = pointing(exif, INTEROPERABILITY_POINTER, 0)
    # The tables' sizes do not depend on the pointers' values, so places come first, pointers second.
    after_main = 8 + len(table(main, 8))
    after_exif = after_main + (len(table(exif, 0)) if exif else 0)
    after_gps = after_exif + (len(table(gps, 0)) if gps else 0)
    if exif:
        main = pointing(main, EXIF_POINTER, after_main)
    if gps:
        main = pointing(main, GPS_POINTER, after_exif)
    if interoperability:
        exif = pointing(exif, INTEROPERABILITY_POINTER, after_gps)
    parts = [head, table(main, 8)]
    parts += [table(exif, after_main)] if exif else []
    parts += [table(gps, after_exif)] if gps else []
    parts += [table(interoperability, after_gps)] if interoperability else []
    return b"".join(parts)


def from_tiff(tiff: Tiff) -> bytes | None:
    """A small EXIF from a TIFF file: author, camera, dates, EXIF and GPS directories. None if empty.

    Orientation is left out: it belongs to the pixels, and their reader has applied it.
    """
    main = tiff.directory(tiff.first) if tiff.valid else None
    details = tiff.pointed(main, EXIF_POINTER)
    wanted = {*_DESCRIPTIVE_TAGS, *_DESCRIPTIVE_TAGS_WINDOWS}
    fields = _fields(tiff, main, wanted)
    exif = _fields(tiff, details)
    gps = _fields(tiff, tiff.pointed(main, GPS_POINTER))
    interoperability = _fields(tiff, tiff.pointed(details, INTEROPERABILITY_POINTER))
    if not (set(fields) - {282, 283, 296} or exif or gps):
        return None
    return build(fields, exif, gps, interoperability, order=tiff.order)


def _fields(tiff: Tiff, directory: Directory | None, wanted: set[int] | None = None) -> dict[int, Field]:
    """The fields of a directory but for pointers and what is too large; no more than make an EXIF that is too large."""
    pointers = {EXIF_POINTER, GPS_POINTER, INTEROPERABILITY_POINTER}
    fields: dict[int, Field] = {}
    left = _MAX_BUILT
    for entry in directory.entries if directory else ():
        if entry.tag not in pointers and (wanted is None or entry.tag in wanted) and entry.n_bytes <= 65_000:
            fields[entry.tag] = Field(entry.type, entry.count, tiff.value(entry))
            left -= entry.n_bytes
            if left < 0:
                break
    return fields
