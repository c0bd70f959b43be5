"""Pictures as data URIs: what a page carries so that it needs nothing else.

A candidate is embedded as the bytes it is, because the page is there to show those bytes. Only what
no browser opens (TIFF, HEIC) is turned into PNG. The reference has no file of its own here: it is
embedded losslessly while that is reasonable, and very large photos are shown by one region, whose
pixels are exact.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from msroi.errors import ImageError
from msroi.images import Limits, Picture, png_file, read
from msroi.metadata import icc
from msroi.report.document import data_uri
from msroi.saliency.pictures import jet_table

# Formats that today's browsers open, by the name that `msroi.images.read` gives them.
_BROWSER_FORMATS = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WebP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "AVIF": "image/avif",
}

# Up to here the reference is a PNG (about 1.5 bytes a pixel); above, a JPEG that shows no loss.
LOSSLESS_PIXELS = 4_000_000
NEAR_LOSSLESS_QUALITY = 96
# Above this a browser cannot hold three layers at full size, so one region is shown.
WHOLE_PICTURE_PIXELS = 40_000_000
REGION_PIXELS = 3_000_000

# Neither side of a WebP may be longer.
_WEBP_SIDE = 16_383

# A map has no detail finer than this.
_MAP_SIDE = 640


@dataclass(frozen=True)
class Region:
    """The part of the upright pictures that the page shows, in pixels."""

    left: int
    top: int
    width: int
    height: int

    def of(self, array: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        return np.ascontiguousarray(array[self.top : self.top + self.height, self.left : self.left + self.width])


@dataclass
class Embedder:
    """Turns pictures of one size into data URIs and keeps what the reader should know about it.

    width, height: the upright pictures' size in pixels.
    icc_profile: the reference's colour profile; candidates without one of their own are shown in it
    too, or the page would compare colours rather than coding.
    centre: (x, y), the point around which very large pictures are shown; None for the map's choice.
    lossless: what pixels are written as, "PNG" or, a quarter smaller and slower, "WebP".
    """

    width: int
    height: int
    saliency: npt.NDArray[np.float32] | None = None
    icc_profile: bytes | None = None
    lossless: str = "PNG"
    centre: tuple[float, float] | None = None
    notices: list[str] = field(default_factory=list)
    region: Region | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.width * self.height > WHOLE_PICTURE_PIXELS:
            self.region = choose_region(self.width, self.height, self.saliency, self.centre)
            self.notices.append(
                f"The pictures have {self.width * self.height / 1e6:.0f} megapixels; the page shows "
                f"{self.region.width} x {self.region.height} pixels of them, from column {self.region.left}, "
                f"row {self.region.top}, as decoded. The scores are those of the whole pictures."
            )

    @property
    def view_size(self) -> tuple[int, int]:
        """(width, height) of what is shown."""
        return (self.region.width, self.region.height) if self.region else (self.width, self.height)

    def reference(self, pixels: npt.NDArray[np.uint8]) -> str:
        """The reference, uint8 (height, width[, 3]) upright, without loss or, above 4 megapixels, as JPEG."""
        if self.region is not None or pixels.shape[0] * pixels.shape[1] <= LOSSLESS_PIXELS:
            return self.exact(pixels)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(
            buffer, "JPEG", quality=NEAR_LOSSLESS_QUALITY, subsampling=0, icc_profile=self.icc_profile
        )
        self.notices.append(
            f"To keep this page small, the original is shown in it as a JPEG of quality "
            f"{NEAR_LOSSLESS_QUALITY} without colour subsampling ({len(buffer.getvalue()) / 1e6:.1f} MB). "
            "The scores were measured on its true pixels."
        )
        return data_uri("image/jpeg", buffer.getvalue())

    def candidate(self, name: str, data: bytes) -> str:
        """A candidate's bytes as they are where a browser opens them, else its decoded pixels."""
        picture = self._read(name, data)
        mime = _BROWSER_FORMATS.get(picture.source.format)
        if self.region is not None:
            return self.exact(picture.upright)
        if mime is None:
            self.notices.append(
                f"{name}: no browser opens every {picture.source.format}, so its decoded pixels are shown."
            )
            return self.exact(picture.upright)
        if mime == "image/jpeg" and self.icc_profile and picture.metadata.icc_profile is None:
            data = with_icc_profile(data, self.icc_profile)
        return data_uri(mime, data)

    def heat_map(self) -> str:
        """The map in jet colours, a palette PNG of at most 640 pixels a side."""
        assert self.saliency is not None
        values = self.saliency
        if self.region is not None:
            r = self.region
            values = values[r.top : r.top + r.height, r.left : r.left + r.width]
        height, width = values.shape
        scale = _MAP_SIDE / max(height, width)
        if scale < 1:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            values = np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)
        picture = Image.fromarray(np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8))
        picture.putpalette(jet_table().tobytes())
        buffer = io.BytesIO()
        picture.save(buffer, "PNG", optimize=True)
        return data_uri("image/png", buffer.getvalue())

    def exact(self, pixels: npt.NDArray[np.uint8]) -> str:
        """What is shown of a whole picture's pixels, uint8 (height, width[, 3]), without loss."""
        if self.region is not None:
            pixels = self.region.of(pixels)
        buffer = io.BytesIO()
        if self.lossless == "WebP" and max(pixels.shape[:2]) <= _WEBP_SIDE:
            Image.fromarray(pixels).convert("RGB").save(
                buffer, "WebP", lossless=True, quality=50, method=2, icc_profile=self.icc_profile or b""
            )
            return data_uri("image/webp", buffer.getvalue())
        return data_uri("image/png", png_file(pixels, self.icc_profile))

    def _read(self, name: str, data: bytes) -> Picture:
        """The candidate's picture, which must have the reference's size."""
        # The caller has read it under limits of his own: these only keep the reader from asking again.
        limits = Limits(max_megapixels=self.width * self.height / 1e6 + 1, max_bytes=len(data) + 1)
        picture = read(data, name=name, limits=limits)
        width, height = picture.upright_size
        if (width, height) != (self.width, self.height):
            raise ImageError(
                f"{name}: {width}x{height} upright, but the reference is {self.width}x{self.height}; "
                "only pictures of one size can be laid over each other"
            )
        return picture


