"""Pictures in and out: every kind of input, limits, colour, edits, the writer."""

from __future__ import annotations

import io
import os
import re
import stat
import struct
import sys
import threading
import tracemalloc
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import files_made as made
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps, TiffImagePlugin

from msroi import extras
from msroi.errors import ImageError, MissingExtraError, OptionError, OutputError
from msroi.images import (
    Limits,
    Metadata,
    Picture,
    assemble,
    convert_to_srgb,
    is_srgb,
    read,
    resize_to_max_side,
    strip,
    strip_gps,
    to_stored,
    turn_upright,
    write_atomically,
)
from msroi.images.colour import over_white, to_8_bit
from msroi.metadata import exif, icc, xmp

PHOTO = made.picture()
PLAIN = made.encoded(PHOTO)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif_of(orientation: int) -> bytes:
    return b"Exif\0\0" + exif.orientation_only(orientation)


def largest_difference(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.abs(one.astype(int) - other.astype(int)).max())


# Kinds of input


def test_a_path_bytes_a_file_and_a_pil_picture_give_the_same_pixels(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"  # the name does not matter, the content does
    path.write_bytes(PLAIN)
    with path.open("rb") as file, Image.open(path) as image:
        pictures = [read(x) for x in (path, str(path), PLAIN, bytearray(PLAIN), memoryview(PLAIN), file, image)]
    for picture in pictures:
        assert np.array_equal(picture.pixels, made.decoded(PLAIN))
        assert picture.source.format == "JPEG"
        assert picture.pixels.flags.c_contiguous and not picture.pixels.flags.writeable
    assert [p.source.name for p in pictures] == [str(path)] * 2 + ["image"] * 3 + [str(path), "picture"]
    assert [p.source.data for p in pictures] == [PLAIN] * 6 + [None]
    assert read(pictures[0]) is pictures[0]
    assert read(PLAIN, name="holiday").source.name == "holiday"


def test_arrays_are_taken_as_they_are_and_do_not_change_later() -> None:
    for array in (PHOTO, PHOTO[..., 0], PHOTO[::2, ::-1], np.asfortranarray(PHOTO), PHOTO[..., :1]):
        picture = read(array)
        assert np.array_equal(picture.pixels, array.squeeze())
        assert picture.pixels.flags.c_contiguous and not picture.pixels.flags.writeable
        assert picture.source.format == "array" and picture.metadata == Metadata() and picture.notices == ()
    array = PHOTO.copy()
    picture = read(array)
    array[:] = 0
    assert np.array_equal(picture.pixels, PHOTO)
    rgba = np.dstack((PHOTO, np.full(PHOTO.shape[:2], 255, np.uint8)))
    assert np.array_equal(read(rgba).pixels, PHOTO)
    rgba[..., 3] = 0
    assert (read(rgba).pixels == 255).all()


@pytest.mark.parametrize(
    ("array", "error", "words"),
    [
        (PHOTO / 255, OptionError, r"np.rint\(array \* 255\)"),
        (PHOTO.astype(np.uint16), OptionError, "32767"),
        (PHOTO.astype(np.int64), OptionError, "0 to 255"),
        (PHOTO > 5, OptionError, r"\* 255"),
        (PHOTO[..., :2], OptionError, r"\(40, 56, 2\)"),
        (PHOTO[None], OptionError, r"\(1, 40, 56, 3\)"),
        (PHOTO[:0], ImageError, "without pixels"),
        (PHOTO[0, 0], OptionError, r"\(3,\)"),
        (np.zeros((1, 65_501), np.uint8), ImageError, "65500 a side"),
    ],
)
def test_arrays_that_are_no_picture_are_refused_with_a_remedy(
    array: np.ndarray, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        read(array)


def test_other_arguments_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="list is no picture"):
        read([[1, 2]])
    with pytest.raises(OptionError, match="binary file"):
        read(io.StringIO("text"))
    with pytest.raises(ImageError, match=r"none\.jpg: no such file"):
        read(tmp_path / "none.jpg")
    with pytest.raises(ImageError, match="is a folder"):
        read(tmp_path)
    with pytest.raises(ImageError, match="is empty"):
        read(b"")
    with pytest.raises(ImageError, match="cannot be read"):
        read("a\0b")
    closed = io.BytesIO(PLAIN)
    closed.close()
    with pytest.raises(ImageError, match="cannot be read"):
        read(closed)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<!DOCTYPE html>", "looks like HTML"),
        (b"%PDF-1.7", "looks like PDF"),
        (b"\0\0\0\x0cjP  \r\n", "JPEG 2000"),
        (b"\0\0\0\x18ftypcrx \0\0\0\0", "Canon raw"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "a film"),
        (b"II*\0\x08\0\0\0", "cannot be read"),
        (b"some text that is longer", "no picture in a format"),
        (made.tiff(PHOTO, 2, (0xC612, 1, 4, b"\1\4\0\0")), "raw file"),
        (made.tiff(PHOTO, 2, (254, 4, 1, b"\1\0\0\0")), "raw file"),
    ],
)
def test_what_is_not_read_is_named_in_one_line(data: bytes, words: str) -> None:
    with pytest.raises(ImageError, match=f"^holiday: .*{words}") as caught:
        read(data, name="holiday")
    assert "\n" not in str(caught.value)


