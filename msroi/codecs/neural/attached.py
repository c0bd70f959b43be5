"""What travels with a picture through a neural codec's file: ICC profile, EXIF and XMP, in sections of their own.

    metadata --carried--> sections --attach--> file --attached--> sections --picture_file--> PNG

Neural codecs code upright pixels, so that EXIF and XMP, which say how pixels lie, are made to say "upright". The
profile stands in front of the codes, so that a preview has its colours; the others stand at the end.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, PngImagePlugin

from msroi.codecs.neural import container
from msroi.codecs.neural.container import Section
from msroi.errors import ImageError, OptionError
from msroi.metadata import Metadata, icc
from msroi.metadata import exif as exif_bytes
from msroi.metadata import xmp as xmp_bytes
from msroi.metadata.segments import APP13, COM

KINDS = {container.ICC: "ICC profile", container.EXIF: "EXIF", container.XMP: "XMP"}

# Formats that keep every pixel, by the suffix of a file.
FORMATS = {".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF", ".webp": "WEBP", ".bmp": "BMP"}


def carried(metadata: Metadata) -> tuple[list[Section], tuple[str, ...]]:
    """Sections for the metadata of a picture that was turned upright, and notices on what they cannot hold."""
    sections = []
    if metadata.icc_profile:
        sections.append(Section(container.ICC, metadata.icc_profile))
    if metadata.exif:
        sections.append(Section(container.EXIF, metadata.exif))
    if metadata.xmp:
        sections.append(Section(container.XMP, metadata.xmp))
    sections = [_upright(section) for section in sections]
    left_out = {
        "further pictures": bool(metadata.pictures),
        "what stands behind the picture": bool(metadata.trailer),
        "IPTC": any(segment.marker == APP13 for segment in metadata.segments),
        "comments": any(segment.marker == COM for segment in metadata.segments),
        "extended XMP": any(xmp_bytes.is_extension(segment) for segment in metadata.segments),
    }
    names = [name for name, there in left_out.items() if there]
    return sections, ((f"left out, since this format does not hold it: {', '.join(names)}",) if names else ())


def n_bytes(sections: Sequence[Section]) -> int:
    """Bytes by which sections of metadata make a file larger."""
    plain = Section(container.CODES, b"")
    header = container.Header("recurrent", 1, 1, False, bytes(container.NETWORK_BYTES))
    return len(container.write(header, [plain, *sections])) - len(container.write(header, [plain]))


def attach(data: bytes, sections: Sequence[Section]) -> bytes:
    """The file with these sections of metadata beside its own, the profile before the first codes.

    Errors: BitstreamError, OptionError.
    """
    if not sections:
        return data
    header, own = container.read(data)
    profile = [section for section in sections if section.kind == container.ICC]
    others = [section for section in sections if section.kind != container.ICC]
    n_before = next((place for place, section in enumerate(own) if section.kind == container.CODES), len(own))
    return container.write(replace(header, n_sections=0), [*own[:n_before], *profile, *own[n_before:], *others])


def attached(sections: Sequence[Section]) -> dict[int, bytes]:
    """The metadata among a file's sections, by kind; upright, whoever wrote the file."""
    return {section.kind: _upright(section).payload for section in sections if section.kind in KINDS}


def _upright(section: Section) -> Section:
    """The same metadata, saying that the pixels lie as they are shown."""
    if section.kind == container.EXIF:
        return replace(section, payload=exif_bytes.with_orientation(section.payload, 1))
    if section.kind == container.XMP:
        return replace(section, payload=xmp_bytes.with_orientation_1(section.payload))
    return section


def picture_file(pixels: npt.NDArray[np.uint8], metadata: Mapping[int, bytes], suffix: str = ".png") -> bytes:
    """Decoded pixels, uint8 (height, width[, 3]), as a file of the format that a suffix names, without loss.

    metadata: as `attached`; BMP holds none of it, TIFF no EXIF. Errors: OptionError for another suffix; ImageError for
    what the format cannot hold.
    """
    kind = FORMATS.get(suffix.lower())
    if kind is None:
        raise OptionError(f"{suffix or 'no suffix'}: pictures are written as {', '.join(FORMATS)}")
    profile, exif, xmp = (metadata.get(section) for section in (container.ICC, container.EXIF, container.XMP))
    options: dict[str, Any] = {}
    if profile is not None and icc.is_valid(profile) and kind != "BMP":
        options["icc_profile"] = profile
    if kind == "PNG":
        chunks = PngImagePlugin.PngInfo()
        if xmp is not None:
            chunks.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace"))
        options |= {"pnginfo": chunks} | ({} if exif is None else {"exif": exif})
    elif kind == "WEBP":
        options |= {"lossless": True, "exact": True, "exif": exif or b"", "xmp": xmp or b""}
    elif kind == "TIFF":
        options |= {"compression": "tiff_lzw"} | ({} if xmp is None else {"tiffinfo": {700: xmp}})
    buffer = io.BytesIO()
    try:
        Image.fromarray(pixels).save(buffer, kind, **options)
    except (OSError, ValueError) as error:  # more pixels a side than WebP has, a block of metadata too large
        raise ImageError(f"{kind} cannot hold this picture ({error}); write another format") from error
    return buffer.getvalue()
