"""The range coder and its tables, against a decoder written from the module's text in whole numbers."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("constriction", reason="needs the keras extra")

from msroi.entropy import BIT_TABLES, TOTAL, FrequencyTables, RangeDecoder, RangeEncoder, round_to_total
from msroi.errors import BitstreamError, OptionError

PRECISION = 24


def decode_by_the_text(data: bytes, tables: FrequencyTables, index: np.ndarray) -> list[int]:
    """The decoder as msroi/entropy/range_coder.py describes it."""
    words = [int(word) for word in np.frombuffer(data, "<u4")] + [0] * (index.size + 2)
    spread, offset, used = 2**64 - 1, (words[0] << 32) | words[1], 2
    symbols = []
    for table in index:
        row = [int(f) for f in tables.frequencies[table]]
        n = len(row)
        left = [s + sum(row[:s]) * (2**PRECISION - n) // TOTAL for s in range(n)] + [2**PRECISION]
        step = spread >> PRECISION
        place = offset // step
        assert place < 2**PRECISION
        symbol = next(s for s in range(n) if place < left[s + 1])
        offset -= step * left[symbol]
        spread = step * (left[symbol + 1] - left[symbol])
        if spread < 2**32:
            spread, offset, used = spread << 32, (offset << 32) | words[used], used + 1
        symbols.append(symbol)
    return symbols


def some_tables(seed: int, n_tables: int, n_symbols: int) -> FrequencyTables:
    rng = np.random.default_rng(seed)
    return round_to_total((rng.random((n_tables, n_symbols)) ** 8 * 1e6).astype(np.int64) + 1)


def coded(symbols: np.ndarray, tables: FrequencyTables, index: np.ndarray) -> bytes:
    encoder = RangeEncoder()
    encoder.encode(symbols, tables, index)
    return encoder.data()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 300), st.integers(1, 9), st.integers(2, 70))
def test_what_goes_in_comes_out_and_the_text_is_the_format(seed: int, n: int, n_tables: int, n_symbols: int) -> None:
    tables = some_tables(seed, n_tables, n_symbols)
    rng = np.random.default_rng(seed)
    index = rng.integers(0, n_tables, n)
    symbols = rng.integers(0, n_symbols, n).astype(np.int32)  # improbable ones as often as others
    data = coded(symbols, tables, index)
    decoder = RangeDecoder(data)
    decoded = decoder.decode(tables, index)
    decoder.finish()
    assert decoded.dtype == np.int32
    assert np.array_equal(decoded, symbols)
    assert decode_by_the_text(data, tables, index) == symbols.tolist()


@pytest.mark.parametrize("bit", [0, 1])
@pytest.mark.parametrize("table", [0, 127, 254])
def test_long_runs_carry(bit: int, table: int) -> None:
    """The ends of the interval, where a carry runs through words already written."""
    symbols = np.full(40_000, bit, np.int32)
    symbols[-1] = 1 - bit
    index = np.full(symbols.size, table)
    data = coded(symbols, BIT_TABLES, index)
    assert np.array_equal(RangeDecoder(data).decode(BIT_TABLES, index), symbols)


def test_the_bytes_are_pinned() -> None:
    rng = np.random.default_rng(7)
    index = rng.integers(0, BIT_TABLES.n_tables, 1000)
    symbols = (rng.random(1000) * TOTAL < BIT_TABLES.frequencies[index, 1]).astype(np.int32)
    data = coded(symbols, BIT_TABLES, index)
    assert len(data) == 40
    assert hashlib.sha256(data).hexdigest()[:16] == "97fc4f55678a1bd7"


def test_calls_may_be_divided_anyhow() -> None:
    tables = some_tables(1, 5, 33)
    rng = np.random.default_rng(2)
    index, symbols = rng.integers(0, 5, 70_000), rng.integers(0, 33, 70_000)  # more than one chunk
    encoder = RangeEncoder()
    for part in np.array_split(np.arange(index.size), 7):
        encoder.encode(symbols[part], tables, index[part])
    data = encoder.data()
    assert data == coded(symbols, tables, index)
    decoder = RangeDecoder(data)
    found = [decoder.decode(tables, index[part]) for part in np.array_split(np.arange(index.size), 11)]
    decoder.finish()
    assert np.array_equal(np.concatenate(found), symbols)


def test_the_length_is_the_estimate() -> None:
    rng = np.random.default_rng(3)
    index = rng.integers(0, BIT_TABLES.n_tables, 100_000)
    symbols = (rng.random(index.size) * TOTAL < BIT_TABLES.frequencies[index, 1]).astype(np.int32)
    estimate = BIT_TABLES.bits()[index, symbols].sum() / 8
    assert -1 < len(coded(symbols, BIT_TABLES, index)) - estimate < 0.0005 * estimate + 8


def test_nothing_is_no_bytes() -> None:
    none = np.zeros(0, np.int32)
    assert coded(none, BIT_TABLES, none) == b""
    decoder = RangeDecoder(b"")
    assert decoder.decode(BIT_TABLES, none).shape == (0,)
    decoder.finish()


def test_bit_tables_are_the_logistic_function_and_never_change() -> None:
    assert (BIT_TABLES.n_tables, BIT_TABLES.n_symbols) == (255, 2)
    ones = BIT_TABLES.frequencies[:, 1].astype(float)
    exact = TOTAL / (1 + np.exp(-(np.arange(255) - 127) / 16))
    assert np.abs(ones - exact).max() <= 0.5 + 1e-9
    assert np.all(np.diff(ones) > 0)
    assert np.array_equal(BIT_TABLES.frequencies, BIT_TABLES.frequencies[::-1, ::-1])
    assert hashlib.sha256(BIT_TABLES.frequencies.astype("<u4").tobytes()).hexdigest()[:16] == "b79a49a5fd2e0be2"


def test_bits_are_minus_log2_of_the_probability() -> None:
    tables = FrequencyTables(np.array([[TOTAL // 2, TOTAL // 4, TOTAL // 4]]))
    assert tables.bits().tolist() == [[1, 2, 2]]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(2, 300))
def test_rounded_counts_are_tables_near_them(seed: int, n_tables: int, n_symbols: int) -> None:
    rng = np.random.default_rng(seed)
    counts = (rng.random((n_tables, n_symbols)) ** 12 * (2**31 - 1)).astype(np.int64)
    counts[:, rng.integers(n_symbols)] += 1
    tables = round_to_total(counts)
    share = counts / counts.sum(axis=1, keepdims=True)
    assert np.abs(tables.frequencies / TOTAL - share).max() <= 2 * n_symbols / TOTAL


@pytest.mark.parametrize(
    "frequencies",
    [
        [[TOTAL, 0]],
        [[TOTAL - 1, 2]],
        [[0.5, 0.5]],
        [TOTAL],
        [],
        [[]],
        [[TOTAL]],
        [[TOTAL + 1, -1]],
        [[2**40, TOTAL - 2**40]],
    ],
)
def test_what_is_no_table_is_refused(frequencies: list) -> None:
    with pytest.raises(OptionError, match="frequencies"):
        FrequencyTables(np.array(frequencies))


def test_tables_are_their_own_and_read_only() -> None:
    given_frequencies = np.array([[1, TOTAL - 1]], np.uint32)
    tables = FrequencyTables(given_frequencies)
    given_frequencies[:] = 7
    assert tables.frequencies.tolist() == [[1, TOTAL - 1]]
    with pytest.raises(ValueError, match="read-only"):
        tables.frequencies[0, 0] = 5


@pytest.mark.parametrize(
    ("symbols", "index"),
    [([2], [0]), ([-1], [0]), ([0], [255]), ([0], [-1]), ([0, 1], [0]), ([[0]], [0]), ([0.0], [0]), ([2**32], [0])],
)
def test_symbols_and_indices_outside_are_refused_and_nothing_is_appended(symbols: list, index: list) -> None:
    encoder = RangeEncoder()
    with pytest.raises(OptionError, match="allowed"):
        encoder.encode(np.array(symbols), BIT_TABLES, np.array(index))
    assert encoder.data() == b""


def test_damaged_bytes_give_symbols_or_one_clear_error() -> None:
    rng = np.random.default_rng(5)
    tables = some_tables(6, 3, 12)
    index = rng.integers(0, 3, 500)
    data = bytearray(coded(rng.integers(0, 12, 500), tables, index))
    outcomes = {"symbols": 0, "error": 0}
    for place in range(len(data)):
        for damage in (1, 128, 255):
            bad = bytearray(data)
            bad[place] ^= damage
            try:
                symbols = RangeDecoder(bytes(bad)).decode(tables, index)
                assert 0 <= symbols.min() <= symbols.max() < 12
                outcomes["symbols"] += 1
            except BitstreamError as error:
                assert "damaged" in str(error)
                outcomes["error"] += 1
    assert outcomes["symbols"]
    with pytest.raises(BitstreamError, match="damaged"):
        RangeDecoder(b"\xff" * 400).decode(BIT_TABLES, np.full(100, 3))


def test_other_lengths_than_written() -> None:
    symbols, index = np.zeros(400, np.int32), np.full(400, 127)
    data = coded(symbols, BIT_TABLES, index)
    for n_bytes in range(len(data)):
        if n_bytes % 4:
            with pytest.raises(BitstreamError, match="whole words"):
                RangeDecoder(data[:n_bytes])
        else:  # what is missing reads as zeros
            assert RangeDecoder(data[:n_bytes]).decode(BIT_TABLES, index).shape == (400,)
    longer = RangeDecoder(data + b"\1\2\3\4" * 3)
    longer.decode(BIT_TABLES, index)
    with pytest.raises(BitstreamError, match="left over"):
        longer.finish()
