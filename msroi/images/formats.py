"""Which format some bytes are, by what they hold and never by a name."""

from __future__ import annotations

from msroi.errors import ImageError

READ = "JPEG, PNG, TIFF, WebP, BMP, GIF, AVIF and HEIC"
_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_STARTS = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"BM", "BMP"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
)
# What people hand in by mistake, so that the message can name it.
_OTHERS = (
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"8BPS", "Photoshop"),
    (b"%PDF", "PDF"),
    (b"%!PS", "PostScript"),
    (b"<svg", "SVG"),
    (b"<!DOCTYPE", "HTML"),
    (b"<!doctype", "HTML"),
    (b"<html", "HTML"),
    (b"<?xml", "XML"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance"),
    (b"\0\0\1\0", "an icon"),
    (b"IIRO", "Olympus raw"),
    (b"IIU\0", "Panasonic raw"),
    (b"FUJIFILMCCD-RAW", "Fujifilm raw"),
    (b"PK\3\4", "a ZIP archive"),
    (b"\x89PNG", "a damaged PNG"),
    (b"P5", "PGM"),
    (b"P6", "PPM"),
    (b"qoif", "QOI"),
)


def recognise(data: bytes) -> str:
    """`JPEG`, `PNG`, `TIFF`, `WebP`, `BMP`, `GIF`, `AVIF` or `HEIF`. Errors: ImageError for anything else."""
    if not data:
        raise ImageError("is empty")
    for start, name in _STARTS:
        if data.startswith(start):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp":
        return _recognise_boxes(data)
    for start, name in _OTHERS:
        if data.startswith(start):
            raise ImageError(f"looks like {name}; msroi reads {READ}")
    raise ImageError(f"is no picture in a format that msroi reads ({READ})")


def _recognise_boxes(data: bytes) -> str:
    """ISO base media files: AVIF and HEIF by their brands."""
    n_bytes = min(int.from_bytes(data[:4], "big"), 512)
    brands = [data[8:12], *(data[i : i + 4] for i in range(16, n_bytes, 4))]
    if any(brand in _AVIF_BRANDS for brand in brands):
        return "AVIF"
    if any(brand in _HEIF_BRANDS for brand in brands):
        return "HEIF"
    name = "Canon raw" if brands[0] == b"crx " else "a film"
    raise ImageError(f"looks like {name}; msroi reads {READ}")
