"""From a loaded PIL picture of any mode to samples, and from samples to pixels.

Samples are made in stripes of rows, one after another: of a large picture there is never a second copy, but for the
pixels that come out at the end.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageFile

from msroi.errors import ImageError
from msroi.images import colour

_STRIPE_PIXELS = 1_000_000


class Samples:
    """Samples of a picture, made when they are asked for.

    height, width: pixels. stripe: makes those of the rows top to bottom, uint8 or uint16: grey (rows, width), grey
    and alpha (rows, width, 2), RGB (rows, width, 3) or RGBA (rows, width, 4).
    """

    def __init__(self, height: int, width: int, stripe: Callable[[int, int], np.ndarray]) -> None:
        self._height, self._width, self._stripe = height, width, stripe

    @classmethod
    def of(cls, array: np.ndarray) -> Samples:
        """Those of an array."""
        return cls(array.shape[0], array.shape[1], lambda top, bottom: array[top:bottom])

    def then(self, function: Callable[[np.ndarray], np.ndarray]) -> Samples:
        """These samples with `function` done to every stripe; it may change channels and type, not rows."""
        return Samples(self._height, self._width, lambda top, bottom: function(self._stripe(top, bottom)))

    def gathered(self) -> np.ndarray:
        """All of them in one array."""
        n_rows = max(1, _STRIPE_PIXELS // self._width)
        first = self._stripe(0, min(n_rows, self._height))
        result = np.empty((self._height, *first.shape[1:]), first.dtype)
        result[:n_rows] = first
        for top in range(n_rows, self._height, n_rows):
            bottom = min(top + n_rows, self._height)
            result[top:bottom] = self._stripe(top, bottom)
        return result


def pixels_of(image: Image.Image, profile: bytes | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """A loaded PIL picture of any mode as uint8 pixels, RGB or grey, over white, and notices.

    `profile`: its ICC profile, through which CMYK goes. Errors: ImageError for floating point and the like.
    """
    samples, notices = samples_of(image, profile)
    return flat(samples).gathered(), notices


def samples_of(image: Image.Image, profile: bytes | None) -> tuple[Samples, tuple[str, ...]]:
    """The samples of a loaded PIL picture of any mode, and notices."""
    mode = image.mode
    if mode == "CMYK":
        convert, notice = colour.cmyk_to_srgb(profile)
        return _by_stripes(image, convert), (notice,)
    if mode == "LAB":
        convert, notice = colour.lab_to_srgb()
        return _by_stripes(image, convert), (notice,)
    if mode == "I" or mode.startswith("I;16"):
        return _by_stripes(image).then(_samples_of_integers), ()
    if mode == "F":
        raise ImageError("its samples are floating point; convert it to 8 or 16 bit integers first")
    plain = _plain_mode(image)
    if plain == mode and "transparency" not in image.info:
        return _by_stripes(image), ()
    return _by_stripes(image, lambda part: part.convert(plain)), ()


def _by_stripes(image: Image.Image, convert: Callable[[Image.Image], Image.Image] = lambda part: part) -> Samples:
    """The samples of a loaded picture, converted by stripes."""

    def stripe(top: int, bottom: int) -> np.ndarray:
        return np.asarray(convert(image.crop((0, top, image.width, bottom))))

    return Samples(image.height, image.width, stripe)


def _samples_of_integers(values: np.ndarray) -> np.ndarray:
    if values.min() < 0 or values.max() > 65_535:
        raise ImageError("its samples are 32-bit integers beyond 0 to 65535; convert it to 8 or 16 bit first")
    return values.astype(np.uint16)


def _plain_mode(image: Image.Image) -> str:
    """L, LA, RGB or RGBA: what holds a picture of another mode."""
    mode = image.mode
    transparent = image.has_transparency_data
    if mode == "P":
        is_grey = _palette_is_grey(image)
        return ("LA" if is_grey else "RGBA") if transparent else ("L" if is_grey else "RGB")
    if mode in ("1", "L", "LA", "La"):
        return "LA" if transparent else "L"
    return "RGBA" if transparent or mode in ("PA", "RGBa") else "RGB"


def _palette_is_grey(image: Image.Image) -> bool:
    palette: Any = image.getpalette("RGB")
    values = np.asarray(palette or [0, 1, 2], np.uint8)[: len(palette or [0, 1, 2]) // 3 * 3].reshape(-1, 3)
    return bool((values == values[:, :1]).all())


def split_alpha(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """(colour, alpha): colour (h, w) or (h, w, 3), alpha (h, w) or None."""
    if samples.ndim == 3 and samples.shape[2] in (2, 4):
        plain = samples[..., 0] if samples.shape[2] == 2 else samples[..., :3]
        return plain, samples[..., -1]
    return samples, None


def flat(
    samples: Samples,
    premultiplied: bool = False,
    convert: Callable[[np.ndarray], np.ndarray] = lambda plain: plain,
) -> Samples:
    """uint8 pixels, RGB or grey, over white. convert: what is done to colours before they are covered by alpha."""

    def over_white(part: np.ndarray) -> np.ndarray:
        plain, alpha = split_alpha(part)
        plain = convert(plain)
        if alpha is not None:
            # Colours of 8 bits were divided by alpha in loading, those of 16 were left as they are.
            whole = premultiplied and plain.dtype == np.uint16
            plain = colour.over_white(plain, alpha, premultiplied=whole)
        return colour.to_8_bit(plain)

    return samples.then(over_white)


# --- 16 bits a sample -----------------------------------------------------------------------------
#
# Pillow has no mode for colour of 16 bits: it keeps the upper byte of each sample. Told the other order of bytes, it
# keeps the lower one, so that two passes give both.

_OTHER_BYTE = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}

# What is done to a picture of Pillow's that is opened and not yet loaded.
Look = Callable[[ImageFile.ImageFile], None]


def samples_16(load: Callable[[Look], Image.Image]) -> tuple[Samples, tuple[str, ...]]:
    """The uint16 samples of a PNG or TIFF of 16 bits, and notices.

    load: opens the file, hands it over before it is loaded, and loads it. Errors: what it raises.
    """
    modes = []

    def look(image: ImageFile.ImageFile) -> None:
        mode = _raw_mode(image).replace("RGBa", "RGBA")  # as they are, not divided by alpha
        modes.append(mode)
        if mode == "LA;16B":  # four bytes a pixel, which RGBA holds as they are
            image._mode = mode = "RGBA"
        _set_raw_mode(image, mode)

    image = load(look)
    (mode,) = modes
    if mode == "LA;16B":
        return _by_stripes(image).then(lambda part: _wide(part[..., ::2], part[..., 1::2])), ()
    if image.mode == "I" or image.mode.startswith("I;16"):
        return samples_of(image, None)
    if mode[-4:-1] != ";16":
        return samples_of(image, None)[0], ("16 bits a channel read as their upper 8",)
    upper = _by_stripes(image).gathered()
    del image  # not two of them at a time
    image = load(lambda other: _set_raw_mode(other, mode[:-1] + _OTHER_BYTE[mode[-1]]))

    def stripe(top: int, bottom: int) -> np.ndarray:
        return _wide(upper[top:bottom], np.asarray(image.crop((0, top, image.width, bottom))))

    samples = Samples(image.height, image.width, stripe)
    return samples.then(lambda part: part[..., :3]) if mode.startswith("RGBX") else samples, ()


def _wide(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    return upper.astype(np.uint16) << 8 | lower


def _raw_mode(image: ImageFile.ImageFile) -> str:
    """How the bytes of a file lie that is not loaded yet, in Pillow's words."""
    arguments = image.tile[0].args if image.tile else ""
    return str(arguments[0] if isinstance(arguments, tuple) and arguments else arguments)


def _set_raw_mode(image: ImageFile.ImageFile, mode: str) -> None:
    def changed(arguments: Any) -> Any:
        return (mode, *arguments[1:]) if isinstance(arguments, tuple) else mode

    image.tile = [tile._replace(args=changed(tile.args)) for tile in image.tile]
