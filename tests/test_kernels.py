"""The compiled kernels against NumPy: what each computes, written down once more without any cleverness."""

from __future__ import annotations

import io
import itertools
import math

import cv2
import numpy as np
import pytest
from PIL import Image

from msroi.codecs.jpeg import _kernels
from msroi.codecs.jpeg.rdo.costs import START, measure
from msroi.codecs.jpeg.rdo.tables import BLEND, ZIGZAG, Shape

# Single precision over values up to 2000.
CLOSE = {"rtol": 0, "atol": 2e-3}

# Coefficients are kept in whole sixteenths.
PARTS = 16

SIZES = [(1, 1), (1, 9), (7, 2), (8, 8), (17, 31), (64, 48)]

CODE_ARRAY = list[tuple[int, int]]


def random_plane(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-128, 127, (height, width)).astype(np.float32)


def unit(parts: np.ndarray) -> np.ndarray:
    """Coefficients kept in parts, as float32 in the scale of the DCT."""
    assert parts.dtype == np.int16
    return parts / np.float32(PARTS)


def in_parts(coefficients: np.ndarray) -> np.ndarray:
    scaled = np.clip(np.asarray(coefficients, np.float64) * PARTS, -32768, 32767)
    return np.trunc(scaled + np.copysign(0.5, scaled)).astype(np.int16)


def dct_matrix() -> np.ndarray:
    k = np.arange(8)
    matrix = np.cos((2 * k[None, :] + 1) * k[:, None] * math.pi / 16) / 2
    matrix[0] /= math.sqrt(2)
    return matrix


def dct_oracle(plane: np.ndarray) -> np.ndarray:
    height, width = plane.shape
    rows, columns = -(-height // 8), -(-width // 8)
    padded = np.pad(plane, ((0, 8 * rows - height), (0, 8 * columns - width)), mode="edge").astype(np.float64)
    blocks = padded.reshape(rows, 8, columns, 8).swapaxes(1, 2)
    matrix = dct_matrix()
    transformed = matrix @ blocks @ matrix.T
    return np.stack([transformed[..., y, x] for y, x in ZIGZAG], axis=-1)


def triangle(small: np.ndarray, axis: int, length: int) -> np.ndarray:
    """The decoder's upsampling along one axis: 3/4 of the near sample, 1/4 of the next, ends repeated."""
    small = np.moveaxis(small, axis, 0).astype(np.float64)
    before, after = np.concatenate([small[:1], small[:-1]]), np.concatenate([small[1:], small[-1:]])
    result = np.empty((2 * len(small), *small.shape[1:]))
    result[0::2] = 0.75 * small + 0.25 * before
    result[1::2] = 0.75 * small + 0.25 * after
    return np.moveaxis(result[:length], 0, axis)


@pytest.mark.parametrize("component", [0, 1, 2])
def test_component_plane_is_jfif(component: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (13, 21, 3), np.uint8)
    matrix = np.array([[0.299, 0.587, 0.114], [-0.168735892, -0.331264108, 0.5], [0.5, -0.418687589, -0.081312411]])
    expected = pixels @ matrix[component] - (128 if component == 0 else 0)
    np.testing.assert_allclose(_kernels.component_plane(pixels, component), expected, **CLOSE)


@pytest.mark.parametrize("size", SIZES)
def test_forward_dct_and_its_inverse(size: tuple[int, int]) -> None:
    plane = random_plane(*size)
    coefficients = _kernels.forward_dct(plane)
    np.testing.assert_allclose(unit(coefficients), dct_oracle(plane), rtol=0, atol=0.5 / PARTS + 2e-3)
    assert np.mean(coefficients == in_parts(dct_oracle(plane))) > 0.98
    whole = np.floor(plane)
    levels = np.rint(unit(_kernels.forward_dct(whole))).astype(np.int16)
    table = np.ones(64, np.uint16)
    back = _kernels.inverse_dct(levels, table, *size)
    assert np.abs(back - whole).max() < 4  # rounding of 64 coefficients by at most a half


def test_a_block_of_dc_alone_decodes_to_one_value() -> None:
    levels = np.zeros((3, 5, 64), np.int16)
    levels[..., 0] = np.arange(-7, 8).reshape(3, 5)
    levels[1, 2, 40] = 1  # the only one with anything else
    decoded = _kernels.inverse_dct(levels, np.full(64, 11, np.uint16), 24, 40).reshape(3, 8, 5, 8).transpose(0, 2, 1, 3)
    flat = np.ptp(decoded, axis=(2, 3)) == 0
    assert np.array_equal(np.argwhere(~flat), [[1, 2]])
    np.testing.assert_allclose(decoded[flat][:, 0, 0], levels[flat][:, 0] * 11 / 8, **CLOSE)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("horizontal", "vertical"), [(True, True), (True, False)])