PIL_MODES = [
    "1",
    "L",
    "P",
    "RGB",
    "RGBA",
    "CMYK",
    "YCbCr",
    "HSV",
    "LA",
    "PA",
    "La",
    "RGBa",
    "RGBX",
    "I;16",
    "I",
]


@pytest.mark.parametrize("mode", PIL_MODES)
def test_a_pil_picture_of_any_mode(mode: str) -> None:
    image = Image.fromarray(PHOTO)
    if mode in ("La", "RGBa"):
        image = image.convert("LA" if mode == "La" else "RGBA").convert(mode)
    elif mode == "PA":
        image = image.convert("P").convert("PA")
    elif mode in ("I;16", "I"):
        wide = (np.asarray(image.convert("L")).astype(np.uint16) * 257).astype(np.uint16)
        image = Image.fromarray(wide).convert("I") if mode == "I" else Image.fromarray(wide)
    else:
        image = image.convert(mode)
    assert image.mode == mode
    grey = mode in ("1", "L", "LA", "La", "I", "I;16")
    picture = read(image)
    assert picture.pixels.ndim == (2 if grey else 3)
    # Through PIL's own conversion, which is exact for all of these but the palette of 216 colours.
    expected = np.asarray(Image.fromarray(PHOTO).convert("L" if grey else "RGB"))
    tolerance = {"1": 255, "P": 60, "PA": 60, "YCbCr": 3, "HSV": 12}.get(mode, 0)
    assert largest_difference(picture.pixels, expected) <= tolerance


def test_pil_pictures_without_a_sensible_meaning_are_refused() -> None:
    with pytest.raises(ImageError, match="floating point"):
        read(Image.fromarray(PHOTO[..., 0].astype(np.float32)))
    with pytest.raises(ImageError, match="32-bit integers"):
        read(Image.fromarray(np.full((3, 3), 70_000, np.int32)))
    with pytest.raises(ImageError, match="truncated"):
        read(Image.open(io.BytesIO(PLAIN[:900])))


