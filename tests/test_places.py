"""`--strip-gps`: no place is left behind, nothing else is lost, and no file keeps a core busy."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import struct
import sys
import tracemalloc
import xml.etree.ElementTree as ElementTree
import zlib
from collections.abc import Callable
from pathlib import Path

import files_made as made
import numpy as np
import places_made as places
import pytest
from PIL import Image

from msroi.images import read
from msroi.metadata import (
    Metadata,
    assemble,
    bare,
    exif,
    exif_places,
    from_jpeg,
    iptc,
    is_jpeg,
    photoshop,
    png,
    strip_gps,
    xmp,
    xmp_places,
)
from msroi.metadata.gain_map import without_pictures_at
from msroi.metadata.tiff import Tiff
from msroi.pipeline import ALREADY_MADE, compress

PLAIN = places.PLAIN
EXIF = b"Exif\0\0" + made.exif_with_gps(6)
JPEGS = places.jpegs()
FOREIGN = places.foreign()
CRAFTED = {**JPEGS, **FOREIGN}
# Without a byte that tells of a place: numbers that stand for towns, or words that are in another encoding.
UNTOLD = {"exif-geotiff", "notes-pentax", "notes-casio", "xmp-utf-32-le", "xmp-thumbnail"}
DROPPED = "dropped, since a place may be in it: "


def metadata_of(data: bytes) -> Metadata:
    return from_jpeg(data)[0]


def without_gps(block: bytes) -> bytes | None:
    """EXIF's own places taken out, what stands in its fields left alone."""
    return exif_places.without_places(block, lambda tag, value: value, lambda block: block)


def pictures_by_pillow(data: bytes) -> list[np.ndarray]:
    """All pictures of a multi-picture file, found where Pillow's reading of its index says."""
    with Image.open(io.BytesIO(data)) as image:
        header, entries = data.index(b"MPF\0") + 4, image.mpinfo[0xB002]
    starts = [header + entry["DataOffset"] if entry["DataOffset"] else 0 for entry in entries]
    sizes = [entry["Size"] for entry in entries]
    return [made.decoded(bare(data[start : start + n])) for start, n in zip(starts, sizes, strict=True)]


def stripped(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """A file with the metadata of `data` but its places, and what was said."""
    metadata = read(data).metadata
    after = strip_gps(metadata)
    return assemble(bare(data) if is_jpeg(data) else PLAIN, after), after.notices


# Every way to name a place


@pytest.mark.parametrize("name", CRAFTED)
def test_no_place_is_left_and_a_second_time_nothing_changes(name: str) -> None:
    data = CRAFTED[name]
    before = assemble(PLAIN, read(data).metadata)
    assert name in UNTOLD or any(word in before for word in places.TELL_TALES) or "cut" in name
    file, _ = stripped(data)
    assert not [word for word in places.TELL_TALES if word in file]
    again = strip_gps(metadata_of(file))
    assert assemble(bare(file), again) == file and again.notices == ()
    assert np.array_equal(made.decoded(bare(file)), made.decoded(bare(data) if is_jpeg(data) else PLAIN))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("comment", "a comment"),
        ("gopro", "APP6 (GoPro)"),
        ("kodak-meta", "APP3 (Meta)"),
        ("unicode-comment", "APP10 (UNICODE)"),
        ("picture-info", "APP12"),
        ("film-behind", "48 bytes behind the picture"),
        ("behind-bytes", "8 bytes between pictures, a comment, 18 bytes behind the picture"),
        ("xmp-cut", "XMP that cannot be read"),
        ("xmp-no-blank", "XMP that cannot be read"),
        ("xmp-undeclared", "XMP that cannot be read"),
        ("xmp-entity", "XMP that cannot be read"),
        ("xmp-latin", "XMP that cannot be read"),
        ("xmp-extended-part", "extended XMP that no packet names or that is not whole"),
        ("xmp-extended-not-named", "extended XMP that no packet names or that is not whole"),
        ("iptc-and-rubbish", "IPTC that cannot be read"),
        ("photoshop-rubbish", "Photoshop's resources that cannot be read"),
        ("exif-two-segments", "EXIF that cannot be read"),
        ("multi-picture-unreadable", "a comment, a further picture that cannot be read (further picture)"),
    ],
)
def test_what_cannot_be_read_goes_and_is_said(name: str, words: str) -> None:
    assert stripped(CRAFTED[name])[1] == (DROPPED + words,)