def test_halve_is_gradient_descent_on_the_upsampled_error(
    size: tuple[int, int], horizontal: bool, vertical: bool
) -> None:
    plane = random_plane(*size)
    even = (
        np.pad(plane, ((0, size[0] % 2), (0, size[1] % 2)), mode="edge")
        if vertical
        else (np.pad(plane, ((0, 0), (0, size[1] % 2)), mode="edge"))
    )

    def upsampled(small: np.ndarray) -> np.ndarray:
        wide = triangle(small, 1, even.shape[1])
        return triangle(wide, 0, even.shape[0]) if vertical else wide

    box = even.reshape(even.shape[0], -1, 2).mean(axis=2, dtype=np.float64)
    if vertical:
        box = box.reshape(-1, 2, box.shape[1]).mean(axis=1)
    np.testing.assert_allclose(_kernels.halve(plane, horizontal, vertical, []), box, **CLOSE)
    # Half the gradient of the squared error, by differences: the error is quadratic, so they are exact.
    steps, expected = [0.4, 0.25], box
    for step in steps:
        gradient = np.empty_like(expected)
        error = upsampled(expected) - even
        for at in np.ndindex(*expected.shape):
            unit = np.zeros_like(expected)
            unit[at] = 1
            gradient[at] = np.sum(error * upsampled(unit))
        expected = expected - step * gradient
    np.testing.assert_allclose(_kernels.halve(plane, horizontal, vertical, steps), expected, **CLOSE)


def test_halve_comes_nearer_to_what_the_decoder_shows(photo: np.ndarray) -> None:
    plane = _kernels.component_plane(photo, 2)
    errors = []
    for steps in ([], [0.35], [0.35, 0.35]):
        small = _kernels.halve(plane, True, True, steps)
        shown = triangle(triangle(small, 1, plane.shape[1]), 0, plane.shape[0])
        errors.append(np.mean((shown - plane) ** 2))
    assert errors[2] < errors[1] < errors[0]


