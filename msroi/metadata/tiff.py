"""The directories of a TIFF structure, which EXIF and MPF use too: read within bounds, never beyond.

Nothing here trusts an offset or a count. What does not fit into the data is left out.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 1, 2, 3, 4, 5, 7
# Bytes of a value by type; 13 is an IFD, 16 to 18 are BigTIFF's.
_SIZES = dict(zip((*range(1, 14), 16, 17, 18), (1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 8, 8, 8), strict=True))
_INTEGERS = (1, 3, 4, 6, 7, 8, 9, 13, 16, 17, 18)
_TYPE_IFD = 13
_MAX_PAGES = 1000

ORIENTATION, SUB_DIRECTORIES, EXIF_POINTER, GPS_POINTER, INTEROPERABILITY_POINTER = (
    0x0112,
    0x014A,
    0x8769,
    0x8825,
    0xA005,
)
MAKER_NOTE = 0x927C
_POINTERS = (EXIF_POINTER, INTEROPERABILITY_POINTER, SUB_DIRECTORIES)


@dataclass(frozen=True)
class Entry:
    """A field: its tag, type, count; `position` of the 12 (BigTIFF: 20) bytes, `start` of the value."""

    tag: int
    type: int
    count: int
    position: int
    start: int
    n_bytes: int
    inline: bool


@dataclass(frozen=True)
class Directory:
    """An IFD: its place, the fields that lie within the data, the offset of the next one (0: none)."""

    position: int
    n_declared: int
    entries: tuple[Entry, ...]
    next: int

    def get(self, tag: int) -> Entry | None:
        """The first field with `tag`."""
        return next((entry for entry in self.entries if entry.tag == tag), None)


class Tiff:
    """A TIFF structure in `data`. `valid` tells whether its header and first directory can be read."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.order = ">" if data[:2] == b"MM" else "<"
        magic = self.integer(2, 2) if data[:2] in (b"II", b"MM") and len(data) >= 8 else 0
        self.big = magic == 43
        self.first = self.integer(8, 8) if self.big else self.integer(4, 4)
        self.valid = magic in (42, 43) and self.directory(self.first) is not None

    def integer(self, position: int, n_bytes: int) -> int:
        """The unsigned integer of `n_bytes` at `position`; bytes beyond the data count as absent."""
        part = self.data[position : position + n_bytes]
        return int.from_bytes(part, "big" if self.order == ">" else "little")

    def directory(self, position: int) -> Directory | None:
        """The directory at `position`, None if it does not lie within the data."""
        n_count, n_entry, n_pointer = (8, 20, 8) if self.big else (2, 12, 4)
        if position < 8 or position + n_count > len(self.data):
            return None
        n_declared = self.integer(position, n_count)
        start = position + n_count
        n_whole = min(n_declared, (len(self.data) - start) // n_entry, 65_535)
        row = struct.Struct(self.order + ("HHQ8x" if self.big else "HHI4x"))
        places = range(start, start + n_whole * n_entry, n_entry)
        rows = row.iter_unpack(self.data[start : start + n_whole * n_entry])
        found = (
            self._entry(place, (row[0], row[1], row[2]), n_pointer) for place, row in zip(places, rows, strict=True)
        )
        following = self.integer(start + n_declared * n_entry, n_pointer) if n_whole == n_declared else 0
        return Directory(position, n_declared, tuple(entry for entry in found if entry), following)

    def _entry(self, position: int, row: tuple[int, int, int], n_pointer: int) -> Entry | None:
        tag, kind, count = row
        n_bytes = _SIZES.get(kind, 0) * count
        field = position + 4 + n_pointer
        inline = n_bytes <= n_pointer
        start = field if inline else self.integer(field, n_pointer)
        if kind not in _SIZES or start + n_bytes > len(self.data):
            return None
        return Entry(tag, kind, count, position, start, n_bytes, inline)

    def value(self, entry: Entry) -> bytes:
        """The field's value as it stands, in the structure's byte order."""
        return self.data[entry.start : entry.start + entry.n_bytes]

    def integers(self, entry: Entry | None) -> list[int]:
        """The values of an integer field (BYTE, SHORT, LONG, IFD, LONG8), as unsigned; empty for any other."""
        if entry is None or entry.type not in _INTEGERS or entry.n_bytes > 1_000_000:
            return []
        size = _SIZES[entry.type]
        return [self.integer(entry.start + i * size, size) for i in range(entry.count)]

    def n_pages(self) -> int:
        """How many directories the chain of pages holds, counted once each, at most 1000."""
        position, seen = self.first, set[int]()
        n_count, n_entry, n_pointer = (8, 20, 8) if self.big else (2, 12, 4)
        while 8 <= position < len(self.data) and position not in seen and len(seen) < _MAX_PAGES:
            seen.add(position)
            n_entries = self.integer(position, n_count)
            position = self.integer(position + n_count + n_entries * n_entry, n_pointer)
        return len(seen)

    def pointed(self, directory: Directory | None, tag: int) -> Directory | None:
        """The directory that the field `tag` of `directory` points at."""
        offsets = self.integers(directory.get(tag)) if directory else []
        return self.directory(offsets[0]) if offsets else None

    def offsets(self, entry: Entry) -> list[int]:
        """What a field that points at directories holds, also where its type is not one for offsets."""
        if entry.type in (6, UNDEFINED, BYTE, ASCII) and entry.n_bytes >= 4:
            return [self.integer(entry.start, 4)]
        return self.integers(entry)

    def reachable(self) -> list[Directory] | None:
        """Every directory that chains, EXIF, interoperability and sub-directory fields lead to; not GPS.

        Each is visited once. None where tables and pointers lie over each other, so that together they are more
        bytes than there are: reading those would take longer than their bytes are worth.
        """
        found: dict[int, Directory] = {}
        waiting = [self.first]
        left = len(self.data)
        while waiting:
            position = waiting.pop()
            directory = self.directory(position) if position not in found else None
            if directory is None:
                continue
            found[position] = directory
            waiting.append(directory.next)
            left -= 6 + 12 * min(directory.n_declared, (len(self.data) - position) // 12)
            for entry in directory.entries:
                if entry.tag in _POINTERS or entry.type == _TYPE_IFD:
                    left -= 0 if entry.inline else entry.n_bytes
                    if left >= 0 and entry.tag != GPS_POINTER:
                        waiting += self.offsets(entry)
            if left < 0:
                return None
        return list(found.values())
