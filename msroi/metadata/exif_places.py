"""EXIF without places: GPS, GeoTIFF, maker notes, and what stands inside (XMP, IPTC, Photoshop, thumbnails).

All edits keep every byte that is not a place where it was. Tables and values that lie over each other, by which a small
file could ask for much work, are what cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from msroi.metadata import maker_notes
from msroi.metadata.tiff import GPS_POINTER, MAKER_NOTE, Directory, Entry, Tiff

_THUMBNAIL_START, _THUMBNAIL_LENGTH = 0x0201, 0x0202
XMP, IPTC, PHOTOSHOP = 700, 33723, 34377
# GeoTIFF: scale, tie points, matrix, keys; GDAL's own.
_GEOGRAPHY = frozenset((33550, 33922, 34264, 34735, 34736, 34737, 42112))
_GONE = _GEOGRAPHY | {GPS_POINTER}

Stretch = tuple[int, int]  # start, bytes
Inner = Callable[[int, bytes], bytes]


def without_places(exif: bytes, inner: Inner, pictures: Callable[[bytes], bytes]) -> bytes | None:
    """The same number of bytes without places; None for a structure that cannot be read.

    GPS directories are unlinked and overwritten by zeros, so are GeoTIFF's fields.
    inner(tag, value): what becomes of the value of a field with XMP, IPTC or Photoshop's resources, as long.
    pictures(exif): the same, the JPEGs inside without places.
    """
    tiff = Tiff(exif)
    directories = tiff.reachable() if tiff.valid and not tiff.big else None
    geographic = _geographic(tiff, directories) if directories is not None else None
    if directories is None or geographic is None:
        return None
    edited = bytearray(exif)
    for start, n_bytes in merged(geographic, len(edited)):
        edited[start : start + n_bytes] = bytes(n_bytes)
    if geographic:
        for start, n_bytes in merged(_claimed(tiff, directories), len(edited)):
            edited[start : start + n_bytes] = exif[start : start + n_bytes]
    left = len(exif)
    for entry in (entry for directory in directories for entry in directory.entries):
        if entry.tag in (XMP, IPTC, PHOTOSHOP, MAKER_NOTE):
            left -= entry.n_bytes
            if left < 0:
                return None
            _edit_value(edited, tiff, entry, inner)
    for directory in directories:
        _unlink(edited, tiff, directory)
    left_over = Tiff(bytes(edited)).reachable()  # tables over each other may show a field that was none before
    if left_over is None or any(entry.tag in _GONE for directory in left_over for entry in directory.entries):
        return None
    return pictures(bytes(edited))


def reaches_beyond(exif: bytes, n_bytes: int) -> bool:
    """True if something that the structure points at lies behind its first `n_bytes`."""
    tiff = Tiff(exif)
    directories = (tiff.reachable() if tiff.valid else None) or []
    places = [(d.position, 6 + 12 * d.n_declared) for d in directories]
    places += [(e.start, e.n_bytes) for directory in directories for e in directory.entries]
    return any(start + length > n_bytes for start, length in places)


def merged(stretches: Iterable[Stretch], n_bytes: int) -> list[Stretch]:
    """Stretches (start, bytes) in order, those that touch made one, none beyond `n_bytes`."""
    whole: list[Stretch] = []
    for start, length in sorted(stretches):
        stop = min(start + length, n_bytes)
        if whole and start <= sum(whole[-1]):
            whole[-1] = whole[-1][0], max(stop, sum(whole[-1])) - whole[-1][0]
        elif start < stop:
            whole.append((start, stop - start))
    return whole


def _geographic(tiff: Tiff, directories: list[Directory]) -> list[Stretch] | None:
    """Where GPS directories, their values, and GeoTIFF's values lie; None for GPS tables over each other."""
    found: list[Stretch] = []
    seen: set[int] = set()
    left = len(tiff.data)
    for entry in (entry for directory in directories for entry in directory.entries if entry.tag in _GONE):
        if not entry.inline:
            found.append((entry.start, entry.n_bytes))
        if entry.tag != GPS_POINTER:
            continue
        left -= 4 + (0 if entry.inline else entry.n_bytes)
        for position in tiff.offsets(entry) if left >= 0 else ():
            gps = tiff.directory(position) if position not in seen else None
            seen.add(position)
            if gps is not None and gps.n_declared * 12 <= len(tiff.data):
                left -= 6 + 12 * gps.n_declared
                found += _extent(gps)
        if left < 0:
            return None
    return found


def _extent(directory: Directory, without: frozenset[int] = frozenset()) -> list[Stretch]:
    """The stretches that a directory and its values take."""
    table = (directory.position, 2 + 12 * directory.n_declared + 4)
    return [table, *((e.start, e.n_bytes) for e in directory.entries if not e.inline and e.tag not in without)]


def _claimed(tiff: Tiff, directories: list[Directory]) -> list[Stretch]:
    """The stretches that the header, `directories`, their values or a thumbnail take, which are no places."""
    stretches = [(0, 8)]
    for directory in directories:
        stretches += _extent(directory, _GONE)
        start, length = directory.get(_THUMBNAIL_START), directory.get(_THUMBNAIL_LENGTH)
        if start and length and start.inline and length.inline:
            stretches += zip(tiff.integers(start)[:1], tiff.integers(length)[:1], strict=False)
    return stretches


def _edit_value(edited: bytearray, tiff: Tiff, entry: Entry, inner: Inner) -> None:
    stop = entry.start + entry.n_bytes
    if entry.tag == MAKER_NOTE:
        order: Literal["big", "little"] = "big" if tiff.order == ">" else "little"
        maker_notes.blank_places(edited, entry.start, entry.n_bytes, order)
    else:
        edited[entry.start : stop] = inner(entry.tag, bytes(edited[entry.start : stop]))


def _unlink(edited: bytearray, tiff: Tiff, directory: Directory) -> None:
    """Takes the fields of places out of a directory; what follows in its table moves up."""
    order: Literal["big", "little"] = "big" if tiff.order == ">" else "little"
    start = directory.position + 2
    stop = start + 12 * directory.n_declared
    if stop + 4 > len(edited):  # a table cut short: blank the fields where they stand
        for row in range(start, len(edited) - 11, 12):
            if int.from_bytes(edited[row : row + 2], order) in _GONE:
                edited[row : row + 12] = bytes(12)
        return
    rows = [edited[i : i + 12] for i in range(start, stop, 12)]
    kept = [row for row in rows if int.from_bytes(row[:2], order) not in _GONE]
    if len(kept) == len(rows):
        return
    table = b"".join(kept) + edited[stop : stop + 4]
    edited[start : stop + 4] = table + bytes(stop + 4 - start - len(table))
    edited[directory.position : start] = len(kept).to_bytes(2, order)