def test_what_a_pil_picture_carries_is_taken() -> None:
    block = made.exif_with_gps(6)
    data = made.encoded(PHOTO, exif=b"Exif\0\0" + block, xmp=made.XMP_GPS, icc_profile=SRGB)
    image = Image.open(io.BytesIO(data))
    picture = read(image)
    assert picture.metadata.exif == block  # byte for byte, maker notes and all
    assert picture.metadata.xmp == made.XMP_GPS and picture.metadata.icc_profile == SRGB
    assert picture.orientation == 6
    image.getexif()[0x0112] = 3
    changed = read(image)
    assert changed.orientation == 3 and changed.metadata.exif != block
    turned = read(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    assert turned.orientation == 1 and np.array_equal(turned.pixels, picture.upright)


# Orientation


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_and_stored_coordinates(orientation: int) -> None:
    data = made.encoded(PHOTO, exif=exif_of(orientation))
    picture = read(data)
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    assert picture.orientation == orientation
    assert np.array_equal(picture.upright, expected)
    assert picture.upright_size == expected.shape[1::-1]
    assert np.array_equal(picture.pixels, made.decoded(data))  # as stored
    for array in (PHOTO, PHOTO[..., 0].astype(np.float32)):
        assert np.array_equal(to_stored(turn_upright(array, orientation), orientation), array)
        assert turn_upright(array, orientation).flags.c_contiguous


@pytest.mark.parametrize("orientation", [0, 9, -1])
def test_other_orientations_are_refused(orientation: int) -> None:
    with pytest.raises(OptionError, match="1 to 8"):
        turn_upright(PHOTO, orientation)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
@pytest.mark.parametrize("orientation", [1, 3, 5, 6, 8])
def test_orientation_is_applied_once_whatever_the_format(kind: str, orientation: int) -> None:
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    if kind == "AVIF" and "AVIF" not in Image.registered_extensions().values():
        pytest.skip("this Pillow reads no AVIF")
    options = {} if kind in ("PNG", "TIFF") else {"quality": 95, "exact": True} if kind == "WEBP" else {"quality": 95}
    if kind == "TIFF":
        data = made.tiff(PHOTO, 2, (274, 3, 1, struct.pack("<H", orientation)))
    else:
        data = made.encoded(PHOTO, kind, exif=exif_of(orientation), **options)
    picture = read(data)
    expected = turn_upright(PHOTO, orientation)
    assert picture.upright.shape == expected.shape
    assert np.abs(picture.upright.astype(int) - expected).mean() < 8
    # And by a viewer that heeds EXIF, once our file is written.
    file = assemble(made.encoded(picture.pixels, quality=95), picture.metadata)
    with Image.open(io.BytesIO(file)) as image:
        assert np.abs(np.asarray(ImageOps.exif_transpose(image)).astype(int) - expected).mean() < 9


def test_an_orientation_that_only_xmp_states_gets_an_exif() -> None:
    packet = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    picture = read(made.png(PHOTO, 8, 2, (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet)))
    assert picture.orientation == 6 and picture.metadata.orientation == 6 and picture.metadata.xmp == packet
    turned = read(made.tiff(PHOTO, 2, (700, 1, len(packet), packet), (274, 3, 1, b"\6\0")))
    assert turned.orientation == 1 and turned.metadata.xmp == packet.replace(b"6", b"1")


# Formats


def test_sixteen_bits_are_rounded_not_cut() -> None:
    values = np.arange(65_536, dtype=np.uint32)
    expected = np.floor(values * 255 / 65_535 + 0.5).astype(np.uint8)
    assert np.array_equal(to_8_bit(values.astype(np.uint16)), expected)
    wide = np.random.default_rng(1).integers(0, 65_536, (31, 45, 4)).astype(np.uint16)
    rounded = (wide.astype(np.uint32) * 255 + 32_767) // 65_535
    assert (rounded != wide >> 8).any()
    flat = (wide[..., :3].astype(float) * wide[..., 3:] + 65_535.0 * (65_535 - wide[..., 3:])) / 65_535
    over = np.floor((np.floor(flat + 0.5) * 255 + 32_767) / 65_535).astype(np.uint8)
    cases = [
        (made.png(wide[..., 0], 16, 0), rounded[..., 0]),
        (made.png(wide[..., :3], 16, 2), rounded[..., :3]),
        (made.png(wide[..., 2:], 16, 4), over_grey(wide[..., 2], wide[..., 3])),
        (made.png(wide, 16, 6), over),
        (made.tiff(wide[..., 0], 1), rounded[..., 0]),
        (made.tiff(wide[..., 0], 0), 255 - rounded[..., 0]),
        (made.tiff(wide[..., :3], 2), rounded[..., :3]),
        (made.tiff(wide, 2, (338, 3, 1, b"\2\0")), over),
        (made.tiff(np.minimum(wide, wide[..., 3:]), 2, (338, 3, 1, b"\1\0")), premultiplied(wide)),
    ]
    for data, pixels in cases:
        picture = read(data)
        assert picture.notices == ()
        assert picture.pixels.shape == pixels.shape and largest_difference(picture.pixels, pixels) == 0


def over_grey(grey: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    flat = np.floor((grey.astype(float) * alpha + 65_535.0 * (65_535 - alpha)) / 65_535 + 0.5)
    return np.floor((flat * 255 + 32_767) / 65_535).astype(np.uint8)


def premultiplied(wide: np.ndarray) -> np.ndarray:
    flat = np.minimum(wide, wide[..., 3:])[..., :3].astype(float) + 65_535 - wide[..., 3:]
    return np.floor((flat * 255 + 32_767) / 65_535).astype(np.uint8)


def test_a_transparent_colour_of_sixteen_bits_is_compared_in_all_its_bits() -> None:
    wide = np.full((4, 4, 3), 0x1234, np.uint16)
    wide[0] = 0x1235
    pixels = read(made.png(wide, 16, 2, (b"tRNS", b"\x12\x34" * 3))).pixels
    assert (pixels[0] == 0x12).all() and (pixels[1:] == 255).all()
    grey = read(made.png(wide[..., 0], 16, 0, (b"tRNS", b"\x12\x34"))).pixels
    assert grey.shape == (4, 4) and (grey[0] == 0x12).all() and (grey[1:] == 255).all()


def test_planes_and_floats_in_tiff_are_refused_with_a_remedy() -> None:
    planar = made.tiff(PHOTO.astype(np.uint16), 2, (284, 3, 1, b"\2\0"))
    with pytest.raises(ImageError, match="interleaved"):
        read(planar)
    with pytest.raises(ImageError, match="floating point"):
        read(made.tiff(PHOTO[..., 0].astype(np.uint16), 1, (339, 3, 1, b"\3\0")))


def test_over_white_is_rounded_to_the_nearest() -> None:
    colour, alpha = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    exact = (colour.astype(float) * alpha + 255.0 * (255 - alpha.astype(float))) / 255
    assert np.array_equal(over_white(colour, alpha), np.floor(exact + 0.5))
    assert np.array_equal(over_white(np.dstack([colour] * 3), alpha)[..., 1], np.floor(exact + 0.5))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_transparency_goes_over_white(kind: str) -> None:
    alpha = np.tile(np.linspace(0, 255, 56).astype(np.uint8), (40, 1))
    rgba = np.dstack((PHOTO, alpha))
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    pixels = read(made.encoded(rgba, kind, **options)).pixels
    assert np.array_equal(pixels, over_white(PHOTO, alpha))


def test_transparent_palettes_and_colours() -> None:
    image = Image.fromarray(PHOTO).quantize(16)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=3)
    expected = np.where((np.asarray(image) == 3)[..., None], 255, np.asarray(image.convert("RGB")))
    assert np.array_equal(read(buffer.getvalue()).pixels, expected)
    key = PHOTO[7, 9]
    pixels = read(made.png(PHOTO, 8, 2, (b"tRNS", key.astype(">u2").tobytes()))).pixels
    expected = np.where((key == PHOTO).all(axis=2)[..., None], 255, PHOTO)
    assert np.array_equal(pixels, expected)


def test_grey_stays_grey() -> None:
    grey = PHOTO[..., 0]
    for kind in ("JPEG", "PNG", "TIFF", "BMP", "GIF"):
        assert read(made.encoded(grey, kind)).pixels.ndim == 2
    assert np.array_equal(read(made.encoded(grey, "GIF")).pixels, grey)
    assert set(np.unique(read(made.encoded(grey, "PNG", mode="1")).pixels)) == {0, 255}
    assert read(made.encoded(grey, "TIFF", mode="1", compression="group4")).pixels.ndim == 2
    assert read(made.encoded(np.dstack((grey, grey)), "PNG", mode="LA")).pixels.ndim == 2


@pytest.mark.parametrize(("kind", "words"), [("GIF", "first frame"), ("WEBP", "3 frames"), ("PNG", "3 frames")])
def test_of_an_animation_the_first_frame_is_taken_and_said(kind: str, words: str) -> None:
    frames = [Image.fromarray(made.picture(seed=i)) for i in (1, 2, 3)]
    buffer = io.BytesIO()
    options = {"lossless": True} if kind == "WEBP" else {}
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], **options)
    picture = read(buffer.getvalue())
    assert any(words in notice for notice in picture.notices)
    if kind != "GIF":
        assert np.array_equal(picture.pixels, made.picture(seed=1))


