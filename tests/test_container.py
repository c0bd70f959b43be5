"""The container of the neural codecs: every damage is an error, and nothing hostile costs memory."""

from __future__ import annotations

import struct
import tracemalloc
import zlib

import pytest

from msroi.codecs.neural import container
from msroi.codecs.neural.container import Header, Section, check_network, read, read_header, read_prefix, write
from msroi.errors import BitstreamError, ImageError, OptionError
from msroi.images import Limits

NETWORK = bytes(range(16))
HEADER = Header("recurrent", 48, 33, False, NETWORK)
SECTIONS = [
    Section(container.ALLOCATION, b"\x06"),
    Section(container.CODES, bytes(200)),
    Section(container.CODES, b"codes" * 7),
]


def with_checksums(head: bytes, payloads: list[bytes] = []) -> bytes:  # noqa: B006
    """A file put together by the specification alone, however little sense its header makes."""
    data, covered = head + struct.pack("<I", zlib.crc32(head)), head
    for payload in payloads:
        covered += payload
        data += payload + struct.pack("<I", zlib.crc32(covered))
    return data


def head(
    *,
    version: int = 1,
    codec: int = 1,
    flags: int = 0,
    size: tuple[int, int] = (48, 33),
    table: bytes = b"\x02\x03",
    n: int = 1,
) -> bytes:
    return b"\x93MSN" + struct.pack("<BBBHH", version, codec, flags, *size) + NETWORK + bytes([n]) + table


def test_what_goes_in_comes_out() -> None:
    data = write(HEADER, SECTIONS)
    header, sections = read(data)
    assert header == Header("recurrent", 48, 33, False, NETWORK, 3)
    assert sections == SECTIONS
    assert read_prefix(data) == (header, sections)
    assert read_header(data) == header
    assert len(data) == 28 + 2 + 3 + 2 + 4 + sum(len(s.payload) + 4 for s in SECTIONS)


def test_the_bytes_are_pinned() -> None:
    data = write(
        Header("deepsic", 513, 2, True, NETWORK), [Section(container.LABEL, b"owl"), Section(container.XMP, b"")]
    )
    assert (
        data.hex()
        == "934d534e01030101020200000102030405060708090a0b0c0d0e0f0203031200" + "8a7f0b6d6f776cc7b5674bc7b5674b"
    )
    by_hand = head(codec=3, flags=1, size=(513, 2), n=2, table=bytes([3, 3, 18, 0]))
    assert data == with_checksums(by_hand, [b"owl", b""])


def test_numbers_that_never_change() -> None:
    assert container.MAGIC == b"\x93MSN"
    assert container.FORMAT_VERSION == 1
    assert container.CODEC_IDS == {"recurrent": 1, "vae": 2, "deepsic": 3}
    kinds = ("ALLOCATION", "CODES", "LABEL", "ICC", "EXIF", "XMP")
    assert [getattr(container, kind) for kind in kinds] == [1, 2, 3, 16, 17, 18]


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16_383, 16_384, 2_097_152])
def test_payloads_of_any_length(length: int) -> None:
    sections = [Section(container.CODES, bytes(length)), Section(container.ICC, b"profile")]
    assert read(write(HEADER, sections))[1] == sections


def test_every_truncation_is_refused_and_its_beginning_read() -> None:
    data = write(HEADER, SECTIONS)
    ends = [len(write(HEADER, SECTIONS)) - sum(len(s.payload) + 4 for s in SECTIONS)]
    for section in SECTIONS:
        ends.append(ends[-1] + len(section.payload) + 4)
    assert ends[-1] == len(data)
    for n_bytes in range(len(data)):
        with pytest.raises(BitstreamError, match=r"no file of an msroi|ends"):
            read(data[:n_bytes])
        if n_bytes < ends[0]:
            with pytest.raises(BitstreamError):
                read_prefix(data[:n_bytes])
        else:
            header, sections = read_prefix(data[:n_bytes])
            assert sections == SECTIONS[: sum(end <= n_bytes for end in ends[1:])]
            assert header.n_sections == 3


def test_every_damage_of_a_byte_is_refused() -> None:
    data = write(HEADER, SECTIONS)
    for place in range(len(data)):
        for value in {0, 1, 127, 128, 255, data[place] ^ 1, data[place] ^ 128} - {data[place]}:
            bad = data[:place] + bytes([value]) + data[place + 1 :]
            for reader in (read, read_prefix):
                with pytest.raises(BitstreamError) as caught:
                    reader(bad)
                assert "\n" not in str(caught.value)


def test_a_byte_more_or_less_anywhere_is_refused() -> None:
    data = write(HEADER, SECTIONS)
    for place in range(len(data) + 1):
        with pytest.raises(BitstreamError):
            read(data[:place] + b"\0" + data[place:])
        with pytest.raises(BitstreamError):
            read(data[:place] + data[place + 1 :] if place < len(data) else data[:-1])
    with pytest.raises(BitstreamError, match="9 bytes too many"):
        read_prefix(data + bytes(9))


