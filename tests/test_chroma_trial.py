"""`--chroma auto` of drawings: both samplings are coded, the better by SSIMULACRA2 is kept."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from drawn_made import DRAWN_ONES
from PIL import Image

import msroi
from msroi.codecs.jpeg import CODECS, plain
from msroi.codecs.jpeg.rdo.chroma_trial import SAMPLE_PIXELS, Either, _sample
from msroi.codecs.jpeg.rdo.session import RdoSession
from msroi.images import Picture
from msroi.metrics.ssimulacra2 import ssimulacra2_distance
from msroi.search.targets import largest

COLOURED = DRAWN_ONES["dark, in colours"]
FRINGED = DRAWN_ONES["fringes"]


def landed(pixels: np.ndarray, chroma: str, quality: int, threads: int = 1) -> bytes:
    encoder = CODECS["rdo"](chroma=chroma).start(Picture(pixels), None, threads)
    budget = len(plain.encode(pixels, quality))
    data = largest(encoder, budget).data
    assert len(data) <= budget
    return data


def sampling_of(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as image:
        return image.layer[0][1:3]


def distance(pixels: np.ndarray, data: bytes) -> float:
    return ssimulacra2_distance(pixels, np.ascontiguousarray(plain.decode(data)))


@pytest.mark.parametrize("quality", [30, 50, 90])
@pytest.mark.parametrize("name", ["dark, in colours", "fringes", "drawing"])
def test_auto_is_as_good_as_the_better_sampling(name: str, quality: int) -> None:
    pixels = DRAWN_ONES[name]
    auto, half, full = (distance(pixels, landed(pixels, chroma, quality)) for chroma in ("auto", "420", "444"))
    assert auto <= 1.04 * min(half, full)


def test_the_same_bytes_on_any_number_of_threads() -> None:
    assert landed(COLOURED, "auto", 50) == landed(COLOURED, "auto", 50, threads=3)


def test_photos_grey_pages_and_jpegs_go_by_the_rule(photo: np.ndarray) -> None:
    codec = CODECS["rdo"](chroma="auto")
    grey = np.repeat(DRAWN_ONES["grey"][..., None], 3, axis=2)
    coded = msroi.images.read(plain.encode(FRINGED, 90))
    for picture in (Picture(photo), Picture(grey), Picture(DRAWN_ONES["grey"]), coded):
        assert isinstance(codec.start(picture, None, 1), RdoSession)
    assert isinstance(codec.start(Picture(FRINGED), None, 1), Either)
    assert isinstance(CODECS["rdo"]().start(Picture(FRINGED), None, 1), RdoSession)


@pytest.mark.parametrize("target", [{"quality": 60}, {"size": 9000}, {"quality": 60, "match": "quality"}])
def test_every_target_is_met(target: dict[str, object]) -> None:
    result = msroi.compress(COLOURED, chroma="auto", focus=[(20, 20, 80, 60)], **target)
    again = msroi.compress(COLOURED, chroma="auto", focus=[(20, 20, 80, 60)], **target)
    assert result.data == again.data
    with Image.open(io.BytesIO(result.data)) as image:
        assert image.size == (320, 240)
    if "size" in target:
        assert len(result.data) <= 9000


def test_the_distance_is_that_of_ssimulacra2() -> None:
    package = pytest.importorskip("ssimulacra2", reason="the reference's program is an extra")
    for quality in (20, 60, 90):
        decoded = np.ascontiguousarray(plain.decode(plain.encode(COLOURED, quality)))
        total = 0.9562382616834844 * ssimulacra2_distance(COLOURED, decoded)
        total = 2.326765642916932 * total - 0.020884521182843837 * total**2 + 6.248496625763138e-05 * total**3
        files = []
        for pixels in (COLOURED, decoded):
            buffer = io.BytesIO()
            Image.fromarray(pixels).save(buffer, "PNG")
            buffer.seek(0)
            files.append(buffer)
        expected = package.compute_ssimulacra2(*files)
        assert 100 - 10 * math.pow(total, 0.6276336467831387) == pytest.approx(expected, abs=0.5)


def test_the_distance_of_equal_and_of_small_pictures() -> None:
    assert ssimulacra2_distance(FRINGED, FRINGED) == pytest.approx(0, abs=1e-3)
    small = FRINGED[:20, :31]
    assert ssimulacra2_distance(small, np.ascontiguousarray(small[::-1])) > 1


def test_large_pictures_are_compared_by_strips() -> None:
    pixels = np.tile(FRINGED, (9, 6, 1))
    strips = _sample(pixels)
    assert strips.shape[1:] == pixels.shape[1:]
    assert SAMPLE_PIXELS / 2 < strips.shape[0] * strips.shape[1] <= SAMPLE_PIXELS
    assert np.array_equal(_sample(FRINGED), FRINGED)