def test_of_a_tiff_the_first_page_is_taken_and_said() -> None:
    buffer = io.BytesIO()
    pages = [Image.fromarray(made.picture(seed=i)) for i in (1, 2)]
    pages[0].save(buffer, "TIFF", save_all=True, append_images=pages[1:])
    picture = read(buffer.getvalue())
    assert picture.notices == ("2 pages, the first taken",)
    assert np.array_equal(picture.pixels, made.picture(seed=1))


def test_heic_without_its_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(MissingExtraError, match=re.escape(extras.install_command("heif"))):
        read(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")


def test_metadata_of_other_formats_stand_in_the_jpeg() -> None:
    block = made.exif_with_gps(6)
    record = b"\x1c\x02\x05\0\5title"
    raw = b"\nexif\n%8d\n" % (len(block) + 6) + (b"Exif\0\0" + block).hex().encode() + b"\n"
    text = [
        (b"pHYs", struct.pack(">IIB", 11_811, 11_811, 1)),
        (b"iCCP", b"sRGB\0\0" + zlib.compress(SRGB)),
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(made.XMP_GPS)),
        (
            b"zTXt",
            b"Raw profile type iptc\0\0" + zlib.compress(b"\niptc\n%8d\n" % 10 + record.hex().encode()),
        ),
        (b"tEXt", b"Comment\0a remark"),
    ]
    for picture in (
        read(made.png(PHOTO, 8, 2, *text, (b"eXIf", block))),
        read(made.png(PHOTO, 8, 2, *text, (b"tEXt", b"Raw profile type exif\0" + raw))),
    ):
        metadata = picture.metadata
        assert [s.name for s in metadata.segments] == ["APP0", "APP1", "APP1", "APP13", "APP2", "COM"]
        assert (metadata.exif, metadata.xmp, metadata.icc_profile) == (block, made.XMP_GPS, SRGB)
        assert record in metadata.segments[3].payload and metadata.segments[5].payload == b"a remark"
        assert picture.orientation == 6 and picture.notices == ()
        with Image.open(io.BytesIO(assemble(PLAIN, metadata))) as image:
            assert image.info["jfif_density"] == (118, 118) and image.info["jfif_unit"] == 2
            assert image.info["photoshop"][0x0404] == record
    webp = read(made.encoded(PHOTO, "WEBP", exif=block, xmp=made.XMP_GPS, icc_profile=SRGB)).metadata
    assert (webp.exif, webp.xmp, webp.icc_profile) == (block, made.XMP_GPS, SRGB)


def test_metadata_of_a_tiff_become_exif_xmp_iptc_and_profile() -> None:
    ifd = TiffImagePlugin.ImageFileDirectory_v2()
    ifd[271], ifd[315], ifd[306] = "ACME", "Ann Author", "2024:05:06 07:08:09"
    ifd[0x8769] = {0x9003: "2024:05:06 07:08:09", 0x927C: b"notes", 0xA005: {1: "R98"}}
    ifd[0x8825] = {1: "N"}
    data = made.encoded(PHOTO, "TIFF", tiffinfo=ifd, icc_profile=SRGB, dpi=(240, 240))
    metadata = read(data).metadata
    loaded = Image.Exif()
    loaded.load(metadata.exif or b"")
    assert (loaded[271], loaded[315], loaded[306]) == ("ACME", "Ann Author", "2024:05:06 07:08:09")
    assert loaded.get_ifd(0x8769)[0x9003] == "2024:05:06 07:08:09" and loaded.get_ifd(0x8825)[1] == "N"
    assert loaded.get_ifd(0x8769)[0x927C] == b"notes" and loaded.get_ifd(0xA005)[1] == "R98"
    assert metadata.icc_profile == SRGB and 0x0112 not in loaded
    assert metadata.segments[0].payload[7:12] == b"\1\0\xf0\0\xf0"
    record = b"\x1c\x02\x05\0\5title"
    other = read(made.tiff(PHOTO, 2, (33723, 7, len(record), record), (700, 1, len(made.XMP_GPS), made.XMP_GPS)))
    assert other.metadata.xmp == made.XMP_GPS and record in other.metadata.segments[-1].payload
    assert not exif.has_gps(strip_gps(metadata).exif or b"")


