"""One decoder a format: bytes to pixels and metadata.

Each takes the container apart by itself first (`msroi.metadata`), checks the limits on what the header
declares, and only then hands the picture's own data to Pillow: metadata of a JPEG or PNG, however hostile,
never reach it. What Pillow has opened is checked again before its pixels are loaded: a decoder may find
another size in a file than we did. What it or another library then raises is turned into one `ImageError` by
the caller.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from msroi import extras
from msroi.errors import ImageError
from msroi.images import colour
from msroi.images.picture import Limits
from msroi.images.quiet import bounded_threads, complaints, quiet_pillow
from msroi.images.samples import Look, Samples, flat, pixels_of, samples_16, samples_of
from msroi.metadata import Metadata, from_jpeg, icc
from msroi.metadata import exif as exif_bytes
from msroi.metadata import png as png_chunks
from msroi.metadata import segments as jpeg_segments
from msroi.metadata import webp as webp_chunks
from msroi.metadata import xmp as xmp_bytes
from msroi.metadata.assembly import bare_of
from msroi.metadata.foreign import Foreign, from_bmp, from_tiff, to_metadata, with_exif_orientation
from msroi.metadata.tiff import Tiff

_PADDING = bytes((0x5A, 0xC3, 0x1E, 0x96)) * 16  # entropy-coded data of many short codes, no marker
_STRIPE_ROWS = 256
_DECODED_PROCESSES = (0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA)
_TIFF_WIDTH, _TIFF_HEIGHT, _TIFF_BITS, _TIFF_PHOTOMETRIC = 256, 257, 258, 262
_TIFF_SUBFILE, _TIFF_SAMPLES, _TIFF_PLANAR, _TIFF_EXTRA, _TIFF_SAMPLE_FORMAT = 254, 277, 284, 338, 339
_TIFF_DNG = 0xC612
_TIFF_WHITE_IS_ZERO, _TIFF_RGB = 0, 2


@dataclass(frozen=True)
class Decoded:
    """What a decoder gives: pixels uint8, RGB or grey, as stored, and what travels with them.

    as_decoded: as in `Picture`.
    """

    pixels: np.ndarray
    metadata: Metadata
    orientation: int = 1
    notices: tuple[str, ...] = ()
    as_decoded: bool = False


def decode_jpeg(data: bytes, limits: Limits) -> Decoded:
    """JPEG, multi-picture files included: pixels as stored, all metadata byte for byte."""
    jpeg = jpeg_segments.parse(data)
    _check_jpeg(jpeg, limits)
    image, missing = _whole(jpeg, limits)
    metadata, notices = from_jpeg(data, jpeg)
    notices = (*notices, *missing)
    profile = metadata.icc_profile
    pixels, found = pixels_of(image, profile)
    converted = bool(found) or _is_xyb(profile)
    if converted:
        metadata = colour.srgb_metadata(metadata)
    if profile and _is_xyb(profile):
        pixels, found = _from_xyb(pixels, profile)
    return Decoded(pixels, metadata, metadata.orientation, (*notices, *found), as_decoded=not converted)


def _check_jpeg(jpeg: jpeg_segments.Jpeg, limits: Limits) -> None:
    """Errors: ImageError for what is over a limit or what the decoder does not know."""
    frame, n_scans = jpeg.frame, len(jpeg.scans)
    limits.check_size(frame.width, frame.height)
    if n_scans > limits.max_scans:
        raise ImageError(
            f"JPEG with {n_scans} scans, each a pass over the whole picture; the limit is {limits.max_scans}"
        )
    if frame.marker not in _DECODED_PROCESSES:
        raise ImageError(f"{frame.process} JPEG; this process is not supported, convert it first")
    if frame.precision != 8:
        raise ImageError(f"JPEG of {frame.precision} bits a sample; 8 are supported, convert it first")
    if len(frame.components) not in (1, 3, 4):
        raise ImageError(f"JPEG of {len(frame.components)} components; 1, 3 and 4 are supported")


def _ends_mid_grey(image: Image.Image) -> bool:
    """True if the last pixel is what libjpeg, which only warns, puts where data are missing."""
    values = image.getpixel((image.width - 1, image.height - 1))
    return all(value in (127, 128) for value in (values if isinstance(values, tuple) else (values,)))


def _whole(jpeg: jpeg_segments.Jpeg, limits: Limits) -> tuple[Image.Image, tuple[str, ...]]:
    """The picture, loaded, and notices on what is missing but does no harm.

    Only what looks suspicious is decoded a second time: a whole scan does not care for bytes behind its data;
    one that ran out takes them for blocks. Errors: ImageError if data of the picture are missing.
    """
    image, is_refined = _load_jpeg(jpeg, limits), jpeg.is_fully_refined
    if jpeg.has_end_marker and is_refined and not _ends_mid_grey(image):
        return image, ()
    if not jpeg.has_end_marker and not is_refined:
        raise ImageError("damaged JPEG: it is cut short")
    shown = _digest(image)
    del image  # two decoded pictures at a time would be too many
    padded = tuple(replace(s, coded=s.coded + _PADDING) if s.coded else s for s in jpeg.segments)
    image = _load_jpeg(replace(jpeg, segments=padded), limits)
    if _digest(image) != shown:
        raise ImageError("damaged JPEG: its picture data end before the picture does")
    if not jpeg.has_end_marker:
        return image, ("the end marker is missing; the picture is whole",)
    return image, () if is_refined else ("the last scans of this progressive JPEG are missing",)


def _load_jpeg(jpeg: jpeg_segments.Jpeg, limits: Limits) -> Image.Image:
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(bare_of(jpeg)))
    limits.check_size(*image.size)
    image.load()
    return image


def _digest(image: Image.Image) -> bytes:
    """The same for the same pixels; by stripes, since memory is dear."""
    digest = hashlib.blake2b()
    for top in range(0, image.height, _STRIPE_ROWS):
        digest.update(image.crop((0, top, image.width, min(top + _STRIPE_ROWS, image.height))).tobytes())
    return digest.digest()


def _is_xyb(profile: bytes | None) -> bool:
    """True for a JPEG in libjxl's XYB space, which is no space to look at or to subsample in."""
    return profile is not None and (icc.description(profile) or "").startswith("XYB")