def test_what_is_read_goes_without_a_word() -> None:
    quiet = [name for name in places.SEGMENTS if name.startswith(("exif-", "xmp-prefix", "xmp-Iptc", "xmp-photoshop"))]
    said = {name: stripped(JPEGS[name])[1] for name in (*quiet, "iptc", "photoshop-thumbnail", "notes-nikon")}
    expected = {"exif-two-segments": (DROPPED + "EXIF that cannot be read",)}
    expected["exif-thumbnail-comment"] = (DROPPED + "a comment",)
    assert said == {name: expected.get(name, ()) for name in said}


def test_our_own_mark_is_no_comment_and_harmless_segments_stay() -> None:
    mark = b"msroi 1.2.3 0123456789abcdef"
    kept = [
        (0xEC, b"Ducky\0\1\0\4"),
        (0xE0, b"Picasa"),
        (0xE2, b"urn:iso:std:iso:ts:21496:-1\0\0\0"),
        (0xE8, b"SPIFF\0"),
    ]
    kept += [(0xEC, b"[picture info] Resolution=1"), (0xEF, b"Q 90"), (0xE5, bytes(8))]
    data = made.with_segments(PLAIN, *(made.segment(*segment) for segment in kept))
    assert strip_gps(metadata_of(data)) == metadata_of(data)
    inside = made.with_segments(places.THUMBNAIL, made.segment(0xFE, mark))
    behind = metadata_of(PLAIN + inside)
    assert strip_gps(behind) == behind


# IPTC and Photoshop


def test_iptc_loses_its_places_alone_and_its_digest_follows() -> None:
    block = metadata_of(stripped(JPEGS["iptc"])[0]).segments[-1].payload[len(photoshop.PREFIX) :]
    contents = {number: block[start:end] for number, start, end in photoshop.resources(block)}
    record = contents[photoshop.IPTC]
    assert record.rstrip(b"\0") == places.iptc_record() and len(record) == len(
        places.iptc_record(26, 27, 90, 92, 95, 100, 101)
    )
    assert contents[photoshop.IPTC_DIGEST] == hashlib.md5(record, usedforsecurity=False).digest()
    assert contents[0x03ED] == b"kept"
    assert iptc.texts(record, iptc.BYLINE) == ["Ann Author"]


def test_iptc_with_long_datasets_and_a_digest_of_others() -> None:
    long = b"\x1c\2\x78\x80\4" + struct.pack(">I", 40_000) + b"c" * 40_000
    record = places.dataset(2, 90, places.TOWN) + long + bytes(3)
    fresh, is_whole = iptc.without_places(record)
    assert is_whole and fresh.rstrip(b"\0") == long and len(fresh) == len(record)
    assert iptc.without_places(record[:-10])[1] is False
    other = places.app13(places.resource(0x0404, record[:12]), places.resource(0x0425, b"0123456789abcdef"))
    assert b"0123456789abcdef" in stripped(made.with_segments(PLAIN, other))[0]


# XMP by namespaces


def test_xmp_stays_xml_with_all_else_in_its_place() -> None:
    for name in (name for name in places.SEGMENTS if name.startswith("xmp-")):
        metadata = metadata_of(JPEGS[name])
        after = strip_gps(metadata)
        if after.xmp is None or "utf" in name:
            continue
        assert metadata.xmp is not None and len(after.xmp) == len(metadata.xmp)
        ElementTree.fromstring(after.xmp)
        changed = [(a, b) for a, b in zip(metadata.xmp, after.xmp, strict=True) if a != b]
        assert all(b == 0x20 for _, b in changed) or name in ("xmp-extended", "xmp-thumbnail")
        assert b'dc:title="kept"' in after.xmp


def test_empty_elements_take_nothing_along() -> None:
    more = f'{places.RDF} xmlns:e="{places.EXIF_NAMESPACE}"'
    places_inside = "<e:GPSLatitude/>", "<e:GPSAltitude></e:GPSAltitude>", "<e:GPSDOP dc:x='a>b'/>"
    inside = "<dc:a/>{}<dc:b/>{}<dc:c>c</dc:c>{}d"
    text = places.packet(inside.format(*places_inside), more=more).encode()
    expected = places.packet(inside.format(*(" " * len(place) for place in places_inside)), more=more)
    assert xmp_places.without_places(text).decode() == expected


