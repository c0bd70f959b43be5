"""`--strip`, `--strip-all` and `--no-gain-map`: what goes, and what shows the picture right and says whose it is."""

from __future__ import annotations

import io
import itertools
import struct
from collections.abc import Callable
from pathlib import Path

import files_made as made
import numpy as np
import places_made as places
import pytest
from PIL import Image

from msroi.cli import main
from msroi.images import read, strip
from msroi.metadata import Metadata, assemble, bare, exif, from_jpeg, jpeg_facts, without_gain_map, xmp
from msroi.metadata.credit import ARTIST, COPYRIGHT, credit
from msroi.metadata.exif import Field
from msroi.metadata.gain_map import apple_headroom
from msroi.metadata.tiff import EXIF_POINTER, Tiff
from msroi.pipeline import ALREADY_MADE, compress

PLAIN = places.PLAIN
OWNED = {ARTIST: Field(2, 11, b"Ann Author\0"), COPYRIGHT: Field(2, 9, b"(c) 2026\0")}
HDRGM = "http://ns.adobe.com/hdr-gain-map/1.0/"
PARAMETERS = "<hdrgm:GainMapMax><rdf:Seq><rdf:li>2.5</rdf:li></rdf:Seq></hdrgm:GainMapMax>"
ISO = made.segment(0xE2, b"urn:iso:std:iso:ts:21496:-1\0\0\0\0\0")


def metadata_of(data: bytes) -> Metadata:
    return from_jpeg(data)[0]


def gain_map() -> bytes:
    """A map with its parameters in XMP, and a place in its EXIF and XMP."""
    text = places.packet(PARAMETERS, ' hdrgm:Version="1.0" hdrgm:Gamma="1"', f'{places.RDF} xmlns:hdrgm="{HDRGM}"')
    return made.with_segments(places.THUMBNAIL, places.main_xmp(text), ISO, places.SEGMENTS["exif"])


def with_gain_map(*others: bytes, primary: bytes = PLAIN) -> bytes:
    """A camera's file with a gain map, EXIF with owner, position and orientation, and a comment."""
    main = {**OWNED, 274: Field(3, 1, b"\6\0")}
    full = made.with_segments(
        primary,
        places.app1(places.exif_with(main=main)),
        made.segment(0xE1, xmp.PREFIX + made.XMP_GAIN_MAP),
        ISO,
        places.SEGMENTS["comment"],
    )
    return made.multi_picture(full, *others, gain_map())


def fields_of(metadata: Metadata) -> dict[int, bytes]:
    tiff = Tiff(metadata.exif or b"")
    directory = tiff.directory(tiff.first) if tiff.valid else None
    return {entry.tag: tiff.value(entry) for entry in directory.entries} if directory else {}


def pictures_by_pillow(data: bytes) -> list[bytes]:
    """The pictures of a multi-picture file, found where Pillow's reading of its index says."""
    with Image.open(io.BytesIO(data)) as image:
        header, entries = (
            data.index(b"MPF\0") + 4,
            image._getmp()[0xB002],
        )  # not mpinfo: to Pillow a gain map is no further frame
    starts = [header + entry["DataOffset"] if entry["DataOffset"] else 0 for entry in entries]
    return [data[start : start + entry["Size"]] for start, entry in zip(starts, entries, strict=True)]


# Whose picture it is


@pytest.mark.parametrize("order", "<>")
def test_artist_and_copyright_of_exif_stay_byte_for_byte(order: str) -> None:
    main = {ARTIST: Field(2, 6, b"J\xfcrg\0\0"), COPYRIGHT: Field(2, 10, b"me\0editor\0")}
    data = made.with_segments(PLAIN, places.app1(places.exif_with(order, main)), places.SEGMENTS["iptc"])
    stripped = strip(metadata_of(data), 1)
    assert fields_of(stripped) == {ARTIST: b"J\xfcrg\0\0", COPYRIGHT: b"me\0editor\0"}
    assert len(stripped.segments) == 1 and stripped.notices == ()
    assert strip(stripped, 1) == stripped
    assert strip(metadata_of(data), 1, credit=False) == Metadata()
    with Image.open(io.BytesIO(assemble(PLAIN, stripped))) as image:
        assert dict(image.getexif())[COPYRIGHT] == "me\0editor"


