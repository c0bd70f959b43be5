"""Metadata and the JPEG marker stream: bytes in, bytes out."""

from __future__ import annotations

import io
import struct
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import files_made as made
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from msroi.errors import ImageError
from msroi.metadata import (
    Metadata,
    Segment,
    assemble,
    bare,
    exif,
    from_jpeg,
    icc,
    jpeg_facts,
    parse,
    read_comment,
    strip_gps,
    xmp,
)
from msroi.metadata.facts import scaled_table
from msroi.metadata.gain_map import without_pictures

COMMENT = "msroi 1.2.3 0123456789abcdef"
PHOTO = made.picture()
PLAIN = made.encoded(PHOTO)
PROGRESSIVE = made.encoded(PHOTO, progressive=True)
WITH_RESTARTS = made.encoded(PHOTO, restart_marker_blocks=2)
EXIF = b"Exif\0\0" + made.exif_with_gps(6)


def metadata_of(data: bytes) -> Metadata:
    return from_jpeg(data)[0]


def payloads(data: bytes) -> list[tuple[str, bytes]]:
    return [(segment.name, segment.payload) for segment in parse(data).segments if segment.is_metadata]


# The marker stream


@pytest.mark.parametrize("data", [PLAIN, PROGRESSIVE, WITH_RESTARTS], ids=["plain", "progressive", "restarts"])
def test_the_parts_of_a_jpeg_put_together_are_the_jpeg(data: bytes) -> None:
    jpeg = parse(data)
    assert b"\xff\xd8" + b"".join(s.to_bytes() for s in jpeg.segments) + b"\xff\xd9" == data
    assert (jpeg.frame.width, jpeg.frame.height) == (56, 40)
    assert jpeg.end == len(data) and jpeg.has_end_marker
    for segment, start in zip(jpeg.segments, jpeg.starts, strict=True):
        assert data[start : start + len(segment.payload)] == segment.payload


@pytest.mark.parametrize("junk", [b"\xff\xff\xff", b"\xff\x00", b"abc", b"\xff\x01", b"\xff\xd3"])
def test_fill_bytes_and_junk_between_segments_are_passed_over(junk: bytes) -> None:
    position = PLAIN.index(b"\xff\xdb")
    assert bare(PLAIN[:position] + junk + PLAIN[position:]) == PLAIN


