"""Golden streams: files that the encoder once made, made again.

What is integers (levels to scans) must come out byte for byte anywhere. The whole encoder has logarithms and powers
in it, whose last bits belong to the processor: here, sizes and pictures must agree closely, anywhere. That files are
the same byte for byte where machine and libraries are is held by test_golden_bytes.py.

    python tests/golden_made.py        makes them again, after a change that is meant to change them
"""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from msroi.codecs.jpeg import _kernels
from msroi.codecs.jpeg.coefficients import SAMPLINGS
from msroi.codecs.jpeg.rdo import adaptive_quantisation
from msroi.codecs.jpeg.rdo.session import RdoSession
from msroi.codecs.jpeg.rdo.tables import PRESETS

GOLDEN = Path(__file__).parent / "golden"

SHAPES = {"420": (45, 67), "422": (40, 64), "444": (33, 50), "grey": (45, 67)}
"""(height, width) by sampling."""


def picture(height: int, width: int, grey: bool) -> np.ndarray:
    """Ramps, edges and grain, from integers alone."""
    y, x = np.mgrid[:height, :width]
    red = (x * 255 // max(width - 1, 1) + 60 * ((x // 9 + y // 7) % 2)) % 256
    green = (y * 255 // max(height - 1, 1) + 3 * ((x * 7 + y * 13) % 11)) % 256
    blue = np.where((x - width // 2) ** 2 + (y - height // 2) ** 2 < (height // 3) ** 2, 200, 30)
    planes = np.stack([red, green, blue], axis=-1).astype(np.uint8)
    return np.ascontiguousarray(planes[..., 0] if grey else planes)


def stream(sampling: str, progressive: bool) -> bytes:
    """Levels made of integers, as a file."""
    height, width = SHAPES[sampling]
    factors = [(1, 1)] if sampling == "grey" else [SAMPLINGS[sampling], (1, 1), (1, 1)]
    levels, tables = [], []
    for index, (h, v) in enumerate(factors):
        horizontal, vertical = (max(f[i] for f in factors) for i in (0, 1))
        rows = math.ceil(math.ceil(height * v / vertical) / 8)
        columns = math.ceil(math.ceil(width * h / horizontal) / 8)
        k = np.arange(rows * columns * 64).reshape(rows, columns, 64)
        values = (k * 2654435761 + index * 97) % 4093 % 23 - 11
        values = np.where(k % 64 > 12 + k // 64 % 30, 0, values) * (values % 3 == 0)
        levels.append(values.astype(np.int16))
        tables.append((np.arange(64) // 2 + 3 + index).astype(np.uint16))
    return _kernels.write_jpeg(levels, tables, factors, height, width, progressive, 1)


def encoded(sampling: str, preset: str) -> bytes:
    """The whole encoder at a fixed setting, with a map."""
    grey = sampling == "grey"
    pixels = picture(*SHAPES[sampling], grey)
    saliency = np.linspace(0, 1, pixels.shape[1], dtype=np.float32)[None].repeat(pixels.shape[0], axis=0)
    weights = adaptive_quantisation.from_map(saliency, 30, 70)
    encoder = RdoSession.of(pixels, PRESETS[preset], sampling="420" if grey else sampling, weights=weights)
    return encoder.near(0.55).encode(0.55)


STREAMS = [(sampling, progressive) for sampling in SHAPES for progressive in (False, True)]
ENCODES = [(sampling, preset) for sampling in SHAPES for preset in PRESETS]


def stream_file(sampling: str, progressive: bool) -> Path:
    return GOLDEN / f"stream-{sampling}-{'progressive' if progressive else 'sequential'}.jpg"


def encoded_file(sampling: str, preset: str) -> Path:
    return GOLDEN / f"rdo-{sampling}-{preset}.jpg"


@pytest.mark.parametrize(("sampling", "progressive"), STREAMS)
def test_scans_are_the_golden_ones(sampling: str, progressive: bool) -> None:
    assert stream(sampling, progressive) == stream_file(sampling, progressive).read_bytes()


@pytest.mark.parametrize(("sampling", "preset"), ENCODES)
def test_files_are_the_golden_ones(sampling: str, preset: str) -> None:
    now, golden = encoded(sampling, preset), encoded_file(sampling, preset).read_bytes()
    assert abs(len(now) - len(golden)) <= 0.01 * len(golden)
    a, b = (np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int) for data in (now, golden))
    assert a.shape == b.shape
    assert np.abs(a - b).mean() < 0.5


def test_golden_files_are_all_there() -> None:
    expected = {stream_file(*case) for case in STREAMS} | {encoded_file(*case) for case in ENCODES}
    assert expected == set(GOLDEN.glob("*.jpg"))


def make() -> None:
    """Put the files there anew."""
    GOLDEN.mkdir(exist_ok=True)
    for case in STREAMS:
        stream_file(*case).write_bytes(stream(*case))
    for case in ENCODES:
        encoded_file(*case).write_bytes(encoded(*case))