def test_attributes_are_told_apart_by_their_namespaces() -> None:
    spaces = {"a": places.EXIF_NAMESPACE, "b": "http://ns.adobe.com/photoshop/1.0/", "c": "http://example.org/"}
    more = places.RDF + "".join(f" xmlns:{prefix}='{space}'" for prefix, space in spaces.items())
    attributes = " a:GPSLatitude = 'x>\"y' c:State=\"a:GPSLatitude='1'\" b:State='s' c:x = 'y'"
    fresh = xmp_places.without_places(places.packet("", attributes, more).encode()).decode()
    assert "GPSLatitude = " not in fresh and "b:State" not in fresh
    assert "c:State=\"a:GPSLatitude='1'\"" in fresh and "c:x = 'y'" in fresh


def test_a_picture_in_base64_loses_its_place_alone() -> None:
    before, after = (
        metadata_of(data).xmp or b"" for data in (JPEGS["xmp-thumbnail"], stripped(JPEGS["xmp-thumbnail"])[0])
    )
    one, other = (base64.b64decode(re.search(rb"/9j/[^<]*", x)[0].replace(b"&#xA;", b"")) for x in (before, after))
    assert len(before) == len(after) and len(one) == len(other)
    assert places.LATITUDE in one and places.LATITUDE not in other and b"ACME" in other
    assert np.array_equal(made.decoded(bare(one)), made.decoded(bare(other)))
    assert xmp.edit_pictures(b">/9j/A<", bytes.upper) == b">/9j/A<"  # no Base64


def test_a_persons_address_and_peoples_words_stay() -> None:
    more = f'{places.RDF} xmlns:core="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"'
    text = places.packet(
        "<core:CreatorContactInfo core:CiAdrCity='x'/><dc:subject>Rome</dc:subject>", more=more
    ).encode()
    assert xmp_places.without_places(text) == text


@pytest.mark.parametrize("order", "<>")
def test_gps_is_taken_out_and_everything_else_stays_in_its_place(order: str) -> None:
    block = made.exif_with_gps(6, order)
    stripped = without_gps(block)
    assert stripped is not None and len(stripped) == len(block) and not exif.has_gps(stripped)
    assert exif.has_gps(block)
    assert stripped[80:146] == bytes(66)  # the directory and its values
    assert stripped[68:80] == block[68:80] and stripped[146:] == block[146:]
    image_exif = Image.Exif()
    image_exif.load(stripped)
    assert image_exif.get_ifd(0x8825) == {} and 0x8825 not in image_exif
    assert dict(image_exif)[0x010F] == "ACME Co" and dict(image_exif)[0x0112] == 6
    assert image_exif.get_ifd(0x8769)[0x927C] == b"maker notes, 20 byte"
    thumbnail = Tiff(stripped)
    following = thumbnail.directory(thumbnail.directory(8).next)
    assert following is not None and thumbnail.integers(following.get(0x0201)) == [260]
    assert stripped[260:290] == bytes(range(100, 130))


def test_a_gps_directory_that_lies_over_other_data_leaves_these_alone() -> None:
    block = bytearray(made.exif_with_gps())
    place = block.index(struct.pack("<HHI", 0x8825, 4, 1)) + 8
    block[place : place + 4] = struct.pack("<I", 160)  # the EXIF directory itself
    stripped = without_gps(bytes(block))
    assert stripped is not None and not exif.has_gps(stripped)
    assert stripped[160:] == bytes(block)[160:]


def test_strip_gps_reaches_xmp_photoshop_and_further_pictures() -> None:
    resource = b"8BIM\x04\x22\0\0" + struct.pack(">I", 300) + made.exif_with_gps()
    full = made.with_segments(
        PLAIN,
        made.segment(0xE1, EXIF),
        made.segment(0xE1, xmp.PREFIX + made.XMP_GPS),
        made.segment(0xED, b"Photoshop 3.0\0" + resource + b"8BIM\x03\xed\0\0" + struct.pack(">I", 4) + b"last"),
    )
    source = made.multi_picture(full, full, trailer=full)
    stripped = strip_gps(metadata_of(source))
    file = assemble(full, stripped)
    assert len(file) == len(source)
    assert file.count(b"GPS") == 0 and source.count(b"GPS") == 3 * 7
    assert not exif.has_gps(stripped.exif or b"")
    assert file.count(b"Ann Author") == 3 and file.count(b"maker notes") == 6 and file.count(b"last") == 3
    assert struct.pack("<6I", 52, 1, 31, 1, 12, 1) not in file
    for one, other in zip(pictures_by_pillow(file), pictures_by_pillow(source), strict=True):
        assert np.array_equal(one, other)
    assert stripped.notices == ()
    assert strip_gps(stripped) == stripped