def test_sections_hold_in_their_own_place_of_their_own_file() -> None:
    """Two pictures with equal headers: lengths, sizes and network are the same."""
    first = [
        Section(container.ALLOCATION, b"aaaa"),
        Section(container.CODES, b"bbbb"),
        Section(container.CODES, b"cccc"),
    ]
    other = [
        Section(container.ALLOCATION, b"dddd"),
        Section(container.CODES, b"eeee"),
        Section(container.CODES, b"ffff"),
    ]
    a, b = write(HEADER, first), write(HEADER, other)
    start = len(a) - 24
    assert a[:start] == b[:start]
    for i in range(3):
        place = slice(start + 8 * i, start + 8 * i + 8)
        exchanged = bytearray(a)
        exchanged[place] = b[place]
        with pytest.raises(BitstreamError, match="damaged"):
            read(bytes(exchanged))
    swapped = a[: start + 8] + a[start + 16 :] + a[start + 8 : start + 16]
    with pytest.raises(BitstreamError, match="section 2 of 3 is damaged"):
        read(swapped)


@pytest.mark.parametrize("data", [b"", b"\x93", b"\xff\xd8\xff", b"\x93MSM" + bytes(60), b"text", bytes(100)])
def test_other_files(data: bytes) -> None:
    with pytest.raises(BitstreamError):
        read(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (with_checksums(head(version=2), [b"abc"]), "version 2 of the format, this msroi reads 1"),
        (with_checksums(head(codec=9), [b"abc"]), "newer"),
        (with_checksums(head(codec=0), [b"abc"]), "newer"),
        (with_checksums(head(flags=2), [b"abc"]), "newer"),
        (with_checksums(head(table=b"\x00\x03"), [b"abc"]), "newer"),
        (with_checksums(head(table=b"\x0f\x03"), [b"abc"]), "newer"),
        (with_checksums(head(n=0, table=b"")), "newer"),
        (with_checksums(head(size=(0, 33)), [b"abc"]), "declares 0 x 33 pixels"),
        (with_checksums(head(size=(48, 65_501)), [b"abc"]), "declares 48 x 65501 pixels"),
        (with_checksums(head(table=b"\x02\x83\x00"), [b"abc"]), "a length is not written"),
        (with_checksums(head(table=b"\x02" + b"\xff" * 5 + b"\x01"), [b"abc"]), "a length is not written"),
    ],
)
def test_headers_with_good_checksums_that_make_no_sense(data: bytes, message: str) -> None:
    with pytest.raises(BitstreamError, match=message):
        read(data)


def test_metadata_of_a_later_version_is_passed_over() -> None:
    sections = [Section(container.CODES, b"abc"), Section(200, b"what is this?")]
    assert read(write(HEADER, sections))[1] == sections


def test_hostile_lengths_cost_no_memory() -> None:
    declared = with_checksums(head(n=255, table=(b"\x02" + b"\xff" * 4 + b"\x7f") * 255))
    tracemalloc.start()
    with pytest.raises(BitstreamError, match="ends after"):
        read(declared)
    header, sections = read_prefix(declared)
    assert (header.n_sections, sections) == (255, [])
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_the_limits_of_every_input_hold() -> None:
    data = write(Header("recurrent", 50_000, 50_000, False, NETWORK), SECTIONS)
    with pytest.raises(ImageError, match=r"2500\.0 megapixels; the limit is 150"):
        read(data)
    with pytest.raises(ImageError, match="limit"):
        read_prefix(data)
    assert read(data, Limits(max_megapixels=2500))[0].width == 50_000
    assert read_header(data).width == 50_000


@pytest.mark.parametrize(
    "fields",
    [
        ("jpeg", 48, 33, False, NETWORK),
        ("vae", 0, 33, False, NETWORK),
        ("vae", 48, 65_501, False, NETWORK),
        ("vae", 48, 33, 1, NETWORK),
        ("vae", 48, 33, False, NETWORK[:15]),
        ("vae", 48, 33, False, "0" * 32),
    ],
)
def test_headers_that_cannot_be_written(fields: tuple) -> None:
    with pytest.raises(OptionError, match="allowed"):
        Header(*fields)


@pytest.mark.parametrize(
    "sections", [[], [Section(container.CODES, b"")] * 256, [Section(0, b"")], [Section(256, b"")]]
)
def test_sections_that_cannot_be_written(sections: list[Section]) -> None:
    with pytest.raises(OptionError, match="allowed"):
        write(HEADER, sections)


def test_a_wrong_network_is_named_by_both_hashes() -> None:
    sha256 = "00112233445566778899aabbccddeeff" + "f0" * 16
    header = Header("vae", 48, 33, False, bytes.fromhex(sha256))
    assert header.network.hex() == "00112233445566778899aabbccddeeff"
    check_network(header, sha256)
    with pytest.raises(BitstreamError, match=r"00112233445566778899aabbccddeeff.*0123456789abcdef0123456789abcdef"):
        check_network(header, "0123456789abcdef" * 4)