def means_oracle(plane: np.ndarray, side: int) -> np.ndarray:
    height, width = plane.shape
    corners = [(y, x) for y in range(0, height, side) for x in range(0, width, side)]
    means = [plane[y : y + side, x : x + side].mean(dtype=np.float64) for y, x in corners]
    return np.reshape(means, (-(-height // side), -(-width // side)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("side", [1, 2, 4, 8])
def test_block_means(size: tuple[int, int], side: int) -> None:
    plane = random_plane(*size)
    means = _kernels.block_means(plane, side)
    np.testing.assert_allclose(means, means_oracle(plane, side), **CLOSE)
    assert np.array_equal(means, _kernels.block_means(plane, side, 3))


@pytest.mark.parametrize("size", SIZES)
def test_inverse_at_half_size(size: tuple[int, int]) -> None:
    levels = np.rint(unit(_kernels.forward_dct(random_plane(*size))) / 9).astype(np.int16)
    table = np.full(64, 11, np.uint16)  # not the 9 above, so that some samples leave the range
    decoded = np.clip(_kernels.inverse_dct(levels, table, *size), -128, 127)
    half = _kernels.inverse_dct_half(levels, table, *size)
    np.testing.assert_allclose(half, means_oracle(decoded, 2), **CLOSE)
    assert np.array_equal(half, _kernels.inverse_dct_half(levels, table, *size, 3))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("luminance", [False, True])
def test_similarity_is_ssim(size: tuple[int, int], luminance: bool) -> None:
    x = random_plane(*size)
    y = np.clip(x + random_plane(*size, 1) / 4, -128, 127).astype(np.float32)

    def blurred(plane: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.GaussianBlur(plane, (11, 11), 1.5, borderType=cv2.BORDER_REFLECT))

    p, q = (plane.astype(np.float64) + 128 for plane in (x, y))
    mean_p, mean_q = blurred(p), blurred(q)
    variances = blurred(p * p) - mean_p**2 + blurred(q * q) - mean_q**2
    ssim = (2 * (blurred(p * q) - mean_p * mean_q) + (0.03 * 255) ** 2) / (variances + (0.03 * 255) ** 2)
    if luminance:
        c1 = (0.01 * 255) ** 2
        ssim = ssim * (2 * mean_p * mean_q + c1) / (mean_p**2 + mean_q**2 + c1)
    for side in (2, 8):
        means = _kernels.similarity(x, y, side, luminance)
        np.testing.assert_allclose(means, means_oracle(ssim, side), rtol=0, atol=2e-4)
        assert np.array_equal(means, _kernels.similarity(x, y, side, luminance, 3))


# --- overshoot ------------------------------------------------------------------------------------

# shrink, margin, most, reach, rounds
OVERSHOOT = (np.linspace(0, 6, 64).astype(np.float32), 0.1, 16.0, 64.0, 12)


def clipped_plane(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Noise of great contrast, a part of it at the limits, as a decoder shows it."""
    plane = np.random.default_rng(seed).normal(40, 150, (height, width))
    return np.clip(np.rint(plane), -128, 127).astype(np.float32)


def unzigzagged(values: np.ndarray) -> np.ndarray:
    block = np.empty((8, 8))
    for k, (y, x) in enumerate(ZIGZAG):
        block[y, x] = values[k]
    return block


def overshot_oracle(
    pixels: np.ndarray, shrink: np.ndarray, margin: float, most: float, reach: float, rounds: int
) -> np.ndarray:
    """FISTA as Beck and Teboulle wrote it (2009, eq. 4.1 to 4.3), on one block."""
    white, black = pixels >= 126.5, pixels <= -127.5
    if not (white.any() or black.any()) or white.all() or black.all():
        return pixels
    over = min(most, margin * np.mean(127 - pixels[~white]))
    under = min(most, margin * np.mean(pixels[~black] + 128))
    low = np.where(white, 127 + over, np.where(black, -128 - reach, pixels))
    high = np.where(white, 127 + reach, np.where(black, -128 - under, pixels))
    matrix, steps = dct_matrix(), unzigzagged(shrink)
    x = y = np.clip(pixels, low, high)
    t = 1.0
    for _ in range(rounds):
        c = matrix @ y @ matrix.T
        c = np.sign(c) * np.maximum(np.abs(c) - steps, 0)
        following = np.clip(matrix.T @ c @ matrix, low, high)
        t, before = (1 + math.sqrt(1 + 4 * t * t)) / 2, t
        x, y = following, following + (before - 1) / t * (following - x)
    return x


@pytest.mark.parametrize("size", [*SIZES, (40, 40)])
def test_overshoot_is_proximal_descent(size: tuple[int, int]) -> None:
    plane = clipped_plane(*size)
    result = _kernels.overshooting_dct(plane, *OVERSHOOT)
    padded = np.pad(plane, [(0, -n % 8) for n in size], mode="edge").astype(np.float64)
    for row, column in np.ndindex(result.shape[:2]):
        block = padded[8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
        expected = dct_oracle(overshot_oracle(block, *OVERSHOOT).astype(np.float64))[0, 0]
        np.testing.assert_allclose(unit(result[row, column]), expected, rtol=0, atol=0.5 / PARTS + 2e-2)


def test_overshoot_shows_the_same_picture_in_smaller_coefficients() -> None:
    y, x = np.mgrid[:64, :64]
    plane = np.clip(np.rint(250 * np.sin(x / 3 + y / 5)), -128, 127).astype(np.float32)
    coefficients = unit(_kernels.overshooting_dct(plane, *OVERSHOOT))
    levels = np.rint(coefficients).astype(np.int16)
    shown = _kernels.inverse_dct(levels, np.ones(64, np.uint16), 64, 64)
    assert np.abs(np.clip(shown, -128, 127) - plane).max() < 4  # of 64 roundings
    assert shown.max() <= 127 + 64 + 4 and shown.min() >= -128 - 64 - 4
    # Rounds make them fewer: against pixels that are only moved by the margin.
    moved = unit(_kernels.overshooting_dct(plane, *OVERSHOOT[:-1], 0))
    weighted = [np.sum(np.abs(c) * OVERSHOOT[0]) for c in (coefficients, moved)]
    assert weighted[0] < 0.9 * weighted[1]


@pytest.mark.parametrize("value", [127.0, -128.0, 126.0, 0.0])
def test_flat_and_unclipped_blocks_have_no_overshoot(value: float) -> None:
    flat = np.full((16, 24), value, np.float32)
    within = np.clip(random_plane(16, 24), -126, 125)
    for plane in (flat, within):
        assert np.array_equal(_kernels.overshooting_dct(plane, *OVERSHOOT), _kernels.forward_dct(plane))


def test_overshoot_does_not_depend_on_threads() -> None:
    plane = clipped_plane(100, 60)
    results = [_kernels.overshooting_dct(plane, *OVERSHOOT, threads) for threads in (1, 2, 5)]
    assert np.array_equal(results[0], results[1]) and np.array_equal(results[0], results[2])


@pytest.mark.parametrize("sign", [1, -1])
def test_dc_that_no_file_holds_is_brought_back_without_darkening_ink(sign: int) -> None:
    """With steps of 1 the largest DC is that of a block all white; overshoot beyond it is scaled down."""
    limit = 127.0 if sign > 0 else -128.0
    pixels = np.full((8, 8), limit + sign * 40, np.float32)
    pixels[2, 3:5] = limit - sign * 90
    coefficients = _kernels.forward_dct(pixels)
    assert abs(unit(coefficients)[0, 0, 0]) > 1100
    table, ones = np.ones(64, np.uint16), np.ones((1, 1), np.float32)
    weights = np.ones(64, np.float32)
    levels = _kernels.quantise(
        coefficients, table, weights, ones, ones, BLEND, 0.0, START.cut, START.symbols, START.ends
    )
    assert levels[0, 0, 0] == (1023 if sign > 0 else -1024)
    shown = _kernels.inverse_dct(levels, table, 8, 8)
    assert np.abs(np.clip(shown, -128, 127) - np.clip(pixels, -128, 127)).max() < 3


def test_ac_energy() -> None:
    coefficients = _kernels.forward_dct(random_plane(40, 24))
    expected = np.sum(unit(coefficients)[..., 1:].astype(np.float64) ** 2, axis=-1)
    np.testing.assert_allclose(_kernels.ac_energy(coefficients), expected, rtol=1e-5)


def test_dequantise() -> None:
    levels = np.random.default_rng(3).integers(-1024, 1024, (3, 5, 64)).astype(np.int16)
    table = np.arange(1, 65, dtype=np.uint16)
    for threads in (1, 4):
        assert np.array_equal(_kernels.dequantise(levels, table, threads), in_parts(levels.astype(np.float64) * table))


@pytest.mark.parametrize("start", [1, 3, 63])
def test_block_texture(start: int) -> None:
    coefficients = _kernels.forward_dct(random_plane(40, 72))
    table = np.arange(5, 69, dtype=np.uint16)
    values = unit(coefficients)
    levels = np.rint(values / table / 2).astype(np.int16)
    energy = np.sum(values[..., 1:].astype(np.float64) ** 2, axis=-1)
    kept = np.sum((levels.astype(np.float64) * table)[..., 1:] ** 2, axis=-1)
    most = (values[..., start:] ** 2).max(axis=-1)
    for threads in (1, 3):
        texture = _kernels.block_texture(coefficients, levels, table, start, threads)
        np.testing.assert_allclose(texture, np.stack([energy, kept, most], axis=-1), rtol=1e-5)


# --- the quantiser --------------------------------------------------------------------------------


def size_of(value: int) -> int:
    return int(abs(value)).bit_length()


def path_cost(
    c: np.ndarray,
    levels: np.ndarray,
    table: np.ndarray,
    weights: np.ndarray,
    lagrangian: float,
    cut: int,
    symbols: np.ndarray,
    ends: np.ndarray,
) -> float:
    """J of one block's AC, from the definition."""
    bits = 0.0
    bands = [(1, cut)] if cut == 63 else [(1, cut), (cut + 1, 63)]
    for band, (first, last) in enumerate(bands):
        run, seen = 0, first - 1
        for k in range(first, last + 1):
            if levels[k] == 0:
                run += 1
                continue
            bits += (run // 16) * symbols[band][0xF0] + symbols[band][(run % 16) * 16 + size_of(levels[k])]
            bits += size_of(levels[k])
            run, seen = 0, k
        if seen < first:
            bits += ends[band][0]
        elif seen < last:
            bits += ends[band][1]
    error = weights[1:] * (c[1:] - table[1:].astype(np.float64) * levels[1:]) ** 2
    return float(error.sum() + lagrangian * bits)


@pytest.mark.parametrize("cut", [63, 2, 5])
def test_quantiser_finds_the_best_of_all_its_candidates(cut: int) -> None:
    """Blocks with few values: every combination of round, one less and zero is tried."""
    random = np.random.default_rng(cut)
    table = Shape(1.0, (0.0,) * 7, 1.0, 0.5, 0.9).table(12.0)
    weights = Shape(1.0, (0.0,) * 7, 1.0, 0.5, 0.9).weights()
    symbols = random.uniform(1, 9, (2, 256)).astype(np.float32)
    ends = random.uniform(0, 5, (2, 2)).astype(np.float32)
    ends[1] = 0 if cut == 63 else ends[1]
    coefficients = np.zeros((3, 4, 64), np.float32)
    for block in coefficients.reshape(-1, 64):
        at = random.choice(np.arange(1, 64), 6, replace=False, p=(w := np.geomspace(9, 1, 63)) / w.sum())
        block[at] = random.normal(0, 22, 6)
        block[0] = random.uniform(-900, 900)
    low, high = (random.uniform(0.5, 2, (3, 4)).astype(np.float32) for _ in range(2))
    lagrangian = 9.0
    kept = in_parts(coefficients)
    coefficients = unit(kept)
    levels = _kernels.quantise(kept, table, weights, low, high, BLEND, lagrangian, cut, symbols, ends)
    for at in np.ndindex(3, 4):
        c = coefficients[at].astype(np.float64)
        own = weights * (high[at] + (low[at] - high[at]) * BLEND)
        rounded = np.floor(np.abs(c) / table + 0.5).astype(int)
        free = [k for k in range(1, 64) if rounded[k]]
        best = math.inf
        for choice in itertools.product(*[sorted({0, max(rounded[k] - 1, 0), rounded[k]}) for k in free]):
            trial = np.zeros(64, int)
            for k, value in zip(free, choice, strict=True):
                trial[k] = math.copysign(value, c[k])
            best = min(best, path_cost(c, trial, table, own, lagrangian, cut, symbols, ends))
        ours = path_cost(c, levels[at], table, own, lagrangian, cut, symbols, ends)
        assert ours == pytest.approx(best, rel=1e-4)
        assert levels[at][0] == math.floor(c[0] / table[0] + 0.5)


def test_quantiser_costs_no_more_than_rounding(photo: np.ndarray) -> None:
    kept = _kernels.forward_dct(_kernels.component_plane(photo, 0))
    coefficients = unit(kept)
    shape = Shape(1.0, (0.0,) * 7, 1.0, 0.5, 0.9)
    table, weights = shape.table(10.0), shape.weights()
    ones = np.ones(coefficients.shape[:2], np.float32)
    rounded = np.sign(coefficients) * np.floor(np.abs(coefficients) / table + 0.5)
    prices = measure(rounded.astype(np.int16), 0.5, sequential=False)
    chosen = _kernels.quantise(kept, table, weights, ones, ones, BLEND, 4.0, prices.cut, prices.symbols, prices.ends)
    for at in np.ndindex(4, 4):
        costs = [
            path_cost(
                coefficients[at],
                levels[at].astype(int),
                table,
                weights,
                4.0,
                prices.cut,
                prices.symbols,
                prices.ends,
            )
            for levels in (chosen, rounded)
        ]
        assert costs[0] <= costs[1] * (1 + 1e-5)


def test_no_price_means_rounding() -> None:
    kept = _kernels.forward_dct(random_plane(32, 32))
    coefficients = unit(kept)
    shape = Shape(1.0, (0.0,) * 7, 1.0, 0.5, 0.9)
    table, ones = shape.table(7.0), np.ones((4, 4), np.float32)
    levels = _kernels.quantise(
        kept, table, shape.weights(), ones, ones, BLEND, 0.0, START.cut, START.symbols, START.ends
    )
    expected = np.sign(coefficients) * np.floor(np.abs(coefficients) / table + 0.5)
    assert np.array_equal(levels[..., 1:], expected[..., 1:])


def test_rows_can_be_sampled() -> None:
    coefficients = _kernels.forward_dct(random_plane(80, 24))
    shape = Shape(1.0, (0.0,) * 7, 1.0, 0.5, 0.9)
    ones = np.ones((10, 3), np.float32)
    arguments = (
        coefficients,
        shape.table(9.0),
        shape.weights(),
        ones,
        ones,
        BLEND,
        3.0,
        START.cut,
        START.symbols,
        START.ends,
    )
    whole = _kernels.quantise(*arguments)
    assert np.array_equal(_kernels.quantise(*arguments, 1, 4), whole[1::4])


# --- entropy coding -------------------------------------------------------------------------------


def limited_lengths_cost(counts: list[int], limit: int) -> int:
    """Least total bits of a prefix code of at most `limit` bits in which one further code stays free.

    Tries all multisets of lengths that Kraft's inequality allows, the longest for the rarest.
    """
    ordered = sorted(counts, reverse=True)
    best = math.inf
    for lengths in itertools.combinations_with_replacement(range(1, limit + 1), len(ordered)):
        # Strictly below 1, by at least a code of the limit's length: room for the code of all ones.
        if sum(2 ** (limit - n) for n in lengths) <= 2**limit - 1:
            best = min(best, sum(n * c for n, c in zip(lengths, ordered, strict=True)))
    return int(best)


def as_counts(values: list[int]) -> np.ndarray:
    counts = np.zeros(256, np.int64)
    counts[: len(values)] = values
    return counts


@pytest.mark.parametrize(
    "values", [[1], [5, 5], [1, 2, 4, 8, 16], [100, 1, 1, 1], [7, 7, 7, 7, 7, 7], [1000, 500, 20, 3, 2, 1]]
)
def test_huffman_is_optimal(values: list[int]) -> None:
    lengths = _kernels.huffman_lengths(as_counts(values))[: len(values)]
    assert int(np.sum(lengths * np.array(values))) == limited_lengths_cost(values, 8)


@pytest.mark.parametrize("kind", ["fibonacci", "flat", "random", "none"])
def test_huffman_keeps_to_16_bits_and_leaves_the_last_code(kind: str) -> None:
    fibonacci = [1, 1]
    while len(fibonacci) < 60:
        fibonacci.append(min(fibonacci[-1] + fibonacci[-2], 2**40))
    values = {
        "fibonacci": fibonacci,
        "flat": [3] * 256,
        "random": list(np.random.default_rng(3).integers(0, 10**6, 256)),
        "none": [],
    }[kind]
    counts = as_counts(values)
    lengths = _kernels.huffman_lengths(counts).astype(int)
    assert np.array_equal(lengths > 0, counts > 0)
    used = lengths[lengths > 0]
    assert used.max(initial=0) <= 16
    assert np.sum(2.0 ** (16 - used)) <= 2**16 - 1


def scan_symbols(blocks: np.ndarray, first: int, last: int, end_runs: bool) -> np.ndarray:
    """How often a scan of positions first..last has each symbol: T.81 F.1.2.2 and G.1.2.2, step by step."""
    counts = np.zeros(256, np.int64)
    ended = 0

    def close() -> None:
        nonlocal ended
        if ended:
            counts[16 * (ended.bit_length() - 1)] += 1
        ended = 0

    for block in blocks:
        run = 0
        for value in block[first : last + 1]:
            if not value:
                run += 1
                continue
            close()
            counts[0xF0] += run // 16
            counts[run % 16 * 16 + size_of(value)] += 1
            run = 0
        if run:
            ended += 1
            if ended == (0x7FFF if end_runs else 1):
                close()
    close()
    return counts


@pytest.mark.parametrize("end_runs", [False, True])
@pytest.mark.parametrize("kind", ["noise", "sparse", "full", "blank", "long"])
def test_symbols_are_counted_as_scans_have_them(kind: str, end_runs: bool) -> None:
    random = np.random.default_rng(11)
    shape = (300, 260, 64) if kind == "long" else (9, 7, 64)
    levels = random.integers(-40, 41, shape).astype(np.int16)
    share = {"noise": 0.2, "sparse": 0.01, "full": 1.0, "blank": 0.0, "long": 0.0}[kind]
    levels *= random.random(shape) < share
    if kind == "long":  # runs of ends of more blocks than one symbol can say
        levels[[3, 290], [4, 5], [9, 63]] = 7
    cuts = [2, 5, 20]
    bands = [(1, 63), *(limits for cut in cuts for limits in ((1, cut), (cut + 1, 63)))]
    counts = _kernels.band_counts(levels, cuts, end_runs)
    assert counts.shape == (7, 256)
    for band, (first, last) in enumerate(bands):
        expected = scan_symbols(levels.reshape(-1, 64), first, last, end_runs)
        assert np.array_equal(counts[band], expected), (first, last)
        if kind == "long":
            break  # slow in Python
    for threads in (2, 5, 64):
        assert np.array_equal(_kernels.band_counts(levels, cuts, end_runs, threads), counts)


# --- files ----------------------------------------------------------------------------------------


def decoded_levels(data: bytes) -> np.ndarray:
    """RGB or grey of a JPEG by Pillow."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (8, 8), (17, 33), (40, 9), (100, 75)])
@pytest.mark.parametrize("sampling", [None, (1, 1), (2, 1), (2, 2)])
def test_files_hold_the_levels(progressive: bool, size: tuple[int, int], sampling: tuple[int, int] | None) -> None:
    """Noise in all coefficients goes through a foreign decoder and comes back as our inverse gives it."""
    random = np.random.default_rng(5)
    height, width = size
    factors = [(1, 1)] if sampling is None else [sampling, (1, 1), (1, 1)]
    tables, levels = [], []
    for index, (h, v) in enumerate(factors):
        own = (-(-height * v // factors[0][1]), -(-width * h // factors[0][0]))
        shape = (-(-own[0] // 8), -(-own[1] // 8), 64)
        sparse = random.integers(-3, 4, shape) * (random.random(shape) < 0.2)
        sparse[..., 0] = random.integers(-40, 40, shape[:2])
        levels.append(sparse.astype(np.int16))
        tables.append(np.full(64, 8 + index, np.uint16))
    data = _kernels.write_jpeg(levels, tables, factors, height, width, progressive)
    if progressive:  # one component after the other it is the same file
        dc = [np.ascontiguousarray(own[..., 0]) for own in levels]
        for threads in (1, 3):
            ac = [_kernels.ac_scans(own, index, threads) for index, own in enumerate(levels)]
            assert _kernels.join_scans(dc, ac, tables, factors, height, width) == data
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (width, height)
        assert bool(image.info.get("progressive")) == progressive
        image.draft("L", image.size)  # luma alone, as coded
        shown = np.asarray(image.convert("L") if image.mode != "L" else image).astype(float)
    expected = _kernels.inverse_dct(levels[0], tables[0], height, width) + 128
    assert np.abs(shown - np.clip(expected, 0, 255)).max() <= 1.01


def test_wrong_arguments_are_refused() -> None:
    plane = random_plane(8, 8)
    with pytest.raises(TypeError):
        _kernels.forward_dct(plane.astype(np.float64))
    with pytest.raises(TypeError):
        _kernels.forward_dct(random_plane(16, 16)[:, ::2])
    with pytest.raises(ValueError, match="shape"):
        _kernels.forward_dct(np.zeros((0, 8), np.float32))
    with pytest.raises(ValueError, match="shrink"):
        _kernels.overshooting_dct(plane, np.full(64, -1, np.float32), 0.1, 16.0, 64.0, 4)
    with pytest.raises(ValueError, match="reach"):
        _kernels.overshooting_dct(plane, OVERSHOOT[0], 0.1, 16.0, 65.0, 4)
    with pytest.raises(ValueError, match="reach"):
        _kernels.overshooting_dct(plane, OVERSHOOT[0], math.nan, 16.0, 64.0, 4)
    with pytest.raises(ValueError, match="rounds"):
        _kernels.overshooting_dct(plane, OVERSHOOT[0], 0.1, 16.0, 64.0, -1)
    with pytest.raises(ValueError, match="threads"):
        _kernels.forward_dct(plane, 0)
    with pytest.raises(ValueError, match="side"):
        _kernels.block_means(plane, 0)
    with pytest.raises(ValueError, match="shape"):
        _kernels.similarity(plane, random_plane(8, 9), 8, True)
    level, table = np.zeros((1, 1, 64), np.int16), np.ones(64, np.uint16)
    with pytest.raises(ValueError, match="steps"):
        _kernels.inverse_dct(level, np.zeros(64, np.uint16), 8, 8)
    with pytest.raises(ValueError, match="cover"):
        _kernels.write_jpeg([level], [table], [(1, 1)], 16, 8, False)
    with pytest.raises(ValueError, match="beyond"):
        _kernels.write_jpeg([level + np.int16(1024)], [table], [(1, 1)], 8, 8, False)
    with pytest.raises(ValueError, match="beyond"):
        _kernels.ac_scans(level + np.int16(1024), 0)
    with pytest.raises(ValueError, match="component"):
        _kernels.ac_scans(level, 3)
    with pytest.raises(ValueError, match="beyond"):
        _kernels.join_scans([level[..., 0] + np.int16(1024)], [[]], [table], [(1, 1)], 8, 8)
    with pytest.raises(ValueError, match="cover"):
        _kernels.join_scans([np.zeros((2, 1), np.int16)], [[]], [table], [(1, 1)], 8, 8)
    with pytest.raises(ValueError, match="ac"):
        _kernels.join_scans([np.zeros((1, 1), np.int16)], [], [table], [(1, 1)], 8, 8)
    for cuts in ([0], [63], [5, 5]):
        with pytest.raises(ValueError, match="cuts"):
            _kernels.band_counts(level, cuts, True)
    with pytest.raises(ValueError, match="counts"):
        _kernels.huffman_lengths(np.full(256, -1, np.int64))


def dc_blocks(values: object, dtype: type = np.int16) -> np.ndarray:
    """Blocks whose DC are these numbers (rows, columns), their AC poison."""
    blocks = np.full((*np.shape(values), 64), 777, dtype)
    blocks[..., 0] = values
    return blocks


def test_settle_dc_is_the_best_chain() -> None:
    random = np.random.default_rng(5)
    step, scale = 5.0, 0.7
    coefficients = dc_blocks(np.rint(random.normal(0, 4 * step * PARTS, (2, 4))))
    coefficients[0, 1, 0] = round(2.49 * step * PARTS)
    in_steps = unit(coefficients[..., 0]) / np.float32(step)
    weights = random.uniform(0.5, 2, (2, 4)).astype(np.float32)
    bits = (np.arange(12) * 0.3 + random.random(12)).astype(np.float32)

    def settled(reach: float, bits: np.ndarray, limits: np.ndarray | None = None) -> np.ndarray:
        levels = dc_blocks(np.zeros((2, 4)))
        _kernels.settle_dc(levels, coefficients, limits, weights, scale, step, (-1024.0, 1016.0), reach, bits)
        assert (levels[..., 1:] == 777).all()
        return levels[..., 0]

    def cost(levels: np.ndarray) -> float:
        sizes = np.frexp(np.abs(np.diff(levels.ravel(), prepend=0)))[1]
        return float((scale * weights * (in_steps - levels) ** 2).sum() + bits[sizes].sum())

    rounded = np.floor(in_steps + 0.5)
    other = np.where(in_steps > rounded, rounded + 1, rounded - 1)
    may = (np.abs(in_steps - other) <= 0.9).ravel()
    best = np.inf
    for choice in itertools.product((False, True), repeat=8):
        if not np.any(np.array(choice) & ~may):
            best = min(best, cost(np.where(np.reshape(choice, (2, 4)), other, rounded).astype(int)))
    chain = settled(0.9, bits)
    assert cost(chain) == pytest.approx(best, rel=1e-5)
    assert not np.array_equal(chain, rounded)
    free = np.zeros(12, np.float32)
    assert np.array_equal(settled(0.5, free), rounded)
    limits = np.array([[-1, 0, 1, 0], [0, 0, 0, 1]], np.int8)
    expected = np.where(limits < 0, -205, np.where(limits > 0, 204, rounded))  # 1024 / 5 and 1016 / 5, outwards
    assert np.array_equal(settled(0.5, free, limits), expected)


def test_settle_dc_stays_in_range() -> None:
    values = np.array([[-2000, 2000, 1023.4375, -1024.4375]])
    levels = dc_blocks(np.zeros((1, 4)))
    ones, free = np.ones((1, 4), np.float32), np.zeros(12, np.float32)
    _kernels.settle_dc(levels, dc_blocks(values * PARTS), None, ones, 1.0, 1.0, (-1024.0, 1016.0), 0.6, free)
    assert levels[..., 0].tolist() == [[-1024, 1023, 1023, -1024]]


@pytest.mark.parametrize("chained", [False, True])
def test_dc_counts_are_of_differences_by_their_bits(chained: bool) -> None:
    values = np.random.default_rng(6).integers(-1024, 1024, (5, 7)) // np.array([1, 2, 8, 64, 1024])[:, None]
    differences = np.diff(values.ravel()) if chained else np.diff(values, axis=1).ravel()
    expected = np.bincount(np.frexp(np.abs(differences))[1], minlength=18)
    assert np.array_equal(_kernels.dc_counts(dc_blocks(values), chained), expected)
    assert _kernels.dc_counts(dc_blocks([[-32768, 32767]]), chained)[16] == 1


def test_plain_bits_are_those_of_rounded_values() -> None:
    random = np.random.default_rng(7)
    coefficients = in_parts(random.laplace(0, 30 / (1 + np.arange(64) / 4), (3, 6, 64)))
    coefficients[1, 2, 1:] = 0
    coefficients[1, 3, [1, 63]] = in_parts(900.0)  # three times sixteen zeros, and no end of block
    table = random.integers(1, 60, 64).astype(np.uint16)
    dc_lengths, ac_lengths = (random.integers(1, 17, 256).astype(np.uint8) for _ in range(2))

    def expected(row: np.ndarray) -> int:
        bits = predicted = 0
        for block in np.floor(np.abs(unit(row)) / table + 0.5) * np.sign(row):
            bits += coded(int(block[0]) - predicted, dc_lengths, 0)
            predicted, run = int(block[0]), 0
            for value in block[1:]:
                run += 1
                if value:
                    bits += (run - 1) // 16 * int(ac_lengths[0xF0]) + coded(int(value), ac_lengths, (run - 1) % 16)
                    run = 0
            bits += int(ac_lengths[0]) if run else 0
        return bits

    def coded(value: int, lengths: np.ndarray, run: int) -> int:
        size = abs(value).bit_length()
        return int(lengths[16 * run + size]) + size

    coefficients[..., 0] = np.abs(coefficients[..., 0])  # of DC, halves are rounded up, of AC away from 0
    found = _kernels.plain_bits(coefficients, table, dc_lengths, ac_lengths)
    assert np.array_equal(found, [expected(row) for row in coefficients])
    assert np.array_equal(found, _kernels.plain_bits(coefficients, table, dc_lengths, ac_lengths, 3))