def test_exif_that_cannot_be_read_goes_with_strip_gps_and_it_is_said() -> None:
    data = made.with_segments(PLAIN, made.segment(0xE1, b"Exif\0\0nonsense that may hold a place"))
    stripped = strip_gps(metadata_of(data))
    assert b"nonsense" not in assemble(PLAIN, stripped)
    assert stripped.notices == (DROPPED + "EXIF that cannot be read",)


def test_gps_of_a_real_file_is_gone_and_its_other_tags_are_not(shared_data: Callable[..., Path]) -> None:
    source = shared_data("robust", "jpg_exif_gps.jpg").read_bytes()
    file = assemble(source, strip_gps(metadata_of(source)))
    assert len(file) == len(source)
    with Image.open(io.BytesIO(source)) as before, Image.open(io.BytesIO(file)) as after:
        one, other = before.getexif(), after.getexif()
        assert one.get_ifd(0x8825) and not other.get_ifd(0x8825)
        assert {tag: value for tag, value in one.items() if tag != 0x8825} == dict(other)
        assert one.get_ifd(0x8769) == other.get_ifd(0x8769)


def test_gps_names_are_blanked_in_xmp_and_nothing_else() -> None:
    blanked = xmp_places.without_places(made.XMP_GPS)
    assert len(blanked) == len(made.XMP_GPS) and b"GPS" not in blanked and b"13,24" not in blanked
    assert b'dc:title="kept"' in blanked and b"<dc:creator>Ann Author</dc:creator>" in blanked
    assert ElementTree.fromstring(blanked).findtext(".//{http://purl.org/dc/elements/1.1/}creator") == "Ann Author"


def test_extended_xmp_is_edited_as_a_whole_and_its_digest_follows() -> None:
    parts, digest = places.extended_xmp(made.XMP_GPS)
    main = places.main_xmp(places.naming(digest))
    source = made.with_segments(PLAIN, main, parts[1], parts[0], parts[2])
    segments = strip_gps(metadata_of(source)).segments
    pieces = sorted((s.payload[71:75], s.payload[75:]) for s in segments if xmp.is_extension(s))
    packet = b"".join(piece for _, piece in pieces)
    assert packet == xmp_places.without_places(made.XMP_GPS)
    fresh = hashlib.md5(packet, usedforsecurity=False).hexdigest().upper().encode()
    assert all(fresh in s.payload for s in segments[1:]) and digest not in assemble(PLAIN, Metadata(segments))
    assert metadata_of(assemble(PLAIN, metadata_of(source))) == metadata_of(source)


def test_an_index_loses_an_entry_and_finds_the_others() -> None:
    others = [made.encoded(made.picture(12, 16, seed), quality=30) for seed in range(3)]
    metadata = metadata_of(made.multi_picture(PLAIN, *others))
    for gone in range(3):
        file = assemble(PLAIN, without_pictures_at(metadata, [gone]))
        found = pictures_by_pillow(file)
        left = [PLAIN, *(other for i, other in enumerate(others) if i != gone)]
        assert len(found) == 3
        for one, other in zip(found, left, strict=True):
            assert np.array_equal(one, made.decoded(other))
    assert without_pictures_at(metadata, [0, 1, 2]).index == b""


# Maker notes


@pytest.mark.parametrize("name", ["panasonic", "nikon", "pentax", "casio", "samsung", "samsung-in-exif"])
def test_maker_notes_lose_a_place_and_nothing_moves(name: str) -> None:
    before = metadata_of(JPEGS[f"notes-{name}"]).exif
    after = metadata_of(stripped(JPEGS[f"notes-{name}"])[0]).exif
    assert before is not None and after is not None and len(before) == len(after)
    changed = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    assert 0 < len(changed) <= 2 + 84
    assert after.count(b"0100") >= before.count(b"0100") - 1  # the field before it; Nikon's has such a word inside


# Work in proportion