def test_stuffed_zeros_and_restarts_belong_to_the_coded_data() -> None:
    jpeg = parse(WITH_RESTARTS)
    assert len(jpeg.scans) == 1
    assert b"\xff\xd0" in jpeg.scans[0].coded and jpeg.scans[0].coded in WITH_RESTARTS


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a JPEG"),
        (b"\xff\xd8\xff", "before its frame header"),
        (PLAIN[:200], "runs past the end"),
        (PLAIN[: PLAIN.index(b"\xff\xda")], "no picture data"),
        (PLAIN[:2] + PLAIN, "second start marker"),
        (PLAIN.replace(b"\xff\xdb\x00\x43", b"\xff\xdb\x00\x01", 1), "length 1"),
        (PLAIN[:20] + PLAIN[PLAIN.index(b"\xff\xda") :], "before its frame header"),
        (b"\xff\xd8" + made.segment(0xFE, b"") * 20_001 + PLAIN[2:], "more than 20000 segments"),
    ],
)
def test_damage_is_one_clear_error(data: bytes, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        parse(data)


def test_a_height_that_only_dnl_gives_is_put_into_the_frame_header() -> None:
    frame = PLAIN.index(b"\xff\xc0")
    without = PLAIN[: frame + 5] + b"\0\0" + PLAIN[frame + 7 : -2]
    jpeg = parse(without + made.segment(0xDC, (40).to_bytes(2, "big")) + b"\xff\xd9")
    assert jpeg.frame.height == 40
    assert np.array_equal(
        made.decoded(bare(without + made.segment(0xDC, b"\0\x28") + b"\xff\xd9")), made.decoded(PLAIN)
    )


def test_hostile_lengths_cost_time_in_proportion() -> None:
    """Runs of fill bytes and of unclosed tags, far longer than a square law would let pass."""
    fill = b"\xff" * 3_000_000 + b"\0"
    position = PLAIN.index(b"\xff\xdb")
    assert bare(PLAIN[:position] + fill + PLAIN[position:]) == PLAIN
    assert parse(PLAIN[:-2] + fill + PLAIN[-2:]).scans[0].coded.endswith(fill)
    for unclosed in (b"<a:GPS>", b"<rdf:li Semantic='GainMap ", b"<a:GPS/>", b' a:GPS="', b"<rdf:li>"):
        packet = unclosed * 40_000
        assert len(xmp.without_gain_map(packet)) == len(packet)


def test_a_segment_too_large_for_a_jpeg_is_refused() -> None:
    assert len(Segment(0xE1, bytes(65_533)).to_bytes()) == 65_537
    with pytest.raises(ImageError, match="65534 bytes"):
        Segment(0xE1, bytes(65_534)).to_bytes()


MUTATIONS = st.lists(
    st.tuples(st.sampled_from(["flip", "put", "cut", "drop", "add"]), st.integers(0, 1999), st.integers(0, 255)),
    max_size=12,
)
SMALL = made.with_segments(
    made.encoded(made.picture(17, 23), quality=40),
    made.segment(0xE1, EXIF),
    made.segment(0xE1, xmp.PREFIX + made.XMP_GPS),
    made.segment(0xED, b"Photoshop 3.0\x008BIM\x04\x22\0\0" + struct.pack(">I", 300) + made.exif_with_gps()),
)
SMALL = made.multi_picture(SMALL, made.encoded(made.picture(9, 9)), gap=b"\0\0", trailer=b"behind")


def mutated(data: bytes, mutations: list[tuple[str, int, int]]) -> bytes:
    edited = bytearray(data)
    for kind, place, value in mutations:
        if not edited:
            break
        i = place % len(edited)
        if kind == "flip":
            edited[i] ^= 1 << value % 8
        elif kind == "put":
            edited[i] = (0xFF, 0xD8, 0xD9, 0xDA, 0xC0, 0xE1, 0, value)[value % 8]
        elif kind == "cut":
            del edited[len(edited) - value :]
        elif kind == "drop":
            del edited[i : i + value % 20]
        else:
            edited[i:i] = bytes((value, 255 - value, 0xFF))
    return bytes(edited)


def others(segments: tuple[Segment, ...]) -> list[Segment]:
    """All but JFIF and its extension, which move to the front."""
    return [s for s in segments if not s.is_jfif and not s.is_jfif_extension]


@settings(max_examples=300, deadline=None)
@given(MUTATIONS)
def test_no_mutation_of_a_jpeg_raises_anything_but_image_error(mutations: list[tuple[str, int, int]]) -> None:
    data = mutated(SMALL, mutations)
    assert read_comment(data) is None or "msroi" in read_comment(data)
    try:
        metadata, notices = from_jpeg(data)
        stripped = strip_gps(metadata)
        file = assemble(data, stripped, COMMENT)
        jpeg_facts(data)
    except ImageError as error:
        assert "\n" not in str(error)
        return
    assert all(isinstance(notice, str) for notice in notices)
    assert read_comment(file) == COMMENT
    assert others(metadata_of(file).segments) == others(stripped.segments)
    assert bare(file) == bare(assemble(bare(data), stripped, COMMENT))
    assert metadata.orientation in range(1, 9)


# bare and assemble


FILES = {
    "baseline": PLAIN,
    "progressive": PROGRESSIVE,
    "restarts": WITH_RESTARTS,
    "grey": made.encoded(PHOTO[..., 0]),
    "rgb": made.encoded(PHOTO, keep_rgb=True),
    "cmyk": made.encoded(PHOTO, mode="CMYK"),
}


@pytest.mark.parametrize("name", FILES)
def test_bare_and_assembled_files_decode_to_the_same_pixels(name: str) -> None:
    pixels = made.decoded(FILES[name])
    full = made.with_segments(
        FILES[name], made.segment(0xE1, EXIF), made.segment(0xFE, b"a comment"), made.segment(0xEC, b"Ducky")
    )
    core = bare(full)
    assert np.array_equal(made.decoded(core), pixels)
    assert bare(core) == core and core == bare(FILES[name])
    again = assemble(core, metadata_of(full), COMMENT)
    assert np.array_equal(made.decoded(again), pixels)
    assert metadata_of(again) == metadata_of(full)
    # A coded file of another kind takes the metadata without a change of colour, JFIF or not.
    other = assemble(PLAIN, metadata_of(full), COMMENT)
    assert np.array_equal(made.decoded(other), made.decoded(PLAIN))


def planes_by_ffmpeg(data: bytes) -> list[np.ndarray]:
    with av.open(io.BytesIO(data), format="jpeg_pipe") as container:
        frame = next(container.decode(video=0))
    return [np.asarray(plane).reshape(plane.height, plane.line_size)[:, : plane.width] for plane in frame.planes]


@pytest.mark.parametrize("name", ["baseline", "progressive", "restarts", "grey"])
def test_an_assembled_file_is_the_coded_one_to_other_decoders(name: str) -> None:
    coded = FILES[name]
    full = made.with_segments(coded, made.segment(0xE1, EXIF), made.segment(0xE1, xmp.PREFIX + made.XMP_GPS))
    file = assemble(coded, metadata_of(made.multi_picture(full, PLAIN, trailer=b"tail")), COMMENT)
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    by_opencv = [cv2.imdecode(np.frombuffer(data, np.uint8), flags) for data in (coded, file)]
    assert np.array_equal(*by_opencv)
    for one, other in zip(planes_by_ffmpeg(coded), planes_by_ffmpeg(file), strict=True):
        assert np.array_equal(one, other)


def test_metadata_are_kept_byte_for_byte_and_in_order() -> None:
    kept = [
        made.segment(0xED, b"Photoshop 3.0\0" + b"one"),
        made.segment(0xE1, EXIF),
        made.segment(0xE1, b"Exif\0\0second, unreadable"),
        made.segment(0xE1, xmp.PREFIX + made.XMP_GPS + b"\0"),
        made.segment(0xE2, icc.PREFIX + b"\2\2part two"),
        made.segment(0xE2, icc.PREFIX + b"\1\2part one"),
        made.segment(0xEC, b"Ducky\0\1\0\4"),
        made.segment(0xFE, b"photographer's comment"),
        made.segment(0xFE, b"msroi is a tool I like"),
        made.segment(0xE0, b"Picasa"),
    ]
    source = made.with_segments(PLAIN, *kept, made.segment(0xEE, b"Adobe\0\x64\0\0\0\0\1"))
    file = assemble(PROGRESSIVE, metadata_of(source), COMMENT)
    assert file.startswith(PLAIN[:20] + b"".join(kept) + made.segment(0xFE, COMMENT.encode()))
    assert b"Adobe" not in file
    assert bare(file) == bare(PROGRESSIVE)
    assert file[-len(PROGRESSIVE) + 20 :] == PROGRESSIVE[20:]


def test_jfif_comes_first_with_its_density_and_its_extension_follows() -> None:
    jfif = b"JFIF\0\1\2\1\x01\x2c\x01\x2c\0\0"
    head = made.segment(0xE1, EXIF) + made.segment(0xE0, jfif) + made.segment(0xE0, b"JFXX\0\x10thumb")
    source = b"\xff\xd8" + head + PLAIN[20:]
    file = assemble(PLAIN, metadata_of(source))
    assert [name for name, _ in payloads(file)] == ["APP0", "APP0", "APP1"]
    with Image.open(io.BytesIO(file)) as image:
        assert image.info["jfif_density"] == (300, 300) and image.info["jfif_unit"] == 1


def test_a_cameras_file_without_jfif_gets_none_and_any_other_keeps_the_coders() -> None:
    camera = b"\xff\xd8" + made.segment(0xE1, EXIF) + PLAIN[20:]
    assert assemble(PLAIN, metadata_of(camera))[2:4] == b"\xff\xe1"
    assert assemble(PLAIN, Metadata()) == PLAIN


def test_our_comment_is_found_and_never_carried_over() -> None:
    file = assemble(PLAIN, Metadata(), COMMENT)
    assert read_comment(file) == COMMENT
    assert metadata_of(file).segments == parse(PLAIN).segments[:1]
    again = assemble(file, metadata_of(file), "msroi 1.2.4 ffffffffffffffff")
    assert again.count(b"msroi ") == 1 and len(again) == len(file)
    assert read_comment(PLAIN) is None and read_comment(b"GIF89a") is None and read_comment(file[:100]) == COMMENT
    with pytest.raises(ValueError, match="msroi VERSION DIGEST"):
        assemble(PLAIN, Metadata(), "made with love")


# Multi-picture files


def pictures_by_pillow(data: bytes) -> list[np.ndarray]:
    """All pictures of a multi-picture file, found where Pillow's reading of its index says."""
    with Image.open(io.BytesIO(data)) as image:
        header, entries = data.index(b"MPF\0") + 4, image.mpinfo[0xB002]
    starts = [header + entry["DataOffset"] if entry["DataOffset"] else 0 for entry in entries]
    sizes = [entry["Size"] for entry in entries]
    return [made.decoded(bare(data[start : start + n])) for start, n in zip(starts, sizes, strict=True)]


def test_further_pictures_follow_byte_for_byte_and_the_index_finds_them() -> None:
    first, second = made.encoded(made.picture(20, 28), quality=30), made.encoded(made.picture(12, 16)[..., 0])
    full = made.with_segments(PLAIN, made.segment(0xE1, EXIF), made.segment(0xE2, b"other"))
    source = made.multi_picture(full, first, second, gap=b"\0\0\0", trailer=b"SEFH....SEFT")
    metadata, notices = from_jpeg(source)
    assert [p.data for p in metadata.pictures] == [first, second]
    assert metadata.trailer == b"SEFH....SEFT" and notices == ()
    file = assemble(PROGRESSIVE, metadata, COMMENT)
    assert file.endswith(b"\0\0\0" + first + b"\0\0\0" + second + b"SEFH....SEFT")
    found = pictures_by_pillow(file)
    for one, other in zip(found, [PROGRESSIVE, first, second], strict=True):
        assert np.array_equal(one, made.decoded(other))
    names = [(name, payload[:4]) for name, payload in payloads(file)]
    assert names == [
        ("APP0", b"JFIF"),
        ("APP1", b"Exif"),
        ("APP2", b"MPF\0"),
        ("APP2", b"othe"),
        ("COM", b"msro"),
    ]
    index = dict(zip(names, (p for _, p in payloads(file)), strict=True))[("APP2", b"MPF\0")]
    n_primary = int.from_bytes(index[-16 * 3 + 4 : -16 * 3 + 8], "big")
    assert n_primary == parse(file).end
    # Taken from our file once more, all is the same but the index's numbers.
    assert metadata_of(file).pictures == metadata.pictures


def test_the_stereo_twin_of_a_real_file_is_carried(shared_data: Callable[..., Path]) -> None:
    source = shared_data("robust", "jpg_mpo_stereo_422.mpo").read_bytes()
    file = assemble(PLAIN, metadata_of(source))
    assert np.array_equal(pictures_by_pillow(file)[1], pictures_by_pillow(source)[1])


def test_an_apple_gain_map_is_carried_and_named(shared_data: Callable[..., Path]) -> None:
    source = shared_data("robust", "jpg_gainmap_apple.jpg").read_bytes()
    metadata = metadata_of(source)
    assert [picture.kind for picture in metadata.pictures] == ["gain map"]
    file = assemble(bare(source), metadata)
    assert file.endswith(metadata.pictures[0].data) and len(file) == len(source)
    assert np.array_equal(pictures_by_pillow(file)[1], pictures_by_pillow(source)[1])


@pytest.mark.parametrize("shift", [-7, 9])
def test_an_index_that_points_elsewhere_is_left_out_and_its_data_kept(shift: int) -> None:
    source = made.multi_picture(PLAIN, PROGRESSIVE)
    place = source.index(b"MPF\0") + 4 + 8 + 42 + 16 + 8
    offset = int.from_bytes(source[place : place + 4], "big") + shift
    metadata, notices = from_jpeg(source[:place] + offset.to_bytes(4, "big") + source[place + 4 :])
    assert metadata.pictures == () and metadata.trailer == PROGRESSIVE
    assert notices == ("multi-picture index left out: it points at no picture",)
    assert assemble(PLAIN, metadata) == PLAIN + PROGRESSIVE


@pytest.mark.parametrize(
    ("trailer", "kept", "said"),
    [
        (bytes(20_000), False, True),
        (b"\xff" * 20, False, True),
        (b"\0", False, False),
        (b"some words behind", True, False),
        (PROGRESSIVE, True, False),
        (b"\0\0\0\x18ftypmp42" + bytes(40), True, False),
        (b"data" + b"SEFH" + bytes(12) + b"SEFT", True, False),
    ],
)
def test_what_stands_behind_a_picture_is_kept_unless_it_is_padding(trailer: bytes, kept: bool, said: bool) -> None:
    metadata, notices = from_jpeg(PLAIN + trailer)
    assert metadata.trailer == (trailer if kept else b"")
    assert assemble(PROGRESSIVE, metadata).endswith(b"\xff\xd9" + (trailer if kept else b""))
    assert bool(notices) == said


def test_a_new_geometry_drops_pictures_and_the_claim_of_a_gain_map() -> None:
    full = made.with_segments(PLAIN, made.segment(0xE1, xmp.PREFIX + made.XMP_GAIN_MAP))
    film = b"\0\0\0\x18ftypmp42" + bytes(40)
    metadata, notices = without_pictures(metadata_of(made.multi_picture(full, PROGRESSIVE, trailer=film)))
    assert metadata.pictures == () and metadata.trailer == film
    assert notices == ("1 further picture(s) dropped (further picture): they fit the old size only",)
    packet = metadata.xmp
    assert packet is not None and len(packet) == len(made.XMP_GAIN_MAP)
    assert b"GainMap" not in packet and b"hdrgm:Version" not in packet
    assert b'Item:Semantic="Primary"' in packet and b'dc:title="kept"' in packet
    items = ElementTree.fromstring(packet).iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li")
    assert len(list(items)) == 1
    untouched, notices = without_pictures(metadata_of(full))
    assert untouched == metadata_of(full) and notices == ()


# EXIF


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_read_and_set_in_place(order: str, orientation: int) -> None:
    block = made.exif_with_gps(orientation, order)
    assert exif.read_orientation(block) == orientation
    fresh = exif.with_orientation(block, 1)
    assert exif.read_orientation(fresh) == 1 and len(fresh) == len(block)
    assert sum(a != b for a, b in zip(block, fresh, strict=True)) == (orientation != 1)
    small = exif.orientation_only(orientation)
    assert exif.read_orientation(small) == orientation and len(small) == 26


@pytest.mark.parametrize("value", [0, 9, 255, 65_535])
def test_an_orientation_that_exif_does_not_know_counts_as_none(value: int) -> None:
    assert exif.read_orientation(made.exif_with_gps(value)) is None
    data = made.with_segments(PLAIN, made.segment(0xE1, b"Exif\0\0" + made.exif_with_gps(value)))
    assert metadata_of(data).orientation == 1


def test_of_several_exif_segments_the_first_readable_one_decides() -> None:
    data = made.with_segments(
        PLAIN,
        made.segment(0xE1, b"Exif\0\0nonsense"),
        made.segment(0xE1, b"Exif\0\0" + made.exif_with_gps(8)),
        made.segment(0xE1, b"Exif\0\0" + made.exif_with_gps(3)),
    )
    assert metadata_of(data).orientation == 8
    assert len(metadata_of(data).segments) == 4


def test_a_camera_that_states_adobe_rgb_is_understood() -> None:
    block = exif.build(
        {271: exif.Field(2, 5, b"ACME\0")},
        {0xA001: exif.Field(3, 1, b"\xff\xff")},
        {1: exif.Field(5, 1, struct.pack("<II", 1, 2))},
        {1: exif.Field(2, 4, b"R03\0")},
    )
    loaded = Image.Exif()
    loaded.load(block)
    assert loaded.get_ifd(0x8769)[0xA001] == 65_535 and loaded.get_ifd(0xA005)[1] == "R03"
    assert loaded.get_ifd(0x8825) and loaded[271] == "ACME"
    assert exif.claims_adobe_rgb(block)
    fresh = exif.with_srgb_claim(block)
    assert not exif.claims_adobe_rgb(fresh) and len(fresh) == len(block)
    loaded.load(fresh)
    assert loaded.get_ifd(0x8769)[0xA001] == 1


# XMP and ICC


def srgb_profile() -> bytes:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_a_profile_in_any_order_of_parts_is_joined_and_a_hole_makes_it_none() -> None:
    profile = srgb_profile()
    thirds = [profile[i : i + 200] for i in range(0, len(profile), 200)]
    parts = [Segment(0xE2, icc.PREFIX + bytes((i + 1, len(thirds))) + part) for i, part in enumerate(thirds)]
    assert len(parts) > 2
    assert icc.join(parts[::-1]) == profile == icc.join(icc.split(profile))
    assert icc.join(parts[1:]) is None and icc.join(parts[:1]) is None and icc.join([]) is None
    assert icc.join([Segment(0xE2, icc.PREFIX + b"\1\1" + b"nonsense" * 30)]) is None
    assert icc.colour_space(profile) == "RGB" and "sRGB" in (icc.description(profile) or "")


def test_a_large_profile_takes_several_segments(shared_data: Callable[..., Path]) -> None:
    source = shared_data("robust", "jpg_icc_big_multi_segment.jpg").read_bytes()
    profile = metadata_of(source).icc_profile
    assert profile is not None and len(profile) == 399_788
    assert b"".join(s.to_bytes() for s in icc.split(profile)) in source


# Facts


@pytest.mark.parametrize("quality", [1, 5, 30, 49, 50, 51, 75, 90, 98, 100])
def test_the_quality_of_a_plain_jpeg_is_recognised(quality: int) -> None:
    facts = jpeg_facts(made.encoded(PHOTO, quality=quality))
    assert facts.estimated_quality == quality and facts.quality_is_exact
    luminance = dict(facts.quantisation_tables)[0]
    with Image.open(io.BytesIO(made.encoded(PHOTO, quality=quality))) as image:
        assert list(luminance) == image.quantization[0]


def test_other_tables_give_the_nearest_quality() -> None:
    with Image.open(io.BytesIO(made.encoded(PHOTO, quality=60))) as image:
        tables = {i: [step + (k == 9) for k, step in enumerate(t)] for i, t in image.quantization.items()}
    facts = jpeg_facts(made.encoded(PHOTO, qtables=tables))
    assert facts.estimated_quality == 60 and not facts.quality_is_exact
    assert scaled_table((16,) * 64, 50) == (16,) * 64


def test_facts_of_a_file() -> None:
    full = made.with_segments(PROGRESSIVE, made.segment(0xE1, EXIF))
    facts = jpeg_facts(assemble(full, metadata_of(made.multi_picture(full, PLAIN)), COMMENT))
    assert (facts.width, facts.height, facts.orientation, facts.components, facts.bits) == (40, 56, 6, 3, 8)
    assert (facts.process, facts.sampling, facts.restart_interval) == ("progressive", "4:2:0", 0)
    assert (facts.n_scans, facts.comment) == (10, COMMENT)
    assert facts.pictures == (("further picture", len(PLAIN)),)
    assert facts.segments[:4] == (
        ("APP0", 14, "JFIF"),
        ("APP1", 306, "Exif"),
        ("APP2", 86, "MPF"),
        ("COM", 28, COMMENT),
    )
    restarts = jpeg_facts(WITH_RESTARTS)
    assert restarts.restart_interval == 2 and restarts.process == "baseline" and restarts.comment is None


@pytest.mark.parametrize(("option", "name"), [(0, "4:4:4"), (1, "4:2:2"), (2, "4:2:0")])
def test_sampling_has_its_usual_name(option: int, name: str) -> None:
    assert jpeg_facts(made.encoded(PHOTO, subsampling=option)).sampling == name


@pytest.mark.parametrize("name", ["411", "440", "420", "422", "444"])
def test_sampling_of_the_files_made_for_it(name: str, shared_data: Callable[..., Path]) -> None:
    facts = jpeg_facts(shared_data("robust", f"jpg_made_{name}_301x203.jpg").read_bytes())
    assert facts.sampling == ":".join(name) and (facts.width, facts.height) == (301, 203)