def _from_xyb(pixels: np.ndarray, profile: bytes) -> tuple[np.ndarray, tuple[str, ...]]:
    converted = colour.pixels_to_srgb(pixels, profile)
    if converted is None:
        raise ImageError("JPEG in the XYB colour space, whose profile cannot be used")
    return converted, ("XYB converted to sRGB through its profile",)


def decode_png(data: bytes, limits: Limits) -> Decoded:
    """PNG of any depth, the first picture of an animation; over white where it is transparent."""
    png = png_chunks.parse(data)
    limits.check_size(png.width, png.height)
    notices = _frames_notice(png.n_frames, "frame")
    if png.depth == 16:
        samples, found = samples_16(partial(_load_png, png.bare, limits))
    else:
        samples, found = samples_of(_load_png(png.bare, limits, lambda image: None), None)
    png = replace(png, bare=b"")  # memory of large pictures
    if png.depth == 16:
        samples = samples.then(partial(_with_key, png=png))
    foreign = png.foreign
    if foreign.icc_profile and not icc.is_valid(foreign.icc_profile):
        foreign = replace(foreign, icc_profile=None)
        found = (*found, "ICC profile left out: it is no usable profile")
    if foreign.icc_profile is None:
        convert = colour.PngToSrgb(png)
        pixels = flat(samples, convert=convert).gathered()
        found = (*found, *convert.notices)
    else:
        pixels = flat(samples).gathered()
    return _with_foreign(pixels, foreign, (*notices, *found))


def _load_png(bare: bytes, limits: Limits, look: Look) -> Image.Image:
    with quiet_pillow(), io.BytesIO(bare) as file:  # closed: Pillow would keep it
        image = PngImagePlugin.PngImageFile(file)
        limits.check_size(*image.size)
        look(image)
        image.load()
    return image


def _with_key(samples: np.ndarray, png: png_chunks.Png) -> np.ndarray:
    """16-bit samples with an alpha channel that is 0 where they have the transparent colour of tRNS."""
    key = png.transparency
    if key is None or len(key) != {0: 2, 2: 6}.get(png.colour_type):
        return samples
    wide = samples.reshape(*samples.shape[:2], -1)
    alpha = np.where((wide == np.frombuffer(key, ">u2")).all(axis=2), 0, 65_535).astype(np.uint16)
    return np.concatenate((wide, alpha[..., None]), axis=2)