def steps(work: Callable[[], object]) -> int:
    """Lines of Python that `work` runs and calls that it makes: its work, whatever the machine."""
    n = 0

    def count(frame: object, event: str, argument: object) -> object:
        nonlocal n
        n += 1
        return count

    def call(frame: object, event: str, argument: object) -> None:
        nonlocal n
        n += event == "c_call"

    before = sys.gettrace(), sys.getprofile()
    sys.settrace(count)
    sys.setprofile(call)
    try:
        work()
    finally:
        sys.settrace(before[0])  # type: ignore[arg-type]
        sys.setprofile(before[1])
    return n


LARGE, SMALL = places.attacks(2), places.attacks(8)


@pytest.mark.parametrize("name", LARGE)
def test_a_hostile_file_costs_work_and_memory_in_proportion(name: str) -> None:
    """Four times the fields, directories or segments: at most about four times the work, and few copies of the file."""

    def work(data: bytes) -> Callable[[], object]:
        def strip() -> object:
            metadata = from_jpeg(data)[0]
            return assemble(PLAIN, strip_gps(metadata))

        return strip

    n_large, n_small = steps(work(LARGE[name])), steps(work(SMALL[name]))
    assert n_large <= 5 * n_small + 20_000
    assert n_large <= 5_000_000
    tracemalloc.start()
    try:
        work(LARGE[name])()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= 8 * len(LARGE[name]) + 20_000_000


@pytest.mark.parametrize("name", ["gps-over-gps", "chained-to-one-gps"])
def test_overlapping_gps_fields_are_gone(name: str) -> None:
    block = metadata_of(stripped(places.attacks()[name])[0]).exif
    assert block is not None and not exif.has_gps(block)


def test_a_pngs_comments_and_bombs_are_bounded() -> None:
    comments = [(b"tEXt", b"Comment\0c")] * 5_000
    found = png.parse(made.png(made.picture(), 8, 2, *comments))
    assert len(found.foreign.comments) == 100
    bomb = zlib.compress(bytes(16_000_000), 9)
    bombs = [(b"zTXt", b"Comment\0\0" + bomb)] * 50
    found = png.parse(made.png(made.picture(), 8, 2, *bombs, (b"tEXt", b"Comment\0c")))
    assert [len(comment) for comment in found.foreign.comments] == [16_000_000, 16_000_000, 1]


def test_directories_are_visited_once_and_tables_over_each_other_are_refused() -> None:
    chain = Tiff(places.chained(3000)).reachable()
    assert chain is not None and len(chain) == 3000 and len({directory.position for directory in chain}) == 3000
    assert without_gps(places.chained(3000)) is not None
    over = metadata_of(places.attacks()["tables-over-tables"]).exif
    assert over is not None and Tiff(over).reachable() is None and without_gps(over) is None


@pytest.mark.parametrize(("name", "words"), [("many-exif", "further EXIF"), ("many-xmp", "further XMP")])
def test_no_more_blocks_are_edited_than_files_have(name: str, words: str) -> None:
    after = strip_gps(metadata_of(SMALL[name]))
    assert after.notices == (DROPPED + words,)
    assert len(after.segments) == 17  # JFIF and sixteen


# In a whole request


@pytest.mark.parametrize("name", ["exif", "iptc", "xmp-Iptc4xmpExt-LocationShown", "comment", "behind", "gopro"])
def test_a_file_that_still_names_a_place_was_not_made_already(name: str) -> None:
    options = {"map_kind": "none", "method": "two-pass", "strip_gps": True, "quality": 30}
    first = compress(JPEGS[name], **options)
    assert not [word for word in places.TELL_TALES if word in first.data]
    again = compress(first.data, **options)
    assert again.data == first.data and again.report.reason == ALREADY_MADE
    with_place = made.with_segments(first.data, places.SEGMENTS.get(name, places.SEGMENTS["exif"]))
    later = compress(with_place, **options)
    assert later.report.reason != ALREADY_MADE
    assert not [word for word in places.TELL_TALES if word in later.data]


def test_the_original_that_is_kept_has_no_place_either() -> None:
    small = made.encoded(made.picture(), quality=5)
    result = compress(
        made.with_segments(small, places.SEGMENTS["iptc"]), map_kind="none", strip_gps=True, min_savings=99
    )
    assert result.report.kept_original and places.TOWN not in result.data and b"Ann Author" in result.data
