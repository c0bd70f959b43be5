"""Bit allocation: the invariants of Algorithm 1, and the levels' way through the file."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("constriction", reason="needs the keras extra")

from msroi.codecs.neural.recurrent.allocation import MOST, allocate, cell_sums, decode_levels, encode_levels, spread
from msroi.entropy import RangeDecoder, round_to_total
from msroi.errors import BitstreamError, OptionError, SaliencyError


def values_of(seed: int, rows: int, columns: int) -> np.ndarray:
    """Sums of cells as maps have them: skewed, with zeros and with equal ones."""
    rng = np.random.default_rng(seed)
    values = rng.random((rows, columns)) ** rng.integers(1, 12) * 256
    values[rng.random((rows, columns)) < rng.choice([0, 0.3, 0.95])] = 0
    return np.round(values, int(rng.integers(0, 4)))


def smooth_levels(rows: int, columns: int, mean_level: float = 6) -> np.ndarray:
    y, x = np.mgrid[:rows, :columns]
    return allocate(np.exp(-((y - rows / 3) ** 2 + (x - columns / 2) ** 2) / (rows * columns / 20)), mean_level)


shapes = st.tuples(st.integers(1, 12), st.integers(1, 12))
seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=150, deadline=None)
@given(seeds, shapes, st.floats(0, MOST), st.sampled_from([0, 1]))
def test_invariants(seed: int, shape: tuple[int, int], mean_level: float, least: int) -> None:
    values = values_of(seed, *shape)
    mean_level = max(mean_level, least)
    levels = allocate(values, mean_level, least=least)
    assert levels.dtype == np.uint8
    assert levels.shape == shape
    assert least <= levels.min() <= levels.max() <= MOST
    assert levels.sum() == int(mean_level * levels.size)  # the excess is shared until none is left
    order = np.argsort(values.ravel(), kind="stable")
    sorted_values, sorted_levels = values.ravel()[order], levels.ravel()[order].astype(int)
    for i in range(1, levels.size):
        if sorted_values[i] > sorted_values[i - 1]:
            assert sorted_levels[i:].min() >= sorted_levels[:i].max()
    for value in np.unique(values):
        assert np.ptp(levels[values == value].astype(int)) <= 1


@settings(max_examples=60, deadline=None)
@given(seeds, shapes, st.floats(1, MOST), st.floats(1, MOST))
def test_no_level_falls_when_more_is_to_be_spent(seed: int, shape: tuple[int, int], a: float, b: float) -> None:
    values = values_of(seed, *shape)
    assert np.all(allocate(values, min(a, b)) <= allocate(values, max(a, b)))


@settings(max_examples=60, deadline=None)
@given(seeds, shapes, st.floats(1, MOST), st.integers(-8, 8))
def test_the_scale_of_the_map_is_nothing(seed: int, shape: tuple[int, int], mean_level: float, power: int) -> None:
    values = values_of(seed, *shape)
    assert np.array_equal(allocate(values, mean_level), allocate(values * 2.0**power, mean_level))


def test_below_the_cap_it_is_the_formula() -> None:
    """T_i = floor(L_i K N) where nothing is cut, and the remainder goes to who is nearest to the next."""
    values = np.array([[1.0, 2.0, 3.0, 4.0]])
    assert allocate(values, 5, least=0).tolist() == [[2, 4, 6, 8]]
    assert allocate(values, 5.3, least=0).tolist() == [[2, 4, 6, 9]]  # 21.2 to spend: 2.1 4.2 6.4 8.5


def test_the_cap_is_shared_by_the_levels_of_the_others() -> None:
    values = np.array([[100.0, 1.0, 2.0, 3.0]])
    assert allocate(values, 9, least=0).tolist() == [[24, 2, 4, 6]]
    assert allocate(values, 24).tolist() == [[24, 24, 24, 24]]


def test_the_strict_form_may_leave_a_cell_without_and_the_default_not() -> None:
    values = np.array([[0.0, 0.0, 0.0, 9.0]])
    assert allocate(values, 4, least=0).tolist() == [[0, 0, 0, 16]]
    assert allocate(values, 4).tolist() == [[1, 1, 1, 13]]
    assert allocate(values, 0, least=0).tolist() == [[0, 0, 0, 0]]


@pytest.mark.parametrize("value", [0.0, 1e-9, 0.5, 256.0])
@pytest.mark.parametrize("mean_level", [1, 6, 24])
def test_a_constant_map_gives_the_mean_level_everywhere(value: float, mean_level: int) -> None:
    assert np.all(allocate(np.full((7, 9), value), mean_level) == mean_level)


def test_a_constant_map_and_a_level_between_two_whole_ones_is_scattered_evenly() -> None:
    levels = allocate(np.full((32, 48), 0.3), 6.25)
    assert levels.sum() == 32 * 48 * 25 // 4
    quarters = levels.reshape(4, 8, 6, 8).sum(axis=(1, 3)) - 6 * 64
    assert quarters.min() >= 12
    assert quarters.max() <= 20
    assert np.array_equal(levels, spread(32, 48, 9600))


def test_cells_sum_the_map_and_a_constant_map_is_exactly_even() -> None:
    saliency = np.linspace(0, 1, 48 * 33, dtype=np.float32).reshape(48, 33)
    sums = cell_sums(saliency)
    assert sums.shape == (3, 3)
    assert sums.dtype == np.float64
    blocks = [saliency[y : y + 16, x : x + 16].astype(float).sum() for y in (0, 16, 32) for x in (0, 16)]
    assert np.allclose(sums[:, :2].ravel(), blocks, atol=256 / 65536)
    for shape in [(1, 1), (1, 17), (17, 1), (33, 47), (256, 384)]:
        for value in (0, 0.1, 1 / 3, 1):
            even = cell_sums(np.full(shape, value, np.float32))
            assert even.shape == (-(-shape[0] // 16), -(-shape[1] // 16))
            assert np.all(even == even[0, 0])
            assert abs(even[0, 0] - 256 * value) < 0.01
    assert cell_sums(np.ones((8, 8), np.float32), cell=4).tolist() == [[16, 16], [16, 16]]


@pytest.mark.parametrize("bad", [np.zeros(5), np.zeros((0, 4)), np.full((4, 4), np.nan), np.full((4, 4), 1.5)])
def test_what_is_no_map_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(SaliencyError, match="map must"):
        cell_sums(bad)


@pytest.mark.parametrize("bad", [np.zeros(5), np.zeros((0, 4)), [[-1.0]], [[np.nan]], [[1.0, np.inf]]])
def test_values_that_are_none_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(SaliencyError, match="values of cells"):
        allocate(bad, 6)


@pytest.mark.parametrize(
    "options", [{"mean_level": 0.5}, {"mean_level": 25}, {"mean_level": 3, "most": 0}, {"mean_level": 3, "least": 25}]
)
def test_levels_out_of_reach_are_refused(options: dict) -> None:
    with pytest.raises(OptionError, match="allowed"):
        allocate(np.ones((2, 2)), **options)


@settings(max_examples=80, deadline=None)
@given(seeds, shapes, st.floats(1, MOST), st.sampled_from([0, 1]))
def test_levels_come_back(seed: int, shape: tuple[int, int], mean_level: float, least: int) -> None:
    levels = allocate(values_of(seed, *shape), mean_level, least=least)
    found = decode_levels(encode_levels(levels), *shape)
    assert found.dtype == np.uint8
    assert np.array_equal(found, levels)


@settings(max_examples=40, deadline=None)
@given(seeds, shapes, st.integers(1, 253))
def test_any_levels_come_back(seed: int, shape: tuple[int, int], highest: int) -> None:
    levels = np.random.default_rng(seed).integers(0, highest, shape, endpoint=True)
    assert np.array_equal(decode_levels(encode_levels(levels), *shape), levels)


def decode_by_the_text(data: bytes, rows: int, columns: int) -> np.ndarray:
    """The coded form as the module's text describes it, a cell at a time."""
    lowest, highest = data[1:3]
    n = highest - lowest + 1
    distance = [min(s, n - s) for s in range(n)]
    counts = np.array([[8192 * j**3 // (j**3 + 32 * d * d) + 1 for d in distance] for j in (1, 2, 3)])
    decoder = RangeDecoder(data[3:])
    levels: dict[tuple[int, int], int] = {}
    for wave in range(columns + 2 * rows):
        tables, seen = round_to_total(counts), []
        for row in range(rows):
            column = wave - 2 * row
            if not 0 <= column < columns:
                continue
            n_ = levels.get((row - 1, column) if row else (row, column - 1), lowest)
            w, nw, ne = (levels.get(at, n_) for at in [(row, column - 1), (row - 1, column - 1), (row - 1, column + 1)])
            predicted = sorted([n_, w, n_ + w - nw])[1]
            busy = abs(ne - n_) + abs(n_ - nw) + abs(nw - w)
            table = 0 if busy == 0 else 1 if busy <= 2 else 2
            symbol = int(decoder.decode(tables, np.array([table]))[0])
            levels[row, column] = lowest + (predicted + symbol - lowest) % n
            seen.append((table, symbol))
        for place in seen:
            counts[place] += 1024
    return np.array([[levels[y, x] for x in range(columns)] for y in range(rows)])


@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (2, 2), (11, 17)])
def test_the_text_is_the_format(shape: tuple[int, int]) -> None:
    levels = smooth_levels(*shape) + np.random.default_rng(1).integers(0, 3, shape, dtype=np.uint8)
    data = encode_levels(levels)
    assert data[0] == 255
    assert np.array_equal(decode_by_the_text(data, *shape), levels)


def test_side_information_is_small_and_pinned() -> None:
    assert encode_levels(np.full((32, 48), 6)) == b"\x06"
    assert encode_levels(allocate(np.ones((32, 48)), 6.25)) == b"\xfe" + (9600).to_bytes(4, "little")
    data = encode_levels(smooth_levels(32, 48))
    assert len(data) < 200
    assert hashlib.sha256(data).hexdigest()[:16] == "c7261ef0717a9c93"


def test_damaged_levels_are_refused_or_are_levels() -> None:
    levels = smooth_levels(8, 12)
    for good in (encode_levels(levels), encode_levels(spread(8, 12, 500)), encode_levels(np.full((8, 12), 6))):
        for n_bytes in range(len(good)):
            bad = good[:n_bytes]
            try:
                found = decode_levels(bad, 8, 12)
            except BitstreamError as error:
                assert "damaged" in str(error)
            else:
                assert found.shape == (8, 12)
        for place in range(len(good)):
            for value in (0, 1, 128, 254, 255):
                try:
                    found = decode_levels(good[:place] + bytes([value]) + good[place + 1 :], 8, 12)
                except BitstreamError as error:
                    assert "damaged" in str(error)
                else:
                    assert found.max() < 254
    with pytest.raises(BitstreamError, match="damaged"):
        decode_levels(b"\xfe\xff\xff\xff\xff", 8, 12)


@pytest.mark.parametrize("levels", [np.zeros(3, int), np.zeros((0, 3), int), np.zeros((2, 2)), [[254]], [[-1]]])
def test_levels_that_cannot_be_written(levels: np.ndarray) -> None:
    with pytest.raises(OptionError, match="allowed"):
        encode_levels(levels)