def test_metadata_too_large_for_a_jpeg_are_left_out_and_it_is_said() -> None:
    block = exif.build({0x0112: exif.Field(3, 1, b"\6\0"), 0x010E: exif.Field(2, 65_700, b"x" * 65_700)})
    packet = b"<x/>" + b" " * 65_600
    picture = read(made.png(PHOTO, 8, 2, (b"eXIf", block), (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet)))
    assert len(picture.notices) == 2 and "EXIF of 65" in picture.notices[0] and "XMP of 65" in picture.notices[1]
    assert picture.orientation == picture.metadata.orientation == 6
    assert picture.metadata.exif == exif.orientation_only(6)


# Colour


@pytest.mark.parametrize("name", ["adobe_rgb", "prophoto", "rec2020"])
def test_photos_in_wide_spaces_look_alike_in_srgb(name: str, shared_data: Callable[..., Path]) -> None:
    reference = read(shared_data("robust", "jpg_made_srgb_no_icc.jpg"))
    picture = read(shared_data("robust", f"jpg_made_icc_{name}.jpg"))
    converted = convert_to_srgb(picture)
    before = np.abs(picture.pixels.astype(int) - reference.pixels).mean()
    after = np.abs(converted.pixels.astype(int) - reference.pixels).mean()
    assert after < 3.5 and before > 1.8 * after  # what remains is the JPEG coding in two spaces
    assert converted.metadata.icc_profile is None and "to sRGB" in converted.notices[-1]
    assert picture.metadata.icc_profile is not None and not is_srgb(picture.metadata.icc_profile)


def test_srgb_pictures_are_not_touched_by_srgb() -> None:
    assert is_srgb(SRGB)
    picture = read(made.encoded(PHOTO, icc_profile=SRGB))
    converted = convert_to_srgb(picture)
    assert converted.pixels is picture.pixels and converted.metadata.icc_profile is None
    plain = read(PLAIN)
    assert convert_to_srgb(plain) is plain


def test_a_profile_that_cannot_be_used_is_said_and_kept() -> None:
    broken = SRGB[:132] + b"\xff" * (len(SRGB) - 132)
    picture = read(made.encoded(PHOTO, icc_profile=broken))
    converted = convert_to_srgb(picture)
    assert np.array_equal(converted.pixels, picture.pixels)
    assert converted.notices == ("not converted to sRGB: its profile cannot be used",)
    garbage = made.with_segments(PLAIN, made.segment(0xE2, icc.PREFIX + b"\1\1" + bytes(200)))
    assert read(garbage).metadata.icc_profile is None and len(read(garbage).metadata.segments) == 2


def test_adobe_rgb_that_only_exif_states_is_converted(shared_data: Callable[..., Path]) -> None:
    picture = read(shared_data("robust", "jpg_made_icc_adobe_rgb.jpg"))
    block = exif.build({}, {0xA001: exif.Field(3, 1, b"\xff\xff")}, None, {1: exif.Field(2, 4, b"R03\0")})
    camera = made.with_segments(made.encoded(picture.pixels, "PNG"), b"")
    data = camera[:33] + made.png_chunk(b"eXIf", block) + camera[33:]
    converted = convert_to_srgb(read(data))
    assert largest_difference(converted.pixels, convert_to_srgb(picture).pixels) <= 2
    assert not exif.claims_adobe_rgb(converted.metadata.exif or b"")


def test_gamma_and_primaries_of_a_png_are_applied(shared_data: Callable[..., Path]) -> None:
    wide = read(shared_data("robust", "jpg_made_icc_adobe_rgb.jpg"))
    expected = convert_to_srgb(wide).pixels
    gamma = (b"gAMA", struct.pack(">I", 45_471))
    adobe = (b"cHRM", struct.pack(">8I", 31_270, 32_900, 64_000, 33_000, 21_000, 71_000, 15_000, 6_000))
    picture = read(made.png(wide.pixels, 8, 2, gamma, adobe))
    assert largest_difference(picture.pixels, expected) <= 2
    assert picture.notices == ("colours converted to sRGB as the PNG's gAMA and cHRM say",)
    linear = read(made.png(PHOTO, 8, 2, (b"gAMA", struct.pack(">I", 100_000)))).pixels
    light = PHOTO / 255
    srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.array_equal(linear, np.rint(srgb * 255))


@pytest.mark.parametrize(
    "chunks",
    [
        [(b"gAMA", struct.pack(">I", 45_455))],
        [(b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100_000))],
        [(b"cHRM", struct.pack(">8I", 31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000))],
        [(b"iCCP", b"sRGB\0\0" + zlib.compress(SRGB)), (b"gAMA", struct.pack(">I", 100_000))],
        [(b"cICP", b"\1\x0d\0\1"), (b"gAMA", struct.pack(">I", 100_000))],
        [(b"cHRM", bytes(32))],
    ],
)
def test_a_png_in_srgb_is_left_as_it_is(chunks: list[tuple[bytes, bytes]]) -> None:
    picture = read(made.png(PHOTO, 8, 2, *chunks))
    assert np.array_equal(picture.pixels, PHOTO) and picture.notices == ()


