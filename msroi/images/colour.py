"""Colour: from what files hold to RGB or grey pixels, and to sRGB.

Transforms by profile are Little CMS's (PIL.ImageCms), relative colorimetric with black point compensation,
as Photoshop's default. The rest is written out here.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image

from msroi.images.picture import Picture
from msroi.metadata import Metadata, icc
from msroi.metadata import exif as exif_bytes
from msroi.metadata.model import exif_segment, is_exif
from msroi.metadata.png import Chromaticities, Png

_STRIPE_SAMPLES = 3_000_000  # rows are worked on so many samples at a time, which bounds memory
_PNG_GAMMA_SRGB = 0.45455
_SRGB_PRIMARIES = Chromaticities((0.3127, 0.3290), (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
_ADOBE_RGB = Chromaticities((0.3127, 0.3290), (0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
_ADOBE_RGB_GAMMA = 256 / 563  # Adobe RGB (1998), 4.3.4.2
# ITU-T H.273: primaries of the coding points that cameras and browsers write.
_CODING_PRIMARIES = {
    1: _SRGB_PRIMARIES,
    9: Chromaticities((0.3127, 0.3290), (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    12: Chromaticities((0.3127, 0.3290), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_TO_8_BIT = ((np.arange(65_536, dtype=np.uint32) * 255 + 32_767) // 65_535).astype(np.uint8)


def to_8_bit(samples: np.ndarray) -> np.ndarray:
    """uint16 to uint8, rounded: (v * 255 + 32767) // 65535. uint8 passes."""
    return _TO_8_BIT[samples] if samples.dtype == np.uint16 else samples