def test_where_exif_says_nothing_iptc_does_and_then_xmp() -> None:
    blank = places.app1(places.exif_without_gps({ARTIST: Field(2, 8, b"       \0")}))
    record = places.dataset(2, 80, b"Ann") + places.dataset(2, 80, b"J\xfcrg") + places.dataset(2, 116, b"\xc2\xa9 Ann")
    inside = "<dc:creator><rdf:Seq><rdf:li>Bob</rdf:li><rdf:li>Eve &amp; co</rdf:li></rdf:Seq></dc:creator>"
    inside += "<dc:rights><rdf:Alt><rdf:li>all</rdf:li><rdf:li>alle</rdf:li></rdf:Alt></dc:rights>"
    packet = places.main_xmp(places.packet(inside))
    by_iptc = made.with_segments(PLAIN, blank, packet, places.app13(places.resource(0x0404, record)))
    assert fields_of(strip(metadata_of(by_iptc), 1)) == {
        ARTIST: "Ann; Jürg\0".encode(),
        COPYRIGHT: "© Ann\0".encode(),
    }
    by_xmp = metadata_of(made.with_segments(PLAIN, blank, packet))
    assert {tag: field.value for tag, field in credit(by_xmp).items()} == {
        ARTIST: b"Bob; Eve & co\0",
        COPYRIGHT: b"all\0",
    }
    assert strip(strip(by_xmp, 1), 1) == strip(by_xmp, 1)
    assert credit(metadata_of(made.with_segments(PLAIN, blank))) == {}


def test_a_name_of_many_bytes_is_none() -> None:
    long = {ARTIST: Field(2, 20_001, b"a" * 20_000 + b"\0")}
    assert strip(metadata_of(made.with_segments(PLAIN, places.app1(exif.build(long)))), 1) == Metadata()


def test_orientation_and_owner_stand_in_one_exif() -> None:
    stripped = strip(metadata_of(with_gain_map()), 6)
    assert fields_of(stripped).keys() == {274, ARTIST, COPYRIGHT} and stripped.orientation == 6
    alone = strip(metadata_of(with_gain_map()), 6, credit=False)
    assert alone.exif == exif.orientation_only(6)


# Gain maps


@pytest.mark.parametrize("credit", [True, False])
def test_strip_keeps_the_gain_map_and_drops_what_it_says_of_places(credit: bool) -> None:
    source = with_gain_map()
    stripped = strip(metadata_of(source), 6, credit=credit)
    file = assemble(PLAIN, stripped)
    assert not [word for word in places.TELL_TALES if word in file]
    assert b"ACME" not in file and b"GPS" not in file and b"dc:title" not in file
    first, second = pictures_by_pillow(file)
    assert np.array_equal(made.decoded(bare(second)), made.decoded(places.THUMBNAIL))
    packet = metadata_of(second).xmp
    assert packet is not None and b'hdrgm:Gamma="1"' in packet and PARAMETERS.encode() in packet
    assert second.count(ISO) == 1 and first.count(ISO) == 1
    claim = metadata_of(file).xmp
    assert claim is not None and b'hdrgm:Version="1.0"' in claim and b"%d" % len(second) in claim
    assert jpeg_facts(file).pictures == (("gain map", len(second)),)
    assert assemble(PLAIN, strip(metadata_of(file), 6, credit=credit)) == file and stripped.notices == ()


