"""IPTC-IIM records as bytes: the places by name in them, and whose picture it is.

1C | record | dataset | length (2 bytes; with its top bit set, the bytes of the length) | value
"""

from __future__ import annotations

from collections.abc import Iterator

# Content location code and name, city, sub-location, province or state, country's code and name.
_PLACES = frozenset((2, dataset) for dataset in (26, 27, 90, 92, 95, 100, 101))
BYLINE, COPYRIGHT = (2, 80), (2, 116)
_CHARACTER_SET = (1, 90)
_UTF_8 = b"\x1b%G"


def _datasets(record: bytes) -> Iterator[tuple[tuple[int, int], int, int, int]]:
    """((record, dataset), start, start of the value, end); the last has numbers -1 and is what cannot be read."""
    position = 0
    while position < len(record) and record[position] == 0x1C and position + 5 <= len(record):
        start = position + 5
        n_bytes = int.from_bytes(record[position + 3 : start], "big")
        if n_bytes & 0x8000:
            n_length = n_bytes & 0x7FFF
            if n_length > 4:
                break
            n_bytes = int.from_bytes(record[start : start + n_length], "big")
            start += n_length
        if start + n_bytes > len(record):
            break
        yield (record[position + 1], record[position + 2]), position, start, start + n_bytes
        position = start + n_bytes
    if position < len(record):
        yield (-1, -1), position, position, len(record)


def without_places(record: bytes) -> tuple[bytes, bool]:
    """The same number of bytes without the datasets that name places; what follows moves up, zeros fill the end.

    False if something that is neither a dataset nor padding stood in it, which is gone then.
    """
    kept, is_whole = [], True
    for number, start, value, end in _datasets(record):
        if number == (-1, -1):
            is_whole = not record[value:end].strip(b"\0 ")
        elif number not in _PLACES:
            kept.append(record[start:end])
    return b"".join(kept).ljust(len(record), b"\0"), is_whole


def texts(record: bytes, number: tuple[int, int]) -> list[str]:
    """The values of a dataset, in the record's own character set: UTF-8 where it says so or it is, else Latin-1."""
    found, is_utf_8 = [], False
    for this, _, start, end in _datasets(record):
        if this == _CHARACTER_SET:
            is_utf_8 = record[start:end] == _UTF_8
        elif this == number:
            found.append(record[start:end])
    return [_decoded(value, is_utf_8) for value in found]


def _decoded(value: bytes, is_utf_8: bool) -> str:
    try:
        return value.decode("utf-8", "replace" if is_utf_8 else "strict")
    except UnicodeDecodeError:
        return value.decode("latin-1")
