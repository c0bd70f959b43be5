"""Pixels as a PNG file, the one place where msroi writes one to be looked at."""

from __future__ import annotations

import io
import zlib

import numpy as np
import numpy.typing as npt
from PIL import Image


def png_file(pixels: npt.NDArray[np.uint8], icc_profile: bytes | None = None, *, smooth: bool = False) -> bytes:
    """A PNG file of uint8 pixels (height, width[, 3]) in the space of the profile, sRGB without one.

    smooth: a map, in which zlib finds long repetitions. In photos it finds none and takes five times as long to
    look for them: those are written with runs alone, which makes files of about the same size.
    """
    file = io.BytesIO()
    strategy = zlib.Z_DEFAULT_STRATEGY if smooth else zlib.Z_RLE
    Image.fromarray(pixels).save(file, "PNG", icc_profile=icc_profile, compress_type=strategy)
    return file.getvalue()
