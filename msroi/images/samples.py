"""From a loaded PIL picture of any mode to samples, and from samples to pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from msroi.errors import ImageError
from msroi.images import colour


def pixels_of(image: Image.Image, profile: bytes | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """A loaded PIL picture of any mode as uint8 pixels, RGB or grey, over white, and notices.

    `profile`: its ICC profile, through which CMYK goes. Errors: ImageError for floating point and the like.
    """
    samples, notices = samples_of(image, profile)
    return flat(samples), notices


def samples_of(image: Image.Image, profile: bytes | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """Samples uint8 or uint16: grey (h, w), grey and alpha (h, w, 2), RGB (h, w, 3) or RGBA (h, w, 4)."""
    mode = image.mode
    if mode == "CMYK":
        pixels, notice = colour.cmyk_to_srgb(image, profile)
        return pixels, (notice,)
    if mode == "LAB":
        pixels, notice = colour.lab_to_srgb(image)
        return pixels, (notice,)
    if mode == "I" or mode.startswith("I;16"):
        return _samples_of_integers(np.asarray(image)), ()
    if mode == "F":
        raise ImageError("its samples are floating point; convert it to 8 or 16 bit integers first")
    return np.asarray(_in_plain_mode(image)), ()


def _samples_of_integers(values: np.ndarray) -> np.ndarray:
    if values.min() < 0 or values.max() > 65_535:
        raise ImageError("its samples are 32-bit integers beyond 0 to 65535; convert it to 8 or 16 bit first")
    return values.astype(np.uint16)


def _in_plain_mode(image: Image.Image) -> Image.Image:
    """The picture as L, LA, RGB or RGBA."""
    mode = image.mode
    transparent = image.has_transparency_data
    if mode == "P":
        is_grey = _palette_is_grey(image)
        return image.convert(("LA" if is_grey else "RGBA") if transparent else ("L" if is_grey else "RGB"))
    if mode in ("L", "LA", "RGB", "RGBA") and "transparency" not in image.info:
        return image
    if mode in ("1", "L", "LA", "La"):
        return image.convert("LA" if transparent else "L")
    return image.convert("RGBA" if transparent or mode in ("PA", "RGBa") else "RGB")


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


def flat(samples: np.ndarray, premultiplied: bool = False) -> np.ndarray:
    """uint8 pixels, RGB or grey, over white."""
    plain, alpha = split_alpha(samples)
    if alpha is not None:
        plain = colour.over_white(plain, alpha, premultiplied=premultiplied)
    return colour.to_8_bit(plain)