def test_coding_points_of_a_png_go_before_its_gamma(shared_data: Callable[..., Path]) -> None:
    profile = read(shared_data("robust", "jpg_made_icc_segments_out_of_order.jpg")).metadata.icc_profile
    by_profile = convert_to_srgb(read(made.png(PHOTO, 8, 2, (b"iCCP", b"P3\0\0" + zlib.compress(profile or b"")))))
    by_points = read(made.png(PHOTO, 8, 2, (b"cICP", b"\x0c\x0d\0\1")))
    assert largest_difference(by_points.pixels, by_profile.pixels) <= 2
    assert "cICP" in by_points.notices[0]
    unknown = read(made.png(PHOTO, 8, 2, (b"cICP", b"\x09\x10\0\1")))
    assert np.array_equal(unknown.pixels, PHOTO) and "9-16-0-1" in unknown.notices[0]


def test_cmyk_becomes_srgb(shared_data: Callable[..., Path]) -> None:
    picture = read(made.encoded(PHOTO, mode="CMYK", quality=100, subsampling=0))
    assert np.abs(picture.pixels.astype(int) - PHOTO).mean() < 3
    assert picture.notices == ("CMYK converted to sRGB by rule of thumb: it has no profile",)
    source = shared_data("robust", "jpg_ycck_bad_icc_restart.jpg")
    real = read(source)
    with Image.open(source) as image:
        thumb = np.asarray(image.convert("RGB"))
        assert icc.colour_space(image.info["icc_profile"]) == "CMYK"
    assert real.notices == ("CMYK converted to sRGB through its profile",)
    assert real.metadata.icc_profile is None
    # The profile's white is white, its inks duller than by rule of thumb; the picture is the same.
    assert (real.pixels[thumb.min(axis=2) == 255] > 250).mean() > 0.99
    assert np.corrcoef(real.pixels.ravel(), thumb.ravel())[0, 1] > 0.95


def test_lab_becomes_srgb() -> None:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    image = ImageCms.profileToProfile(Image.fromarray(PHOTO), srgb, lab, outputMode="LAB")
    picture = read(image)
    assert np.abs(picture.pixels.astype(int) - PHOTO).mean() < 2
    assert picture.notices == ("CIE Lab converted to sRGB",)


# Limits


