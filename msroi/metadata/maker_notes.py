"""Places in cameras' maker notes, by the makers whose notes are known to name them (ExifTool's tables).

Notes are full of offsets that nobody documents, and readers guess where these count from by how the notes lie. So a
place is taken out where it stands: its value becomes zeros, its number one that no maker uses, and nothing moves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_UNUSED_TAG = 0xFFFE


@dataclass(frozen=True)
class _Maker:
    """How notes begin, where their directory is, from where its offsets count, and which fields name places.

    base: "tiff", the structure that the notes stand in; "own", `own_base` behind their beginning; None where cameras
        differ: then the one of the two by which a value lies behind the directory and inside the notes.
    """

    begins: re.Pattern[bytes]
    directory: int
    base: str | None
    tags: frozenset[int]
    own_base: int = 0


_PANASONIC = frozenset((0x67, 0x69, 0x6B, 0x6D, 0x6F, 0x80))  # location, country, state, city, landmark, city
_MAKERS = (
    _Maker(re.compile(rb"Panasonic\0"), 12, "tiff", _PANASONIC),
    _Maker(re.compile(rb"LEICA CAMERA AG\0"), 18, "tiff", _PANASONIC),
    _Maker(re.compile(rb"Nikon\0\x02"), 18, "own", frozenset((0x39,)), 10),  # location
    _Maker(
        re.compile(rb"(?:\0.\0\x01\0\x07\0{3}\x04|.\0\x01\0\x07\0\x04\0{3})0100", re.S),
        0,
        None,
        frozenset(range(0x2F, 0x35)),
    ),
    _Maker(re.compile(rb"(?:QVC|DCI)\0"), 6, None, frozenset((0x3006,))),  # Casio: home
    _Maker(re.compile(rb"AOC\0"), 6, None, frozenset((0x23, 0x24))),  # Pentax: home and destination
    _Maker(re.compile(rb"PENTAX \0"), 10, "own", frozenset((0x23, 0x24))),
    _Maker(re.compile(rb"S1\0{6}\x0c\0{3}"), 12, "own", frozenset((0x23, 0x24))),
    _Maker(re.compile(rb"RICOH\0(?:II|MM)"), 8, "own", frozenset((0x23, 0x24))),  # Pentax again
)
_SIZES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4)


def blank_places(exif: bytearray, start: int, n_bytes: int, order: Literal["big", "little"]) -> None:
    """Takes the places out of the maker notes at `start` of an EXIF structure, in place.

    order: the structure's own, for notes that do not say theirs.
    """
    notes = bytes(exif[start : start + n_bytes])
    for maker in _MAKERS:
        if maker.begins.match(notes):
            _blank(exif, start, notes, maker, order)
            return


def _blank(exif: bytearray, start: int, notes: bytes, maker: _Maker, order: Literal["big", "little"]) -> None:
    n_fields = int.from_bytes(notes[maker.directory : maker.directory + 2], order)
    if n_fields & 0xFF == 0 and n_fields > 0:  # more than 255 fields are none: it is the other byte order
        order = "little" if order == "big" else "big"
        n_fields = int.from_bytes(notes[maker.directory : maker.directory + 2], order)
    for i in range(min(n_fields, len(notes) // 12)):
        place = maker.directory + 2 + 12 * i
        row = notes[place : place + 12]
        if len(row) < 12 or int.from_bytes(row[:2], order) not in maker.tags:
            continue
        kind, count, value = (int.from_bytes(row[a:b], order) for a, b in ((2, 4), (4, 8), (8, 12)))
        n_value = (_SIZES[kind] if kind < len(_SIZES) else 1) * count
        exif[start + place : start + place + 2] = _UNUSED_TAG.to_bytes(2, order)
        if n_value <= 4:
            exif[start + place + 8 : start + place + 12] = bytes(4)
            continue
        behind = maker.directory + 2 + 12 * n_fields
        bases = {"tiff": (0,), "own": (start + maker.own_base,), None: (0, start)}[maker.base]
        places = [base + value for base in bases if start + behind <= base + value <= start + len(notes) - n_value]
        if len(places) == 1:
            exif[places[0] : places[0] + n_value] = bytes(n_value)