def choose_region(
    width: int,
    height: int,
    saliency: npt.NDArray[np.float32] | None,
    centre: tuple[float, float] | None = None,
) -> Region:
    """A region of 3 megapixels, of the picture's shape: around the centre, else where the map sums to most."""
    scale = (REGION_PIXELS / (width * height)) ** 0.5
    region_width = min(width, max(round(width * scale), min(width, 1000)))
    region_height = min(height, max(round(height * scale), min(height, 1000)))
    left, top = (width - region_width) // 2, (height - region_height) // 2
    if centre is not None:
        left, top = (max(0, int(c - r / 2)) for c, r in zip(centre, (region_width, region_height), strict=True))
    elif saliency is not None and np.ptp(saliency) > 0:
        # A box filter anchored at the top left gives, at each pixel, the sum of the region beginning there.
        step = max(1, min(region_width, region_height) // 64)
        coarse = np.ascontiguousarray(saliency[::step, ::step])
        box = (max(1, region_width // step), max(1, region_height // step))
        sums = cv2.boxFilter(coarse, cv2.CV_32F, box, anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
        top, left = (int(i) * step for i in np.unravel_index(int(np.argmax(sums)), sums.shape))
    return Region(min(left, width - region_width), min(top, height - region_height), region_width, region_height)


def with_icc_profile(jpeg: bytes, profile: bytes) -> bytes:
    """The JPEG with a colour profile put in behind its first marker and JFIF header."""
    position = 2
    if jpeg[2:4] == b"\xff\xe0":
        position = 4 + int.from_bytes(jpeg[4:6], "big")
    segments = b"".join(segment.to_bytes() for segment in icc.split(profile))
    return jpeg[:position] + segments + jpeg[position:]