def no_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("decoded before the limit was checked")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", refuse)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "AVIF"])
def test_limits_are_checked_before_decoding(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = made.encoded(PHOTO, kind)
    no_decoding(monkeypatch)
    with pytest.raises(ImageError, match=r"56 x 40 pixels are .*; the limit is 0\.002 megapixels"):
        read(data, limits=Limits(max_megapixels=0.002))
    with pytest.raises(ImageError, match="at most 55 a side"):
        read(data, limits=Limits(max_side=55))
    with pytest.raises(ImageError, match=f"more than {len(data) - 1} bytes"):
        read(data, limits=Limits(max_bytes=len(data) - 1))


def test_a_stream_is_read_no_further_than_the_limit(tmp_path: Path) -> None:
    class Endless(io.RawIOBase):
        n_bytes = 0

        def read(self, n: int = -1) -> bytes:
            assert n > 0
            self.n_bytes += n
            return bytes(n)

    endless = Endless()
    with pytest.raises(ImageError, match="more than 3000000 bytes"):
        read(endless, limits=Limits(max_bytes=3_000_000))
    assert endless.n_bytes < 5_000_000
    if Path("/dev/zero").exists():
        with pytest.raises(ImageError, match="more than 3000000 bytes"):
            read("/dev/zero", limits=Limits(max_bytes=3_000_000))


def test_a_bomb_of_scans_is_refused_and_usual_progressive_files_are_not() -> None:
    progressive = made.encoded(PHOTO, progressive=True)
    assert read(progressive).pixels.shape == PHOTO.shape
    start = progressive.rindex(b"\xff\xda")
    bomb = progressive[:start] + progressive[start:-2] * 95 + b"\xff\xd9"
    with pytest.raises(ImageError, match="104 scans, each a pass over the whole picture; the limit is 100"):
        read(bomb)


@pytest.mark.parametrize(
    "values", [{"max_side": 65_501}, {"max_bytes": 0}, {"max_megapixels": "5"}, {"max_scans": True}]
)
def test_limits_themselves_are_checked(values: dict[str, object]) -> None:
    with pytest.raises(OptionError, match=next(iter(values))):
        Limits(**values)  # type: ignore[arg-type]


def test_pillows_own_bound_neither_warns_nor_stops_and_stays_what_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = [made.encoded(PHOTO, kind) for kind in ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF")]
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    filters = list(warnings.filters)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for data in files:
            assert read(data).pixels.shape == PHOTO.shape
    assert caught == [] and Image.MAX_IMAGE_PIXELS == 100 and list(warnings.filters) == filters


def test_threads_do_not_disturb_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    filters = list(warnings.filters)
    files = [made.encoded(PHOTO, kind) for kind in ("JPEG", "PNG", "TIFF", "WEBP")]
    files.append(made.encoded(PHOTO, "TIFF", compression="tiff_lzw"))
    expected = [read(data).pixels for data in files]
    wrong: list[object] = []

    def work() -> None:
        for _ in range(10):
            for data, pixels in zip(files, expected, strict=True):
                if not np.array_equal(read(data).pixels, pixels):
                    wrong.append(data[:4])

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == [] and Image.MAX_IMAGE_PIXELS == 100 and list(warnings.filters) == filters


# Damage


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("share", [0.5, 0.7, 0.9, 0.99])
@pytest.mark.parametrize("mended", [False, True])
def test_a_jpeg_cut_short_is_never_half_a_picture(progressive: bool, share: float, mended: bool) -> None:
    data = made.encoded(made.picture(200, 240), progressive=progressive)
    cut = data[: int(len(data) * share)] + (b"\xff\xd9" if mended else b"")
    if progressive and mended and len(cut) > data.rindex(b"\xff\xda"):
        pytest.skip("a last refinement that ends early is not told from one that has no more to refine")
    with pytest.raises(ImageError, match="damaged JPEG"):
        read(cut)


def test_rows_that_are_declared_but_not_there_are_noticed() -> None:
    for data in (made.encoded(made.picture(64, 64)), made.encoded(made.picture(64, 64), progressive=True)):
        position = data.index(b"\xff\xc0" if b"\xff\xc0" in data else b"\xff\xc2") + 5
        with pytest.raises(ImageError, match="end before the picture does"):
            read(data[:position] + b"\0\xff" + data[position + 2 :])


def test_a_picture_that_ends_in_grey_is_whole() -> None:
    for grey in (np.full((70, 90), 128, np.uint8), np.full((70, 90, 3), 128, np.uint8)):
        for progressive in (False, True):
            assert (read(made.encoded(grey, progressive=progressive)).pixels == 128).all()


def test_a_missing_end_marker_alone_is_forgiven_and_said() -> None:
    picture = read(PLAIN[:-2])
    assert np.array_equal(picture.pixels, made.decoded(PLAIN))
    assert picture.notices == ("the end marker is missing; the picture is whole",)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "BMP", "GIF", "AVIF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.98])
def test_other_files_cut_short_are_refused(kind: str, share: float) -> None:
    data = made.encoded(PHOTO, kind)
    with pytest.raises(ImageError):
        read(data[: int(len(data) * share)])


def test_a_wrong_checksum_in_a_png_is_damage_only_where_the_picture_is() -> None:
    data = bytearray(made.png(PHOTO, 8, 2, (b"tEXt", b"Comment\0hello")))
    place = data.index(b"hello")
    data[place] ^= 1
    assert read(bytes(data)).metadata.segments == ()
    data[data.index(b"IDAT") + 30] ^= 1
    with pytest.raises(ImageError, match="checksum of its IDAT"):
        read(bytes(data))


def test_a_text_bomb_costs_no_memory() -> None:
    bomb = zlib.compress(bytes(200_000_000), 9)
    chunks = [(b"zTXt", b"Raw profile type exif\0\0" + bomb), (b"iCCP", b"x\0\0" + bomb)]
    data = made.png(PHOTO, 8, 2, *chunks, (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb))
    tracemalloc.start()
    picture = read(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.array_equal(picture.pixels, PHOTO) and peak < 60_000_000
    assert picture.notices == ("ICC profile left out: it is no usable profile",)


def test_what_libtiff_prints_is_an_error_and_not_on_the_screen(capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(made.encoded(PHOTO, "TIFF", compression="tiff_lzw"))
    data[2_000:2_400] = bytes(400)
    with pytest.raises(ImageError, match="damaged TIFF"):
        read(bytes(data))
    coded = made.encoded(PHOTO, "TIFF", mode="YCbCr", compression="jpeg")
    for wrong in ((2, 1), (1, 2), (4, 4)):  # a message of two lines: factors are not the picture's
        data = bytearray(coded)
        field = data.index(struct.pack("<HHI", 530, 3, 2))
        data[field + 8 : field + 12] = struct.pack("<2H", *wrong)
        with pytest.raises(ImageError, match="damaged TIFF"):
            read(bytes(data))
    assert capfd.readouterr().err == ""


# Edits


@pytest.mark.parametrize(
    ("max_side", "size"), [(1000, (56, 40)), (56, (56, 40)), (28, (28, 20)), (10, (10, 7)), (1, (1, 1))]
)
def test_max_side_makes_smaller_and_never_larger(max_side: int, size: tuple[int, int]) -> None:
    picture = read(made.encoded(PHOTO, exif=exif_of(6)))
    smaller = resize_to_max_side(picture, max_side)
    assert smaller.pixels.shape[1::-1] == size and smaller.upright_size == size[::-1]
    assert (smaller is picture) == (max_side >= 56)
    assert smaller.metadata == picture.metadata and not smaller.pixels.flags.writeable
    assert abs(smaller.pixels.mean() - picture.pixels.mean()) < 12


@pytest.mark.parametrize("max_side", [0, -5, 2.5, True, "9"])
def test_max_side_is_a_whole_number_above_0(max_side: object) -> None:
    with pytest.raises(OptionError, match="whole number of pixels"):
        resize_to_max_side(read(PLAIN), max_side)  # type: ignore[arg-type]


def test_a_smaller_picture_loses_its_gain_map_and_says_so() -> None:
    full = made.with_segments(PLAIN, made.segment(0xE1, xmp.PREFIX + made.XMP_GAIN_MAP))
    picture = read(made.multi_picture(full, made.encoded(made.picture(20, 28)[..., 0])))
    assert len(picture.metadata.pictures) == 1 and picture.notices == ()
    smaller = resize_to_max_side(picture, 30)
    assert smaller.metadata.pictures == () and "1 further picture" in smaller.notices[0]
    assert b"GainMap" not in (smaller.metadata.xmp or b"GainMap")
    assert assemble(PLAIN, smaller.metadata).endswith(PLAIN[20:])


def test_strip_keeps_a_wide_profile_and_the_orientation() -> None:
    wide = bytes(bytearray(SRGB))
    gamma = bytearray(SRGB)
    place = gamma.index(b"para")
    gamma[place : place + 32] = b"para\0\0\0\0\0\0\0\0\0\x01\0\0".ljust(32, b"\0")  # a linear curve
    full = made.with_segments(
        made.encoded(PHOTO, icc_profile=bytes(gamma), comment=b"c"), made.segment(0xE1, exif_of(6))
    )
    source = read(made.multi_picture(full, PLAIN, trailer=b"film"))
    stripped = strip(source.metadata, source.orientation)
    assert [s.name for s in stripped.segments] == ["APP1", "APP2"]
    assert stripped.exif == exif.orientation_only(6) and stripped.icc_profile == bytes(gamma)
    assert stripped.pictures == () and stripped.trailer == b""
    plain = read(made.encoded(PHOTO, icc_profile=wide, exif=exif_of(1), comment=b"c"))
    assert strip(plain.metadata, plain.orientation) == Metadata()


# The writer


def test_a_file_is_written_with_the_bits_of_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "out.jpg"
    write_atomically(path, PLAIN, overwrite=False)
    ordinary = tmp_path / "ordinary"
    ordinary.write_bytes(b"")
    assert path.read_bytes() == PLAIN
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)
    with pytest.raises(OutputError, match=r"exists already; .overwrite. replaces it"):
        write_atomically(path, b"other", overwrite=False)
    path.chmod(0o640)
    write_atomically(path, b"other", overwrite=True)
    assert path.read_bytes() == b"other" and stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ordinary", "out.jpg"]


def test_an_input_is_never_replaced_not_even_through_a_link(tmp_path: Path) -> None:
    source = tmp_path / "in.jpg"
    source.write_bytes(PLAIN)
    (tmp_path / "soft.jpg").symlink_to(source)
    (tmp_path / "hard.jpg").hardlink_to(source)
    (tmp_path / "folder").mkdir()
    for name in ("in.jpg", "soft.jpg", "hard.jpg", "folder/../in.jpg"):
        with pytest.raises(OutputError, match="an input is never replaced"):
            write_atomically(tmp_path / name, b"other", overwrite=True, never=[source, tmp_path / "gone.jpg"])
    assert source.read_bytes() == PLAIN


def test_a_link_to_another_file_is_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "target.jpg", tmp_path / "link.jpg"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_atomically(link, b"new", overwrite=True)
    assert link.is_symlink() and target.read_bytes() == b"new"


def test_failures_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutputError, match="its folder does not exist"):
        write_atomically(tmp_path / "none" / "out.jpg", PLAIN, overwrite=False)
    with pytest.raises(OutputError, match="is a folder"):
        write_atomically(tmp_path, PLAIN, overwrite=True)
    with pytest.raises(OutputError, match="cannot be written"):
        write_atomically(tmp_path / ("x" * 300), PLAIN, overwrite=False)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    (tmp_path / "old.jpg").write_bytes(b"old")
    with pytest.raises(OutputError, match=r"old\.jpg: cannot be written: no space left"):
        write_atomically(tmp_path / "old.jpg", PLAIN, overwrite=True)
    assert (tmp_path / "old.jpg").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["old.jpg"]


def test_a_folder_that_may_not_be_written_is_one_clear_line(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("the administrator may write anywhere")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="permission denied"):
            write_atomically(tmp_path / "out.jpg", PLAIN, overwrite=False)
    finally:
        tmp_path.chmod(0o700)


def test_a_device_is_written_to_and_stays_a_device() -> None:
    device = Path("/dev/null")
    if not device.exists():
        pytest.skip("no such device here")
    write_atomically(device, PLAIN, overwrite=False)
    assert stat.S_ISCHR(device.stat().st_mode)


def test_a_picture_says_what_it_is() -> None:
    picture = Picture(PHOTO, orientation=8)
    assert picture.upright_size == (40, 56)


def test_a_pil_jpeg_keeps_comment_and_density() -> None:
    data = made.encoded(PHOTO, comment=b"a holiday", dpi=(300, 300))
    metadata = read(Image.open(io.BytesIO(data))).metadata
    with Image.open(io.BytesIO(assemble(PLAIN, metadata))) as image:
        assert image.info["comment"] == b"a holiday"
        assert image.info["dpi"] == (300, 300)
    ours = assemble(PLAIN, Metadata(), "msroi 0.1.0 0123456789abcdef")
    assert not any(s.marker == 0xFE for s in read(Image.open(io.BytesIO(ours))).metadata.segments)


def test_a_file_left_at_its_end_is_to_be_rewound() -> None:
    file = io.BytesIO(PLAIN)
    file.read()
    with pytest.raises(ImageError, match=r"is empty; rewind it \(seek\(0\)\)"):
        read(file)
    with pytest.raises(ImageError) as caught:
        read(io.BytesIO())
    assert "rewind" not in str(caught.value)