def test_a_gain_map_without_an_index_stays_as_well() -> None:
    claim = made.segment(0xE1, xmp.PREFIX + made.XMP_GAIN_MAP)
    source = made.with_segments(PLAIN, claim) + gain_map() + b"a film"
    stripped = strip(metadata_of(source), 1)
    assert stripped.trailer.startswith(b"\xff\xd8") and stripped.trailer.endswith(b"\xff\xd9")
    assert places.LATITUDE not in stripped.trailer and b"hdrgm:Gamma" in stripped.trailer
    assert b"%d" % len(stripped.trailer) in (stripped.xmp or b"")
    dropped = without_gain_map(metadata_of(source))
    assert dropped.trailer == b"a film" and b"GainMap" not in (dropped.xmp or b"GainMap")


def test_other_pictures_and_films_go_with_strip_and_it_is_said() -> None:
    twin = made.encoded(made.picture(20, 28), quality=30)
    source = metadata_of(with_gain_map(twin) + b"a film")
    stripped = strip(source, 6)
    assert stripped.notices == (
        "1 further picture(s) dropped (further picture), as `strip` asks",
        "6 bytes behind the picture dropped, as `strip` asks",
    )
    assert [picture.kind for picture in stripped.pictures] == ["gain map"]
    assert len(pictures_by_pillow(assemble(PLAIN, stripped))) == 2


def test_no_gain_map_drops_that_alone() -> None:
    twin = made.encoded(made.picture(20, 28), quality=30)
    source = metadata_of(with_gain_map(twin) + b"a film")
    without = without_gain_map(source)
    assert without.notices == ("HDR gain map dropped, as `gain_map` asks",)
    assert without.exif == source.exif and without.trailer == b"a film"
    assert b"GainMap" not in (without.xmp or b"GainMap") and b"hdrgm:Version" not in without.xmp
    file = assemble(PLAIN, without)
    found = pictures_by_pillow(file)
    assert len(found) == 2 and found[1] == twin and ISO not in file
    only = without_gain_map(metadata_of(with_gain_map()))
    assert only.pictures == () and only.index == b""
    assert without_gain_map(only) == only and without_gain_map(metadata_of(PLAIN)) == metadata_of(PLAIN)


def test_a_gain_map_that_cannot_be_read_goes_with_strip_and_it_is_said() -> None:
    broken = gain_map().replace(b"</rdf:RDF>", b"          ")
    source = made.multi_picture(PLAIN, broken)
    assert strip(metadata_of(source), 1) == Metadata(notices=("an HDR gain map that cannot be read dropped",))


def test_a_picture_that_only_sounds_like_a_gain_map_is_none() -> None:
    """Found by fuzzing: the words stood in a comment, so that without it the file was another one than before."""
    other = made.with_segments(places.THUMBNAIL, made.segment(0xFE, b"hdrgm:Version"))
    for source in (made.multi_picture(PLAIN, other), PLAIN + other):
        stripped = strip(metadata_of(source), 1)
        assert stripped == Metadata(notices=("an HDR gain map that cannot be read dropped",))
        assert strip(stripped, 1).segments == ()


def apple_notes(*fields: tuple[int, int, int, bytes]) -> bytes:
    head = b"Apple iOS\0\0\1MM"
    behind = len(head) + 2 + 12 * len(fields) + 4
    rows, values = b"", b""
    for tag, kind, count, value in fields:
        rows += struct.pack(">HHI", tag, kind, count)
        rows += value.ljust(4, b"\0") if len(value) <= 4 else struct.pack(">I", behind + len(values))
        values += value if len(value) > 4 else b""
    return head + struct.pack(">H", len(fields)) + rows + bytes(4) + values


