"""`msroi.compare`: what may be compared with what, and what weighs the scores."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import msroi
from msroi.errors import ImageError, SaliencyError
from msroi.metrics import score


def jpeg(pixels: np.ndarray, quality: int = 50) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return file.getvalue()


def test_files_bytes_and_arrays_are_scored_as_the_metrics_do(photo: np.ndarray, tmp_path: Path) -> None:
    data = jpeg(photo)
    (tmp_path / "a.jpg").write_bytes(data)
    with Image.open(io.BytesIO(data)) as image:
        expected = score(photo, np.asarray(image))
    assert msroi.compare(photo, data) == expected
    assert msroi.compare(photo, tmp_path / "a.jpg") == expected
    assert expected.weighted_mse is None


def test_weights_of_any_size_are_laid_over_the_reference(photo: np.ndarray) -> None:
    damaged = photo.copy()
    damaged[:128] = 255 - damaged[:128]
    top, bottom = np.float32([[1], [0]]), np.float32([[0], [1]])
    upper = msroi.compare(photo, damaged, top).weighted_mse
    lower = msroi.compare(photo, damaged, bottom).weighted_mse
    assert upper is not None and lower is not None and upper > 5 * lower


def test_a_kind_of_map_weighs_by_the_network(photo: np.ndarray) -> None:
    scores = msroi.compare(photo, jpeg(photo), "ms-roi")
    assert scores == msroi.compare(photo, jpeg(photo), msroi.saliency_map(photo))
    assert scores.weighted_ssim is not None


def test_a_map_of_zeros_weighs_all_alike(photo: np.ndarray) -> None:
    scores = msroi.compare(photo, jpeg(photo), np.zeros((2, 2), np.float32))
    assert scores.weighted_psnr_db == pytest.approx(scores.psnr_db)


def test_a_grey_candidate_is_compared_in_rgb(photo: np.ndarray) -> None:
    grey = photo.mean(axis=2).astype(np.uint8)
    expected = score(photo, np.repeat(grey[..., None], 3, axis=2))
    assert msroi.compare(photo, grey) == expected


def test_unlike_profiles_are_compared_in_srgb(shared_data: Callable[..., Path]) -> None:
    path = shared_data("robust", "jpg_made_icc_prophoto.jpg")
    converted = msroi.read(path).pixels
    assert msroi.compare(path, path).mse == 0
    result = msroi.compress(path, srgb=True, quality=95, method="plain")
    as_numbers = score(converted, msroi.read(result.data).pixels)
    assert msroi.compare(path, result.data).mse < as_numbers.mse / 4


def test_what_cannot_be_compared_is_named(photo: np.ndarray, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(photo[:, :200]))
    with pytest.raises(ImageError, match=r"a\.jpg: 200 x 256 pixels, .* 384 x 256"):
        msroi.compare(photo, tmp_path / "a.jpg")
    with pytest.raises(ImageError):
        msroi.compare(photo, b"no picture")
    with pytest.raises(SaliencyError):
        msroi.compare(photo, photo, np.full((4, 4), 2.0))