def over_white(colour: np.ndarray, alpha: np.ndarray, *, premultiplied: bool = False) -> np.ndarray:
    """`colour` (height, width[, 3]) over white by `alpha` (height, width), both uint8 or both uint16.

    Rounded to the nearest; premultiplied colour already holds its share.
    """
    peak = np.uint32(np.iinfo(colour.dtype).max)

    def blend(part: np.ndarray, cover: np.ndarray) -> np.ndarray:
        cover = cover.astype(np.uint32).reshape(cover.shape + (1,) * (part.ndim - 2))
        wide = part.astype(np.uint32)
        if premultiplied:
            return np.minimum(wide + (peak - cover), peak)
        return (wide * cover + peak * (peak - cover) + peak // 2) // peak

    return _in_stripes(colour, blend, colour.dtype, alpha)


def _in_stripes(
    array: np.ndarray,
    function: Callable[..., np.ndarray],
    dtype: np.dtype | type,
    *beside: np.ndarray,
    channels: int | None = None,
) -> np.ndarray:
    """`function` over stripes of rows of `array` (and of `beside`), results as `dtype`."""
    shape = array.shape if channels is None else (*array.shape[:2], channels)
    result = np.empty(shape, dtype)
    n_rows = max(1, _STRIPE_SAMPLES // max(1, int(np.prod(array.shape[1:]))))
    for top in range(0, array.shape[0], n_rows):
        rows = slice(top, top + n_rows)
        result[rows] = function(array[rows], *(other[rows] for other in beside))
    return result


class PngToSrgb:
    """Brings colour samples (uint8 or uint16, no alpha) of a PNG without a profile to sRGB, stripe by stripe.

    cICP goes before sRGB, sRGB before gAMA and cHRM (PNG, third edition, 11.3.2). What differs from sRGB
    by no more than rounding is left as it is.
    """

    def __init__(self, png: Png) -> None:
        self._gamma: float | None = None
        self._primaries: Chromaticities | None = None
        self._unknown, self._what, self._changed = "", "gAMA and cHRM", False
        if png.coding_points:
            self._primaries, transfer = _CODING_PRIMARIES.get(png.coding_points[0]), png.coding_points[1]
            self._what = "coding points (cICP)"
            if self._primaries is None or transfer not in (1, 6, 13, 14, 15):
                self._primaries, self._unknown = None, "-".join(str(value) for value in png.coding_points)
        elif not png.says_srgb:
            self._gamma, self._primaries = png.gamma, png.chromaticities

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        gamma, primaries = self._gamma, self._primaries
        matrix = None if primaries is None or samples.ndim == 2 else _matrix_to_srgb(primaries)
        if matrix is not None and np.abs(matrix - np.eye(3)).max() < 0.002:
            matrix = None
        if matrix is None and gamma is not None and abs(gamma - _PNG_GAMMA_SRGB) < 0.0005:
            gamma = None  # 1/2.2 is how a PNG in sRGB says so; with other primaries it is meant
        if gamma is None and matrix is None:
            return samples
        converted = to_srgb(samples, gamma, matrix)
        self._changed = self._changed or not np.array_equal(converted, samples)
        return converted

    @property
    def notices(self) -> tuple[str, ...]:
        """What was done to all stripes so far."""
        if self._unknown:
            return (f"colours taken as sRGB: the PNG's coding points {self._unknown} are not known here",)
        return (f"colours converted to sRGB as the PNG's {self._what} say",) if self._changed else ()


def to_srgb(samples: np.ndarray, gamma: float | None, matrix: np.ndarray | None) -> np.ndarray:
    """Samples (uint8 or uint16) to sRGB, same dtype.

    gamma: exponent of the encoding, sample = light ** gamma; None for sRGB's own curve.
    matrix: (3, 3) from linear RGB to linear sRGB; None for the same primaries.
    """
    peak = np.iinfo(samples.dtype).max
    values = np.arange(peak + 1, dtype=np.float64) / peak
    light = _srgb_to_linear(values) if gamma is None else values ** (1 / gamma)
    if matrix is None:
        table = np.rint(_linear_to_srgb(light) * peak).astype(samples.dtype)
        return table[samples]
    linear, to_linear_srgb = light.astype(np.float32), matrix.T.astype(np.float32)

    def convert(part: np.ndarray) -> np.ndarray:
        return np.rint(_linear_to_srgb(np.clip(linear[part] @ to_linear_srgb, 0, 1)) * peak)

    return _in_stripes(samples, convert, samples.dtype)


def _srgb_to_linear(value: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1."""
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _linear_to_srgb(light: np.ndarray) -> np.ndarray:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055)


def _matrix_to_srgb(primaries: Chromaticities) -> np.ndarray | None:
    """(3, 3) from linear RGB of `primaries` to linear sRGB, white adapted by Bradford; None for nonsense."""
    try:
        source, target = _to_xyz(primaries), _to_xyz(_SRGB_PRIMARIES)
        cones = _BRADFORD @ source.sum(axis=1), _BRADFORD @ target.sum(axis=1)
        adapted = np.linalg.inv(_BRADFORD) @ np.diag(cones[1] / cones[0]) @ _BRADFORD
        matrix = np.linalg.inv(target) @ adapted @ source
    except (np.linalg.LinAlgError, ZeroDivisionError):
        return None
    return matrix if np.isfinite(matrix).all() and np.abs(matrix).max() < 100 else None


def _to_xyz(primaries: Chromaticities) -> np.ndarray:
    """(3, 3) from linear RGB to XYZ, white at luminance 1."""

    def xyz(point: tuple[float, float]) -> np.ndarray:
        x, y = point
        return np.array([x / y, 1.0, (1 - x - y) / y])

    columns = np.stack([xyz(primaries.red), xyz(primaries.green), xyz(primaries.blue)], axis=1)
    return columns * np.linalg.solve(columns, xyz(primaries.white))


Convert = Callable[[Image.Image], Image.Image]


def cmyk_to_srgb(profile: bytes | None) -> tuple[Convert, str]:
    """What makes sRGB of a CMYK picture (PIL, 255 is full ink) or a part of it, and a notice that says by which way."""
    if profile is not None and icc.colour_space(profile) == "CMYK":
        convert = _by_profile(profile, "CMYK", "RGB")
        if convert is not None:
            return convert, "CMYK converted to sRGB through its profile"
    reason = "has no profile" if profile is None else "has no usable profile"
    return lambda part: part.convert("RGB"), f"CMYK converted to sRGB by rule of thumb: it {reason}"


def lab_to_srgb() -> tuple[Convert, str]:
    """What makes sRGB of a CIE Lab picture (PIL, D50) or a part of it, and a notice."""
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(lab, srgb, "LAB", "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC)
    return transform.apply, "CIE Lab converted to sRGB"


def _by_profile(profile: bytes, mode: str, to_mode: str) -> Convert | None:
    """What takes pictures through a profile to sRGB; None if Little CMS cannot use the profile."""
    from PIL import ImageCms

    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            mode,
            to_mode,
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        transform.apply(Image.new(mode, (1, 1)))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return transform.apply


def pixels_to_srgb(pixels: np.ndarray, profile: bytes) -> np.ndarray | None:
    """RGB or grey pixels in a profile's space as sRGB pixels of the same shape; None if it is not usable."""
    space, is_grey = icc.colour_space(profile), pixels.ndim == 2
    if space == "GRAY" and is_grey:
        convert = _by_profile(profile, "L", "RGB")
    elif space == "RGB":
        convert = _by_profile(profile, "RGB", "RGB")
    else:
        return None
    if convert is None:
        return None

    def through(part: np.ndarray) -> np.ndarray:
        image = Image.fromarray(part)
        converted = convert(image.convert("RGB") if is_grey and space == "RGB" else image)
        # Grey stays grey: neutral through any sane profile.
        return np.asarray(converted.getchannel("G") if is_grey else converted)

    return _in_stripes(pixels, through, np.uint8)


def is_srgb(profile: bytes) -> bool:
    """True if the profile moves no colour of a 9 x 9 x 9 grid by more than 2 of 255 on the way to sRGB."""
    steps = np.round(np.linspace(0, 255, 9)).astype(np.uint8)
    if icc.colour_space(profile) == "GRAY":
        grid: np.ndarray = np.arange(256, dtype=np.uint8).reshape(16, 16)
    else:
        grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(27, 27, 3)
    converted = pixels_to_srgb(grid, profile)
    return converted is not None and int(np.abs(converted.astype(int) - grid).max()) <= 2


def convert_to_srgb(picture: Picture) -> Picture:
    """`--srgb`: pixels converted to sRGB, the profile dropped, EXIF's colour space set to sRGB.

    A picture without a profile is sRGB already, but for a camera's Adobe RGB that EXIF alone states.
    """
    profile = picture.metadata.icc_profile
    exif = picture.metadata.exif
    if profile is not None:
        pixels = picture.pixels if is_srgb(profile) else pixels_to_srgb(picture.pixels, profile)
        if pixels is None:
            notice = "not converted to sRGB: its profile cannot be used"
            return replace(picture, notices=(*picture.notices, notice))
        name = icc.description(profile) or "its profile"
        notice = f"converted from {name} to sRGB"
    elif exif is not None and exif_bytes.claims_adobe_rgb(exif) and picture.pixels.ndim == 3:
        pixels = to_srgb(picture.pixels, _ADOBE_RGB_GAMMA, _matrix_to_srgb(_ADOBE_RGB))
        notice = "converted from Adobe RGB, which EXIF states, to sRGB"
    else:
        return picture
    changed = pixels is not picture.pixels
    return replace(
        picture,
        pixels=frozen(pixels),
        metadata=srgb_metadata(picture.metadata),
        notices=(*picture.notices, notice) if changed else picture.notices,
        as_decoded=picture.as_decoded and not changed,
    )


def srgb_metadata(metadata: Metadata) -> Metadata:
    """The metadata of pixels that are sRGB now: no profile, EXIF's colour space sRGB where it names one."""
    segments = tuple(
        exif_segment(exif_bytes.with_srgb_claim(s.payload[6:])) if is_exif(s) else s
        for s in metadata.segments
        if not icc.is_part(s)
    )
    return replace(metadata, segments=segments)


def frozen(pixels: np.ndarray) -> np.ndarray:
    """The pixels C-contiguous and read-only."""
    pixels = np.ascontiguousarray(pixels)
    if pixels.flags.writeable:
        pixels = pixels.view()
        pixels.flags.writeable = False
    return pixels
