"""The file format of the neural codecs; this text is its specification, version 1.

A file is a header and its sections, nothing before, between or after. Numbers of more than one byte are
little-endian. A varint holds 7 bits a byte, the lowest first, the upper bit set in all bytes but the last; it
takes the fewest bytes that hold the number, and at most 5.

    bytes       header
    4           magic: 93 4D 53 4E ("MSN" after a byte that no text begins with)
    1           version of the format: 1
    1           codec: 1 recurrent, 2 vae, 3 deepsic; the numbers never change
    1           flags: bit 0 is set for a grey picture, whose decoder gives one channel; the others are 0
    2, 2        width and height in pixels, upright, 1 to 65,500
    16          network: the first 16 bytes of the SHA-256 of the network's file
    1           number of sections, 1 to 255
    each 2 to 6 for each section its kind (1 byte) and its payload's length in bytes (varint)
    4           CRC

    bytes       then each section, in the header's order
    length      payload
    4           CRC

Each CRC is the CRC-32 of zlib and PNG over everything before it but the other CRCs: the header's over the
header, a section's over the header and all payloads up to and with its own. So a section holds in its own place
of its own file alone, and whoever has the beginning of a file knows which sections of it are whole.

Kinds of sections: 1 allocation, 2 codes, 3 label, 16 ICC profile, 17 EXIF, 18 XMP. The payloads of kinds under 16
are the codec's (each codec's module describes them), and a reader refuses a file with
one that it does not know. Kinds from 16 on hold metadata as a JPEG's segments do, without their signatures; a
reader passes over those that it does not know.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from msroi.errors import BitstreamError, OptionError
from msroi.images import Limits
from msroi.options import flag, one_of, whole_number

MAGIC = b"\x93MSN"
FORMAT_VERSION = 1
CODEC_IDS = {"recurrent": 1, "vae": 2, "deepsic": 3}
ALLOCATION, CODES, LABEL, ICC, EXIF, XMP = 1, 2, 3, 16, 17, 18
NETWORK_BYTES = 16
MAX_SECTIONS = 255

_FIXED = struct.Struct("<4sBBBHH16sB")
_CRC = struct.Struct("<I")
_GREY = 1
_CODED_KINDS = (ALLOCATION, CODES, LABEL)
_FIRST_METADATA = 16
_MAX_VARINT = 5
_MAX_SIDE = Limits().max_side


@dataclass(frozen=True)
class Header:
    """What a file says of itself.

    codec: a name in CODEC_IDS. width, height: pixels, upright. grey: one channel. network: the SHA-256 of the
    network's file, of which the first 16 bytes are kept. n_sections: of the whole file; `write` counts them.
    Errors: OptionError.
    """

    codec: str
    width: int
    height: int
    grey: bool
    network: bytes
    n_sections: int = 0

    def __post_init__(self) -> None:
        one_of("codec", self.codec, tuple(CODEC_IDS))
        object.__setattr__(self, "width", whole_number("width", self.width, 1, _MAX_SIDE))
        object.__setattr__(self, "height", whole_number("height", self.height, 1, _MAX_SIDE))
        flag("grey", self.grey)
        if not isinstance(self.network, bytes) or len(self.network) < NETWORK_BYTES:
            raise OptionError(f"network: got {self.network!r:.80}, allowed: at least {NETWORK_BYTES} bytes")
        object.__setattr__(self, "network", self.network[:NETWORK_BYTES])


@dataclass(frozen=True)
class Section:
    """A part of a file. kind: 1 to 255; ALLOCATION to XMP are known."""

    kind: int
    payload: bytes


def write(header: Header, sections: Sequence[Section]) -> bytes:
    """The whole file. Errors: OptionError for no section, too many, or a kind that is no byte."""
    whole_number("sections", len(sections), 1, MAX_SECTIONS)
    network, codec = header.network, CODEC_IDS[header.codec]
    size = header.width, header.height
    head = _FIXED.pack(MAGIC, FORMAT_VERSION, codec, _GREY * header.grey, *size, network, len(sections))
    for section in sections:
        kind = whole_number("kind", section.kind, 1, 255)
        head += bytes([kind]) + _varint(len(section.payload))
    crc = zlib.crc32(head)
    parts = [head, _CRC.pack(crc)]
    for section in sections:
        crc = zlib.crc32(section.payload, crc)
        parts += [section.payload, _CRC.pack(crc)]
    return b"".join(parts)


def read(data: bytes, limits: Limits | None = None) -> tuple[Header, list[Section]]:
    """A whole file.

    limits: of the picture's size, checked on the header; those of every input by default.
    Errors: BitstreamError for bytes that are not exactly one undamaged file; ImageError for a picture over
    the limits.
    """
    header, sections, n_bytes = _read(data, limits)
    if len(sections) < header.n_sections:
        raise BitstreamError(
            f"the file ends after {len(data)} of its {n_bytes} bytes; a preview of its beginning can be decoded"
        )
    return header, sections


def read_prefix(data: bytes, limits: Limits | None = None) -> tuple[Header, list[Section]]:
    """The header and the whole sections of the beginning of a file.

    `header.n_sections` tells how many sections the whole file has. limits and errors: as `read`, but that the file
    may end anywhere after its header.
    """
    header, sections, _ = _read(data, limits)
    return header, sections


def read_header(data: bytes) -> Header:
    """The header alone, for who lists files. Errors: BitstreamError."""
    return _read_head(data)[0]


def coded(sections: Sequence[Section]) -> list[Section]:
    """Those of a file's sections that are the codec's: metadata left out."""
    return [section for section in sections if section.kind < _FIRST_METADATA]


def check_network(header: Header, sha256: str) -> None:
    """Whether a file was made with the network of this SHA-256 (hexadecimal, of the network's file).

    Errors: BitstreamError that names both hashes, if it was not.
    """
    own = bytes.fromhex(sha256)[:NETWORK_BYTES]
    if header.network != own:
        raise BitstreamError(
            f"the file was made with the network {header.network.hex()}, this one is {own.hex()} (beginnings of their"
            " SHA-256); name the file of the former"
        )


def _read(data: bytes, limits: Limits | None) -> tuple[Header, list[Section], int]:
    """Header, whole sections, and the bytes that the whole file has."""
    header, table, at = _read_head(data)
    (limits or Limits()).check_size(header.width, header.height)
    n_bytes = at + sum(length + _CRC.size for _, length in table)
    if len(data) > n_bytes:
        raise BitstreamError(f"{len(data) - n_bytes} bytes too many after the end of the file; it is damaged")
    (crc,) = _CRC.unpack_from(data, at - _CRC.size)
    sections = []
    for i, (kind, length) in enumerate(table):
        end = at + length
        if end + _CRC.size > len(data):
            break
        payload = data[at:end]
        crc = zlib.crc32(payload, crc)
        if crc != _CRC.unpack_from(data, end)[0]:
            raise BitstreamError(f"section {i + 1} of {len(table)} is damaged: its checksum is another")
        sections.append(Section(kind, payload))
        at = end + _CRC.size
    return header, sections, n_bytes


def _read_head(data: bytes) -> tuple[Header, list[tuple[int, int]], int]:
    """Header, kind and length of each section, and where the header ends."""
    if data[: len(MAGIC)] != MAGIC[: len(data)] or not data:
        raise BitstreamError("no file of an msroi neural codec")
    if len(data) < _FIXED.size:
        raise _ends_in_header(data)
    _, version, codec, flags, width, height, network, n_sections = _FIXED.unpack_from(data)
    if version != FORMAT_VERSION:
        raise BitstreamError(
            f"version {version} of the format, this msroi reads {FORMAT_VERSION}; a newer one may read it"
        )
    table = []
    at = _FIXED.size
    for _ in range(n_sections):
        kind = data[at : at + 1]
        length, at = _read_varint(data, at + 1)
        table.append((kind[0], length))
    if at + _CRC.size > len(data):
        raise _ends_in_header(data)
    if zlib.crc32(data[:at]) != _CRC.unpack_from(data, at)[0]:
        raise BitstreamError("the header is damaged: its checksum is another")
    names = {number: name for name, number in CODEC_IDS.items()}
    strange = [kind for kind, _ in table if kind < _FIRST_METADATA and kind not in _CODED_KINDS]
    if codec not in names or flags & ~_GREY or strange or not table:
        raise BitstreamError("a codec, flag or section that this msroi does not know; a newer one may read it")
    if not (1 <= width <= _MAX_SIDE and 1 <= height <= _MAX_SIDE):
        raise BitstreamError(f"declares {width} x {height} pixels; 1 to {_MAX_SIDE} a side are possible")
    header = Header(names[codec], width, height, bool(flags & _GREY), network)
    return replace(header, n_sections=n_sections), table, at + _CRC.size


def _ends_in_header(data: bytes) -> BitstreamError:
    return BitstreamError(f"the file ends within its header, after {len(data)} bytes")


def _varint(number: int) -> bytes:
    whole_number("length", number, 0, (1 << 7 * _MAX_VARINT) - 1)
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at a place, and the place after it."""
    number = 0
    for i in range(_MAX_VARINT):
        if at + i >= len(data):
            raise _ends_in_header(data)
        byte = data[at + i]
        number |= (byte & 0x7F) << 7 * i
        if byte <= 0x7F:
            if byte == 0 and i:
                break
            return number, at + i + 1
    raise BitstreamError("the header is damaged: a length is not written as lengths are")
