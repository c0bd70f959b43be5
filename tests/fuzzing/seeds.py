"""Where fuzzing begins: small files of every format and segments of every kind, made on the spot."""

from __future__ import annotations

import struct
from pathlib import Path

import files_made as made
from PIL import Image, ImageCms

from msroi.codecs.neural.container import ALLOCATION, CODES, EXIF, ICC, XMP, Header, Section, write
from msroi.metadata import exif

FOUND = Path(__file__).parent / "found"
PHOTO = made.picture(24, 40)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
EXTENDED = bytes(32) + struct.pack(">II", 40, 0)


def seeds(target: str) -> list[bytes]:
    """The inputs that a target begins with, what was found once among them."""
    makers = {
        "read": _pictures, "read_png": _pngs, "jpeg": _jpegs, "segments": _segments, "containers": _containers,
        "neural": _neural, "compress": _pictures, "decoder": _jpegs,
    }  # fmt: skip
    found = sorted((FOUND / target).glob("*")) if (FOUND / target).is_dir() else []
    return [*makers[target](), *(path.read_bytes() for path in found)]


def write_seeds(target: str, folder: Path) -> None:
    """A file for each seed."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, data in enumerate(seeds(target)):
        (folder / f"seed-{index}").write_bytes(data)


def _jpegs() -> list[bytes]:
    plain = made.encoded(PHOTO)
    other = made.encoded(PHOTO[:8, :8], "JPEG")
    exif_segment = made.segment(0xE1, b"Exif\0\0" + made.exif_with_gps(6))
    xmp = made.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + made.XMP_GPS)
    profile = made.segment(0xE2, b"ICC_PROFILE\0\1\1" + PROFILE)
    variants = [
        made.encoded(PHOTO, mode=mode, subsampling=subsampling, **options)
        for mode in ("L", "RGB", "CMYK")
        for subsampling in (0, 2)
        for options in ({}, {"progressive": True}, {"restart_marker_blocks": 2})
    ]
    return [
        *variants,
        made.with_segments(plain, exif_segment, xmp, profile),
        made.multi_picture(made.with_segments(plain, xmp), other, gap=b"\0\0", trailer=b"trailer"),
        plain + other,
    ]


def _pngs() -> list[bytes]:
    chunks = [
        (b"gAMA", struct.pack(">I", 50_000)),
        (b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + made.XMP_GPS),
        (b"eXIf", made.exif_with_gps(3)),
        (b"pHYs", struct.pack(">IIB", 2835, 2835, 1)),
        (b"tEXt", b"Raw profile type iptc\0\niptc\n 4\n1c025000"),
    ]
    grey = PHOTO[..., 0]
    return [
        made.png(PHOTO, 8, 2, *chunks),
        made.png(PHOTO, 16, 2, (b"tRNS", bytes(6))),
        made.png(grey, 8, 0, (b"tRNS", b"\0\7"), (b"cICP", b"\1\15\0\1")),
        made.png(grey, 8, 3, (b"PLTE", bytes(range(255))), (b"tRNS", bytes(16))),
        made.png(PHOTO[..., :2], 8, 4),
        made.png(PHOTO[:, :, [0, 1, 2, 0]], 16, 6),
        made.encoded(PHOTO, "PNG", icc_profile=PROFILE),
    ]


def _pictures() -> list[bytes]:
    kinds = [("GIF", {}), ("BMP", {}), ("WEBP", {}), ("WEBP", {"lossless": True}), ("AVIF", {"speed": 10})]
    tiffs = [
        {"compression": compression, "dpi": (72, 72)}
        for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
    ]
    frames = [Image.fromarray(PHOTO), Image.fromarray(PHOTO[::-1])]
    rgba = Image.fromarray(PHOTO).convert("RGBA")
    rgba.putalpha(100)
    return [
        *_jpegs()[:20:4],
        *_pngs()[:4],
        *(made.encoded(PHOTO, kind, **options) for kind, options in kinds),
        *(made.encoded(PHOTO, "TIFF", **options) for options in tiffs),
        made.encoded(PHOTO, "TIFF", mode="1", compression="group4"),
        made.encoded(PHOTO, "TIFF", mode="CMYK"),
        made.tiff(PHOTO[..., 0].astype("uint16") * 257, 0),
        made.saved(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        made.saved(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
        made.saved(rgba, "WEBP"),
        made.saved(rgba, "PNG"),
    ]


def _segments() -> list[bytes]:
    def part(kind: int, payload: bytes) -> bytes:
        return bytes((kind,)) + struct.pack(">H", len(payload)) + payload

    iptc = b"".join(b"\x1c\2" + bytes((n,)) + b"\0\4City" for n in (90, 92, 95, 100, 101))
    photoshop = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc
    thumbnail = made.with_segments(made.encoded(PHOTO[:8, :8]), made.segment(0xE1, b"Exif\0\0" + made.exif_with_gps()))
    photoshop += bytes(len(iptc) % 2) + b"8BIM\x04\x0c\0\0" + struct.pack(">I", 28 + len(thumbnail))
    photoshop += bytes(28) + thumbnail
    index = made.multi_picture(made.encoded(PHOTO), made.encoded(PHOTO[:8, :8]))
    index = index[index.index(b"MPF\0") + 4 :][:90]
    return [
        part(0, made.exif_with_gps(6)),
        part(0, made.exif_with_gps(1, ">")) + part(2, made.XMP_GPS),
        part(1, made.exif_with_gps()),
        part(2, made.XMP_GAIN_MAP) + part(6, index) + b"\xff" + made.encoded(PHOTO[:8, :8]),
        part(2, made.XMP_GPS) + part(3, EXTENDED + made.XMP_GPS[:40]),
        part(4, photoshop) + part(5, iptc),
        part(7, b"\1\1" + PROFILE) + part(13, b"comment"),
        part(10, made.exif_with_gps()) + part(11, b"DEVC\0\1\0\1GPS5l\x14\0\1" + bytes(20)),
        part(8, bytes(9)) + part(9, bytes(20)) + part(12, bytes(7)),
    ]


def _containers() -> list[bytes]:
    webp = made.encoded(PHOTO, "WEBP", exif=made.exif_with_gps(), icc_profile=PROFILE, xmp=made.XMP_GPS)
    fields = ((700, 1, len(made.XMP_GPS), made.XMP_GPS), (34675, 7, len(PROFILE), PROFILE))
    return [
        webp,
        made.tiff(PHOTO, 2, *fields),
        made.exif_with_gps(8),
        made.exif_with_gps(8, ">"),
        made.encoded(PHOTO, "BMP"),
        *_pngs(),
    ]


def _neural() -> list[bytes]:
    parts = [
        Section(ALLOCATION, b"\x06"),
        Section(ICC, PROFILE[:200]),
        Section(CODES, bytes(range(64))),
        Section(EXIF, exif.orientation_only(3)),
        Section(XMP, made.XMP_GPS),
    ]
    whole = write(Header("recurrent", 48, 33, False, bytes(range(16))), parts)
    bare = write(Header("recurrent", 48, 33, True, bytes(range(16))), parts[:1])
    return [whole, bare, bare[:31] + parts[0].payload]  # the last without checksums