def test_apples_maker_notes_keep_how_bright_the_map_is() -> None:
    headroom, gain = struct.pack(">ii", 3, 4), struct.pack(">ii", 1, 100)
    identifier = (0x0011, 2, 37, b"an identifier of the photo's owner..\0")
    notes = apple_notes((1, 9, 1, b"\0\0\0\7"), identifier, (0x21, 10, 1, headroom), (0x30, 10, 1, gain))
    block = exif.build({271: Field(2, 6, b"Apple\0")}, {0x927C: Field(7, len(notes), notes)})
    assert apple_headroom(block) == apple_notes((0x21, 10, 1, headroom), (0x30, 10, 1, gain))
    source = made.multi_picture(made.with_segments(PLAIN, places.app1(block)), gain_map())
    stripped = strip(metadata_of(source), 1)
    tiff = Tiff(stripped.exif or b"")
    details = tiff.pointed(tiff.directory(tiff.first), EXIF_POINTER)
    entry = details.get(0x927C) if details else None
    assert entry is not None and tiff.value(entry) == apple_headroom(block)
    assert strip(stripped, 1) == stripped
    assert strip(metadata_of(made.with_segments(PLAIN, places.app1(block))), 1) == Metadata()  # no map, no notes
    assert apple_headroom(exif.build({271: Field(2, 6, b"Apple\0")}, {0x927C: Field(7, 16, notes[:16])})) is None


def test_an_apple_gain_map_survives_strip(shared_data: Callable[..., Path]) -> None:
    source = read(shared_data("robust", "jpg_gainmap_apple.jpg"))
    file = assemble(PLAIN, strip(source.metadata, source.orientation))
    _, second = pictures_by_pillow(file)
    assert np.array_equal(made.decoded(bare(second)), made.decoded(bare(source.metadata.pictures[0].data)))
    assert jpeg_facts(file).pictures[0][0] == "gain map" and b"Apple iOS" in file and b"iPhone" not in file


# In a whole request


def test_policies_are_told_apart_and_a_second_run_knows_its_own() -> None:
    source = with_gain_map(primary=made.encoded(made.picture(64, 96), quality=95))
    names = ("strip", "strip_all", "gain_map")
    policies = [dict(zip(names, on, strict=True)) for on in itertools.product((False, True), repeat=3)]
    made_by = {}
    for policy in policies:
        result = compress(source, quality=30, map_kind="none", **policy)
        again = compress(result.data, quality=30, map_kind="none", **policy)
        assert again.report.reason == ALREADY_MADE and again.data == result.data
        made_by[tuple(policy.values())] = result.data
        metadata = metadata_of(result.data)
        assert bool(metadata.pictures) == policy["gain_map"]
        assert (ARTIST in fields_of(metadata)) == (not policy["strip_all"])
        assert (271 in fields_of(metadata)) == (not policy["strip"] and not policy["strip_all"])
        assert metadata.orientation == 6
    stripped = compress(made_by[False, False, True], quality=30, map_kind="none", strip=True)
    assert stripped.report.reason != ALREADY_MADE and b"ACME" not in stripped.data
    assert len(set(made_by.values())) == 6  # strip_all stands above strip


def test_the_command_line_has_the_same_words(tmp_path: Path) -> None:
    source = tmp_path / "a.jpg"
    source.write_bytes(with_gain_map(primary=made.encoded(made.picture(64, 96), quality=95)))
    for words, options in {
        "--strip": {"strip": True},
        "--strip-all": {"strip_all": True},
        "--no-gain-map": {"gain_map": False},
        "--strip-all --no-gain-map": {"strip_all": True, "gain_map": False},
    }.items():
        output = tmp_path / "out.jpg"
        command = ["compress", str(source), "-o", str(output), "--overwrite", "--map-kind", "none", "--quality", "30"]
        assert main([*command, *words.split()]) == 0
        assert output.read_bytes() == compress(source, quality=30, map_kind="none", **options).data


def test_what_fits_the_old_size_only_goes_whatever_is_kept() -> None:
    result = compress(with_gain_map(), quality=30, map_kind="none", max_side=32, strip=True)
    assert metadata_of(result.data).pictures == () and b"hdrgm" not in result.data and ISO not in result.data
    assert "1 further picture(s) dropped (gain map): they fit the old size only" in result.report.notices