def decode_tiff(data: bytes, limits: Limits) -> Decoded:
    """TIFF, first page, turned upright as its orientation says (so that it is not applied again)."""
    header = _TiffHeader(data)
    header.check(limits)
    load = partial(_load_tiff, data, limits)
    foreign, premultiplied = from_tiff(data), False
    if header.bits == 16 and header.photometric == _TIFF_RGB:
        samples, found = samples_16(load)
        premultiplied = header.number(_TIFF_EXTRA, 2) == 1
    else:
        image = load(lambda image: None)
        samples, found = samples_of(image, foreign.icc_profile)
        if image.mode.startswith("I;16"):
            samples = samples.then(partial(_full_range, header=header))
        if image.mode in ("CMYK", "LAB"):
            foreign = replace(foreign, icc_profile=None)
    notices = _frames_notice(header.tiff.n_pages(), "page")
    return _with_foreign(flat(samples, premultiplied).gathered(), foreign, (*notices, *found))


def _full_range(samples: np.ndarray, header: _TiffHeader) -> np.ndarray:
    """Grey uint16 samples from 0, black, to 65535: Pillow leaves 12 bits and inversion as they are."""
    if header.bits < 16:
        peak = 2**header.bits - 1
        samples = ((samples.astype(np.uint32) * 65_535 + peak // 2) // peak).astype(np.uint16)
    return 65_535 - samples if header.photometric == _TIFF_WHITE_IS_ZERO else samples


class _TiffHeader:
    """What the first directory of a TIFF says of its pixels."""

    def __init__(self, data: bytes) -> None:
        self.tiff = Tiff(data)
        directory = self.tiff.directory(self.tiff.first) if self.tiff.valid else None
        if directory is None:
            raise ImageError("damaged TIFF: its first directory cannot be read")
        self.directory = directory
        self.is_canon_raw = data[8:10] == b"CR"
        self.bits = self.number(_TIFF_BITS, 1)
        self.photometric = self.number(_TIFF_PHOTOMETRIC, 1)

    def number(self, tag: int, default: int) -> int:
        """The first value of an integer field."""
        values = self.tiff.integers(self.directory.get(tag))
        return values[0] if values else default

    def check(self, limits: Limits) -> None:
        """Errors: ImageError for what is over a limit or cannot be read rightly."""
        if self.directory.get(_TIFF_DNG) or self.is_canon_raw or self.number(_TIFF_SUBFILE, 0) & 1:
            raise ImageError("looks like a camera's raw file; develop it to JPEG, PNG or TIFF first")
        limits.check_size(self.number(_TIFF_WIDTH, 0), self.number(_TIFF_HEIGHT, 0))
        if self.number(_TIFF_SAMPLE_FORMAT, 1) == 3:
            raise ImageError("TIFF of floating point samples; convert it to 8 or 16 bit integers first")
        if self.bits > 8 and self.number(_TIFF_SAMPLES, 1) > 1 and self.number(_TIFF_PLANAR, 1) == 2:
            raise ImageError("TIFF with 16-bit planes one after the other; save it with interleaved channels")


def _load_tiff(data: bytes, limits: Limits, look: Look) -> Image.Image:
    """The first page, loaded. libtiff prints what is damaged and goes on; here that is an error."""
    failure: OSError | None = None
    with quiet_pillow(), complaints() as said:
        image = TiffImagePlugin.TiffImageFile(io.BytesIO(data))
        limits.check_size(*image.size)
        look(image)
        try:
            image.load()
        except OSError as error:
            failure = error
    if said or failure:
        raise ImageError(f"damaged TIFF: {said[0] if said else failure}") from failure
    return image


def decode_webp(data: bytes, limits: Limits) -> Decoded:
    """WebP, the first frame of an animation."""
    import cv2

    webp = webp_chunks.parse(data)
    limits.check_size(webp.width, webp.height)
    with quiet_pillow():
        image = WebPImagePlugin.WebPImageFile(io.BytesIO(data))
    limits.check_size(*image.size)
    notices = _frames_notice(webp.n_frames, "frame")
    # Pillow composes animations, of one picture too, and takes 17 bytes a pixel for it; OpenCV takes 4.
    with complaints():
        samples = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if samples is None or samples.shape[:2] != (image.height, image.width) or samples.dtype != np.uint8:
        return _by_pillow(image, webp.foreign, notices)
    pixels = flat(Samples.of(samples).then(_from_bgr)).gathered()
    return _with_foreign(pixels, webp.foreign, notices)


def _from_bgr(samples: np.ndarray) -> np.ndarray:
    """OpenCV's order of channels changed to ours."""
    return samples if samples.ndim == 2 else samples[..., [2, 1, 0, 3][: samples.shape[2]]]


def decode_bmp(data: bytes, limits: Limits) -> Decoded:
    """BMP."""
    with quiet_pillow():
        image = BmpImagePlugin.BmpImageFile(io.BytesIO(data))
    limits.check_size(*image.size)
    return _by_pillow(image, from_bmp(data), ())


def decode_gif(data: bytes, limits: Limits) -> Decoded:
    """GIF, the first frame of an animation."""
    limits.check_size(int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little"))
    with quiet_pillow():
        image = GifImagePlugin.GifImageFile(io.BytesIO(data))
        limits.check_size(*image.size)
        image.load()
        notices = ("animated, the first frame taken",) if image.is_animated else ()
    comment = image.info.get("comment")
    comments = (bytes(comment),) if isinstance(comment, bytes | bytearray) and comment else ()
    return _by_pillow(image, Foreign(comments=comments), notices)


def decode_avif(data: bytes, limits: Limits) -> Decoded:
    """AVIF through Pillow, which tells turned pictures by EXIF's orientation and does not turn them."""
    try:
        from PIL import AvifImagePlugin
    except ImportError:
        raise ImageError("AVIF needs Pillow 11.3 or later; update it: pip install -U pillow") from None
    if not AvifImagePlugin.SUPPORTED:
        raise ImageError("AVIF is not built into this Pillow; install its wheel: pip install -U pillow")
    with quiet_pillow(), bounded_threads(AvifImagePlugin, "DEFAULT_MAX_THREADS"):
        image = AvifImagePlugin.AvifImageFile(io.BytesIO(data))
    limits.check_size(*image.size)
    foreign = Foreign(image.info.get("exif"), image.info.get("xmp"), image.info.get("icc_profile"))
    return _by_pillow(image, foreign, _frames_notice(image.n_frames, "frame"))


def decode_heif(data: bytes, limits: Limits) -> Decoded:
    """HEIC and other HEIF through pillow-heif, which turns the pixels itself: EXIF is set to say 1."""
    try:
        import pillow_heif
    except ImportError:
        raise extras.missing("HEIC needs pillow-heif", "heif") from None
    with bounded_threads(pillow_heif.options, "DECODE_THREADS"):
        heif = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
    limits.check_size(*heif.size)
    image = heif.to_pillow()
    exif, xmp = heif.info.get("exif"), heif.info.get("xmp")
    if exif:
        exif = exif_bytes.with_orientation(exif.removeprefix(exif_bytes.PREFIX), 1)
    if xmp:
        xmp = xmp_bytes.with_orientation_1(xmp)
    notices = _frames_notice(len(heif), "picture")
    return _by_pillow(image, Foreign(exif, xmp, heif.info.get("icc_profile")), notices)


DECODERS: dict[str, Callable[[bytes, Limits], Decoded]] = {
    "JPEG": decode_jpeg,
    "PNG": decode_png,
    "TIFF": decode_tiff,
    "WebP": decode_webp,
    "BMP": decode_bmp,
    "GIF": decode_gif,
    "AVIF": decode_avif,
    "HEIF": decode_heif,
}


def _by_pillow(image: Image.Image, foreign: Foreign, notices: tuple[str, ...]) -> Decoded:
    image.load()
    pixels, found = pixels_of(image, foreign.icc_profile)
    if image.mode in ("CMYK", "LAB"):
        foreign = replace(foreign, icc_profile=None)
    return _with_foreign(pixels, foreign, (*notices, *found))


def _with_foreign(pixels: np.ndarray, foreign: Foreign, notices: tuple[str, ...]) -> Decoded:
    """The picture with its metadata as JPEG segments, and the orientation that they state.

    Where only XMP states one, or EXIF was too large to keep, a minimal EXIF says it, for every viewer.
    """
    metadata, found = to_metadata(foreign)
    exif = (foreign.exif or b"").removeprefix(exif_bytes.PREFIX)
    orientation = exif_bytes.read_orientation(exif)
    if orientation is None and foreign.xmp:
        orientation = xmp_bytes.read_orientation(foreign.xmp)
    if orientation is not None and orientation != 1 and metadata.exif is None:
        metadata = with_exif_orientation(metadata, orientation)
    return Decoded(pixels, metadata, orientation if metadata.exif and orientation else 1, (*notices, *found))


def _frames_notice(n_frames: int, what: str) -> tuple[str, ...]:
    return (f"{n_frames} {what}s, the first taken",) if n_frames > 1 else ()
