"""The metrics against scikit-image and SciPy, against pinned values, and against their own definitions."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from msroi import metrics
from msroi.errors import ImageError, OptionError, SaliencyError
from msroi.metrics.samples import bands

# Double precision on both sides; the order of additions is all that differs.
AGREEMENT = 1e-9


def noisy_pair(height: int, width: int, *, grey: bool = False, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A smooth ramp with texture, and the same with noise added."""
    random = np.random.default_rng(seed)
    shape = (height, width) if grey else (height, width, 3)
    ramp = np.linspace(20, 220, width)[None, :] + 15 * np.sin(np.arange(height) / 3)[:, None]
    base = ramp if grey else ramp[..., None] * [1.0, 0.8, 0.6]
    first = base + random.normal(0, 6, shape)
    second = first + random.normal(0, 9, shape)
    return tuple(np.clip(np.rint(values), 0, 255).astype(np.uint8) for values in (first, second))


def jpeg_of(pixels: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def oracle_luma(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(pixels.astype(float) if pixels.ndim == 2 else pixels @ np.array([0.299, 0.587, 0.114]))


def oracle_maps(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """SSIM and contrast-structure maps, written as the papers write them."""

    def blur(values: np.ndarray) -> np.ndarray:
        return np.asarray(gaussian_filter(values, 1.5, truncate=3.5, mode="reflect"))

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mx, my = blur(x), blur(y)
    vx, vy, cov = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
    cs = (2 * cov + c2) / (vx + vy + c2)
    return cs * (2 * mx * my + c1) / (mx * mx + my * my + c1), cs


def oracle_halved(values: np.ndarray) -> np.ndarray:
    padded = np.pad(values, [(0, n % 2) for n in values.shape], mode="edge")
    return np.asarray(padded.reshape(padded.shape[0] // 2, 2, padded.shape[1] // 2, 2).mean(axis=(1, 3)))


def oracle_ms_ssim(first: np.ndarray, second: np.ndarray, n_scales: int, weights: np.ndarray | None = None) -> float:
    exponents = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333][:n_scales])
    if n_scales < 5:
        exponents /= exponents.sum()
    x, y = oracle_luma(first), oracle_luma(second)
    w = np.ones_like(x) if weights is None else weights
    result = 1.0
    for scale, exponent in enumerate(exponents):
        full, cs = oracle_maps(x, y)
        result *= np.average(full if scale == n_scales - 1 else cs, weights=w) ** exponent
        x, y, w = (oracle_halved(values) for values in (x, y, w))
    return result


SIZES = [(1, 1), (1, 7), (5, 1), (3, 2), (11, 11), (37, 53), (64, 48), (300, 9)]


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_all_sizes_agree_with_scipy(height: int, width: int, grey: bool) -> None:
    first, second = noisy_pair(height, width, grey=grey)
    expected, _ = oracle_maps(oracle_luma(first), oracle_luma(second))
    got = metrics.ssim_map(first, second)
    assert got.shape == (height, width) and got.dtype == np.float64
    np.testing.assert_allclose(got, expected, atol=AGREEMENT)
    assert metrics.ssim(first, second) == pytest.approx(expected.mean(), abs=AGREEMENT)
    assert metrics.mse(first, second) == pytest.approx(mean_squared_error(first, second), abs=AGREEMENT)


@pytest.mark.parametrize("grey", [False, True])
def test_agrees_with_scikit_image(grey: bool) -> None:
    first, second = noisy_pair(61, 83, grey=grey)
    _, full = structural_similarity(
        oracle_luma(first),
        oracle_luma(second),
        data_range=255,
        gaussian_weights=True,
        use_sample_covariance=False,
        full=True,
    )
    np.testing.assert_allclose(metrics.ssim_map(first, second), full, atol=AGREEMENT)
    assert metrics.psnr_db(first, second) == pytest.approx(peak_signal_noise_ratio(first, second), abs=AGREEMENT)


def test_bands_leave_no_seam() -> None:
    """A picture of several bands gives what one filter over the whole gives."""
    first, second = noisy_pair(700, 900)
    assert len(list(bands(700, 900))) > 2
    expected, _ = oracle_maps(oracle_luma(first), oracle_luma(second))
    np.testing.assert_allclose(metrics.ssim_map(first, second), expected, atol=AGREEMENT)


@pytest.mark.parametrize(
    ("size", "n_scales"), [(1, 1), (21, 1), (22, 2), (43, 2), (44, 3), (88, 4), (175, 4), (176, 5), (4000, 5)]
)
def test_scales_follow_the_shorter_side(size: int, n_scales: int) -> None:
    assert metrics.ms_ssim_scales(size, 5000) == n_scales
    assert metrics.ms_ssim_scales(5000, size) == n_scales


@pytest.mark.parametrize(
    ("height", "width", "n_scales"), [(8, 8, 1), (23, 40, 2), (45, 51, 3), (93, 88, 4), (181, 177, 5)]
)
def test_ms_ssim_agrees_with_its_definition(height: int, width: int, n_scales: int) -> None:
    first, second = noisy_pair(height, width)
    weights = np.random.default_rng(1).random((height, width))
    scores = metrics.score(first, second, weights)
    assert scores.ms_ssim_scales == n_scales
    assert scores.ms_ssim == pytest.approx(oracle_ms_ssim(first, second, n_scales), abs=AGREEMENT)
    assert scores.weighted_ms_ssim == pytest.approx(oracle_ms_ssim(first, second, n_scales, weights), abs=AGREEMENT)


# scikit-image 0.26.0, Pillow 13.0.0, 2026-11-20, for c the decoded Image.save(..., "JPEG", quality=50) of a:
#   peak_signal_noise_ratio(a, c)
#   structural_similarity(a @ w, c @ w, data_range=255, gaussian_weights=True, use_sample_covariance=False,
#                         full=True)[1].mean()             with w = [.299, .587, .114]
PINNED = {
    "kodim01": (29.86791294787986, 0.8953686564057474),
    "kodim23": (35.07526928084944, 0.9445616733813561),
}


@pytest.mark.parametrize("name", PINNED)
def test_pinned_to_scikit_image_on_kodak(name: str, shared_data: Callable[..., Path]) -> None:
    original = np.asarray(Image.open(shared_data("kodak", f"{name}.png")).convert("RGB"))
    scores = metrics.score(original, jpeg_of(original, 50))
    # Another libjpeg may round some samples the other way.
    assert scores.psnr_db == pytest.approx(PINNED[name][0], abs=2e-3)
    assert scores.ssim == pytest.approx(PINNED[name][1], abs=2e-5)


def test_kodak_means_are_those_of_the_design(shared_data: Callable[..., Path]) -> None:
    """Plain JPEG at quality 50 over all 24 pictures: 32.174 dB, .9142, .9885."""
    scores = []
    for path in sorted(shared_data("kodak").glob("*.png")):
        original = np.asarray(Image.open(path).convert("RGB"))
        scores.append(metrics.score(original, jpeg_of(original, 50)))
    assert len(scores) == 24
    assert round(float(np.mean([s.psnr_db for s in scores])), 3) == 32.174
    assert round(float(np.mean([s.ssim for s in scores])), 4) == 0.9142
    assert round(float(np.mean([s.ms_ssim for s in scores])), 4) == 0.9885


@pytest.mark.parametrize("shape", [(1, 1, 3), (40, 50, 3), (40, 50), (200, 190, 3)])
def test_identical_pictures_are_exactly_perfect(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(2).integers(0, 256, shape, dtype=np.uint8)
    weights = np.random.default_rng(3).random(shape[:2])
    scores = metrics.score(picture, picture.copy(), weights)
    assert scores.mse == scores.weighted_mse == 0
    assert math.isinf(scores.psnr_db)
    assert scores.ssim == scores.ms_ssim == 1
    assert scores.weighted_ssim == pytest.approx(1, abs=1e-15)
    assert metrics.si_ssim(picture, picture, weights) == pytest.approx(1, abs=1e-15)
    as_json = json.loads(json.dumps(scores.as_dict(), allow_nan=False))
    assert as_json["psnr_db"] is None and as_json["weighted_psnr_db"] is None and as_json["ssim"] == 1


def test_black_against_white() -> None:
    black, white = np.zeros((20, 20, 3), np.uint8), np.full((20, 20, 3), 255, np.uint8)
    scores = metrics.score(black, white)
    assert scores.mse == 65025 and scores.psnr_db == 0
    assert scores.ssim == pytest.approx((0.01 * 255) ** 2 / (255**2 + (0.01 * 255) ** 2))


def test_opposite_structure_gives_zero_ms_ssim_not_nan() -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (32, 16))
    assert metrics.ssim(stripes, 255 - stripes) < 0
    assert metrics.ms_ssim(stripes, 255 - stripes) == 0


def test_grey_equals_the_same_grey_in_rgb() -> None:
    first, second = noisy_pair(50, 60, grey=True)
    grey = metrics.score(first, second)
    colour = metrics.score(*(np.repeat(picture[..., None], 3, axis=2) for picture in (first, second)))
    assert colour.mse == pytest.approx(grey.mse, abs=AGREEMENT)
    assert colour.ssim == pytest.approx(grey.ssim, abs=AGREEMENT)
    assert colour.ms_ssim == pytest.approx(grey.ms_ssim, abs=AGREEMENT)


def test_constant_weights_change_nothing() -> None:
    first, second = noisy_pair(180, 190)
    scores = metrics.score(first, second, np.full((180, 190), 0.3))
    assert scores.weighted_mse == pytest.approx(scores.mse, abs=AGREEMENT)
    assert scores.weighted_psnr_db == pytest.approx(scores.psnr_db, abs=AGREEMENT)
    assert scores.weighted_ssim == pytest.approx(scores.ssim, abs=AGREEMENT)
    assert scores.weighted_ms_ssim == pytest.approx(scores.ms_ssim, abs=AGREEMENT)


@pytest.mark.parametrize("factor", [1e-300, 255, 1e306])
def test_a_common_factor_of_the_weights_changes_nothing(factor: float) -> None:
    first, second = noisy_pair(40, 40)
    weights = np.random.default_rng(4).random((40, 40))
    assert metrics.ssim(first, second, weights * factor) == pytest.approx(metrics.ssim(first, second, weights))
    assert metrics.mse(first, second, weights * factor) == pytest.approx(metrics.mse(first, second, weights))


def test_weights_choose_the_region() -> None:
    first, _ = noisy_pair(64, 64)
    second = first.copy()
    second[:, :32] = 255 - second[:, :32]
    left, right = np.zeros((64, 64)), np.zeros((64, 64))
    left[:, :16], right[:, 48:] = 1, 1
    assert metrics.mse(first, second, right) == 0
    assert math.isinf(metrics.psnr_db(first, second, right))
    assert metrics.mse(first, second, left) == pytest.approx(mean_squared_error(first[:, :16], second[:, :16]))
    assert metrics.ssim(first, second, right) == pytest.approx(1)
    assert metrics.ssim(first, second, left) < 0.1
    assert metrics.si_ssim(first, second, right) > 0.9 > metrics.si_ssim(first, second, left)


def test_weights_on_the_last_column_survive_the_halving() -> None:
    """181 is odd at every scale down to the last: a halving that dropped borders would lose all weight."""
    first, second = noisy_pair(181, 181)
    weights = np.zeros((181, 181))
    weights[:, -1] = 1
    score = metrics.ms_ssim(first, second, weights)
    assert score == pytest.approx(oracle_ms_ssim(first, second, 5, weights), abs=AGREEMENT)


def test_weighted_ssim_is_the_weighted_mean_of_the_map() -> None:
    first, second = noisy_pair(70, 90)
    weights = np.random.default_rng(5).integers(0, 2, (70, 90)).astype(bool)
    expected = metrics.ssim_map(first, second)[weights].mean()
    assert metrics.ssim(first, second, weights) == pytest.approx(expected, abs=AGREEMENT)


def test_si_ssim_weighs_blocks() -> None:
    """Blocks of 8 x 8 written out one by one, with cut blocks at the right and below."""
    first, second = noisy_pair(21, 30)
    saliency = np.random.default_rng(6).random((21, 30))
    full = metrics.ssim_map(first, second)
    expected = 0.0
    for top in range(0, 21, 8):
        for left in range(0, 30, 8):
            block = (slice(top, top + 8), slice(left, left + 8))
            expected += saliency[block].sum() / saliency.sum() * full[block].mean()
    assert metrics.si_ssim(first, second, saliency) == pytest.approx(expected, abs=AGREEMENT)


def test_single_functions_equal_score() -> None:
    first, second = noisy_pair(90, 100)
    weights = np.random.default_rng(7).random((90, 100))
    scores = metrics.score(first, second, weights)
    assert scores.mse == metrics.mse(first, second)
    assert scores.psnr_db == metrics.psnr_db(first, second)
    assert scores.ssim == metrics.ssim(first, second)
    assert scores.ms_ssim == metrics.ms_ssim(first, second)
    assert scores.weighted_mse == metrics.mse(first, second, weights)
    assert scores.weighted_psnr_db == metrics.psnr_db(first, second, weights)
    assert scores.weighted_ssim == metrics.ssim(first, second, weights)
    assert scores.weighted_ms_ssim == metrics.ms_ssim(first, second, weights)


def test_strided_and_read_only_views_are_taken() -> None:
    first, second = noisy_pair(40, 60)
    for picture in (first, second):
        picture.flags.writeable = False
    flipped = metrics.score(first[::-1, ::-1], second[::-1, ::-1])
    assert flipped.ssim == pytest.approx(metrics.ssim(first, second), abs=AGREEMENT)
    assert flipped.mse == metrics.mse(first, second)


GOOD = np.zeros((8, 9, 3), np.uint8)


@pytest.mark.parametrize(
    ("reference", "candidate", "words"),
    [
        (GOOD, np.zeros((9, 8, 3), np.uint8), "candidate: 8x9 RGB, but the reference is 9x8 RGB"),
        (GOOD, np.zeros((8, 9), np.uint8), "candidate: 9x8 grey"),
        (GOOD.astype(float), GOOD, "reference: an array of float64"),
        (GOOD, np.zeros((8, 9, 4), np.uint8), "candidate: an array of uint8 and shape (8, 9, 4)"),
        (np.zeros((0, 5), np.uint8), np.zeros((0, 5), np.uint8), "holds no pixels"),
        (np.zeros(5, np.uint8), np.zeros(5, np.uint8), "(height, width)"),
    ],
)
def test_pictures_that_cannot_be_compared(reference: np.ndarray, candidate: np.ndarray, words: str) -> None:
    for function in (
        metrics.mse,
        metrics.psnr_db,
        metrics.ssim,
        metrics.ms_ssim,
        metrics.score,
        metrics.ssim_map,
    ):
        with pytest.raises(ImageError) as caught:
            function(reference, candidate)
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("weights", "error", "words"),
    [
        (np.ones((9, 8)), SaliencyError, "pass shape (8, 9)"),
        (np.full((8, 9), np.nan), SaliencyError, "not a number"),
        (np.full((8, 9), np.inf), SaliencyError, "infinite"),
        (np.full((8, 9), -0.1), SaliencyError, "negative"),
        ("a map", SaliencyError, "not an array of numbers"),
        (np.zeros((8, 9)), OptionError, "zero everywhere"),
    ],
)
def test_weights_that_cannot_be_used(weights: npt.ArrayLike, error: type[Exception], words: str) -> None:
    for function in (
        metrics.mse,
        metrics.psnr_db,
        metrics.ssim,
        metrics.ms_ssim,
        metrics.score,
        metrics.si_ssim,
    ):
        with pytest.raises(error) as caught:
            function(GOOD, GOOD, weights)
        assert words in str(caught.value)
