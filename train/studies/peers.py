"""Other encoders at plain JPEG's bytes, as the benchmark runs them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from msroi.benchmark.encoders import ENCODERS
from msroi.benchmark.subject import Subject
from msroi.benchmark.targets import Files, Target, reach
from msroi.images import read


def at_plains_bytes(name: str, pixels: npt.NDArray[np.uint8], quality: int) -> bytes:
    """The largest file of the encoder `name` that is not above plain JPEG's at `quality`."""
    encoder = ENCODERS[name]
    files = Files(encoder.begin(Subject(read(pixels))), 0.0)
    return reach(encoder, files, Target(quality=quality), "size", pixels).match.data
