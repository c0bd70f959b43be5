"""The picture: pixels as stored, how to turn them upright, and what travels with them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from msroi.errors import ImageError, OptionError
from msroi.images.orientation import turn_upright
from msroi.metadata import Metadata

_MAX_SIDE = 65_500  # libjpeg's JPEG_MAX_DIMENSION


@dataclass(frozen=True)
class Source:
    """Where a picture came from.

    name: what messages call it; format: `JPEG`, `PNG`, ..., `array`; data: the file as read, None for arrays
    and PIL pictures.
    """

    name: str
    format: str
    data: bytes | None


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture as the encoders take it.

    pixels: uint8 (height, width, 3) RGB or (height, width) grey, as stored, C-contiguous, read-only, in the
        colour space of the metadata's ICC profile (sRGB without one).
    orientation: EXIF 1 to 8, how stored pixels are turned upright.
    notices: what the user should know, each one line.
    as_decoded: the pixels are what the JPEG in `source.data` shows, through its own colour transform and nothing
        else. Whoever replaces the pixels sets it to False.
    """

    pixels: np.ndarray
    orientation: int = 1
    metadata: Metadata = field(default_factory=Metadata)
    source: Source = field(default_factory=lambda: Source("array", "array", None))
    notices: tuple[str, ...] = ()
    as_decoded: bool = False

    @property
    def upright(self) -> np.ndarray:
        """The pixels turned upright, C-contiguous."""
        return turn_upright(self.pixels, self.orientation)

    @property
    def upright_size(self) -> tuple[int, int]:
        """(width, height) in pixels, upright."""
        height, width = self.pixels.shape[:2]
        return (height, width) if self.orientation > 4 else (width, height)


@dataclass(frozen=True)
class Limits:
    """What is refused, from the header and before any pixel is decoded.

    max_megapixels: width times height in millions; max_side: pixels, no more than libjpeg's own 65,500;
    max_bytes: of the input; max_scans: of a progressive JPEG, whose every scan costs a pass over the picture
    (encoders write 10 to 20).
    """

    max_megapixels: float = 150
    max_side: int = _MAX_SIDE
    max_bytes: int = 256_000_000
    max_scans: int = 100

    def __post_init__(self) -> None:
        for name in ("max_megapixels", "max_side", "max_bytes", "max_scans"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
                raise OptionError(f"limit {name} is {value!r}; it must be a number above 0")
        if self.max_side > _MAX_SIDE:
            raise OptionError(f"limit max_side is {self.max_side}; libjpeg takes at most {_MAX_SIDE} pixels a side")

    def check_size(self, width: int, height: int) -> None:
        """Errors: ImageError for a picture of these dimensions (pixels)."""
        if width < 1 or height < 1:
            raise ImageError(f"declares {width} x {height} pixels, so there is no picture")
        if max(width, height) > self.max_side:
            raise ImageError(f"{width} x {height} pixels; at most {self.max_side} a side are taken")
        if width * height > self.max_megapixels * 1e6:
            raise ImageError(
                f"{width} x {height} pixels are {width * height / 1e6:.1f} megapixels; "
                f"the limit is {self.max_megapixels:g} megapixels"
            )

    def check_bytes(self, n_bytes: int) -> None:
        """Errors: ImageError for an input of so many bytes."""
        if n_bytes > self.max_bytes:
            raise ImageError(f"more than {self.max_bytes} bytes, which is the limit for an input")
