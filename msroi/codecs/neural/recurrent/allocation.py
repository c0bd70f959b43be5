"""How many iterations each cell of a picture gets, by its saliency, and how that is written into the file.

Algorithm 1 of Wang, Han, Wang 2019, section 3.3. With V_i the sum of the map over cell i, L_i = V_i / sum V, N
cells and a mean level K, a cell has T_i = floor(L_i K N) iterations, at most 24; what the cap leaves over is shared
among the cells below it by their L until none is left. The listing itself is a picture; our reading of it:

- The cells are those of the codes, 16 x 16 pixels, not blocks of another size.
- Sharing by L again and again ends at T_i = floor(c V_i) between the bounds, with one c for all cells, the largest
  that the total K N permits. What rounding down leaves over is shared as well, one iteration at a time to the
  cells that are nearest to the next; of equals, in the order of `spread`.
- A cell whose map is 0 counts as a millionth of the brightest, so that the rate can be spent once all others have 24.
- A cell has at least one iteration, or it would be the colour of nothing. The strict form, `least=0`, is the paper's.

The payload of an allocation section, for a picture of `rows` x `columns` cells:

    1 byte, under 254: the level of all cells
    254, then the sum of all levels (4 bytes, little-endian): the levels are those of `spread`
    255, then lowest and highest level (1 byte each), then a code of msroi.entropy to the end:
        the cells are coded in waves, column + 2 row = 0, 1, 2, ..., within a wave from the top. N, W, NW and NE are
        the levels of the neighbours; outside of the picture W stands for N, N for the others, and for the first
        cell's all the lowest level.
        The prediction is N + W - NW, put between the smaller and the larger of N and W (as in JPEG-LS).
        Symbol: (level - prediction) modulo n, n = highest - lowest + 1.
        Table: |NE - N| + |N - NW| + |NW - W| is 0: the first; 1 or 2: the second; more: the third.
        Counts of table j = 1, 2, 3 begin with floor(8192 j^3 / (j^3 + 32 d^2)) + 1 for symbol s, d = min(s, n - s).
        Each symbol adds 1024 to its count once its wave is over. A wave's frequencies are made of the counts by
        `msroi.entropy.round_to_total`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from msroi.entropy import FrequencyTables, RangeDecoder, RangeEncoder, round_to_total
from msroi.errors import BitstreamError, OptionError, SaliencyError
from msroi.options import real_number, whole_number
from msroi.saliency.values import map_values

CELL = 16
"""Pixels of a cell's side."""

MOST = 24
"""Iterations that a cell can have at most, as in the paper."""

_MAP_STEPS = 1 << 16
"""The map is summed in whole numbers, so that equal cells have equal sums on every machine."""

_LEAST_SHARE = 1e-6
_HALVINGS = 80

_EVEN, _CODED = 254, 255
_TOTAL = struct.Struct("<I")
_BUSYNESS = np.array([0, 2])
_FIRST_COUNT, _SHARPNESS, _LEARNING = 8192, 32, 1024

Levels = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]


def cells(height: int, width: int) -> tuple[int, int]:
    """(rows, columns) of the cells of a picture."""
    return -(-height // CELL), -(-width // CELL)


def cell_sums(saliency: npt.NDArray[np.float32], cell: int = CELL) -> npt.NDArray[np.float64]:
    """The sum of the map over each cell: float64 (ceil(height / cell), ceil(width / cell)).

    saliency: (height, width) in [0, 1]; beyond its edges it is mirrored, as the picture is. A constant map has
    exactly equal sums. Errors: SaliencyError.
    """
    values = map_values(saliency)
    whole = np.floor(values.astype(np.float64).clip(0, 1) * _MAP_STEPS + 0.5).astype(np.int64)
    height, width = whole.shape
    padded = np.pad(whole, ((0, -height % cell), (0, -width % cell)), mode="symmetric")
    rows, columns = padded.shape[0] // cell, padded.shape[1] // cell
    sums = padded.reshape(rows, cell, columns, cell).sum(axis=(1, 3))
    return np.asarray(sums / _MAP_STEPS, np.float64)


def allocate(values: npt.NDArray[np.float64], mean_level: float, most: int = MOST, least: int = 1) -> Levels:
    """Iterations of each cell, uint8 (rows, columns), from `least` to `most`; their sum is floor(K N).

    values: (rows, columns) of at least 0, such as `cell_sums`; all equal, 0 included, spreads evenly: K each for a
    whole K. mean_level: K, from `least` to `most`. least: 0 for the paper's strict form.
    A larger value never has the lower level, and no level falls when K grows.
    Errors: OptionError; SaliencyError for values that are no such array.
    """
    most = whole_number("most", most, 1, 253)
    least = whole_number("least", least, 0, most)
    mean_level = real_number("mean_level", mean_level, least, most)
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or 0 in values.shape or not (values.min() >= 0 and values.max() < np.inf):
        raise SaliencyError("values of cells must be (rows, columns) and at least 0")
    total = int(mean_level * values.size)
    if values.min() == values.max():
        return spread(values.shape[0], values.shape[1], total)
    values = np.maximum(values / values.max(), _LEAST_SHARE)
    low, high = 0.0, most / _LEAST_SHARE  # the factor c: what is spent with `low` is at most the total
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        spent = int(np.clip(np.floor(middle * values), least, most).sum())
        low, high = (middle, high) if spent <= total else (low, middle)
    levels = np.clip(np.floor(low * values), least, most).astype(np.int64)
    next_at = np.where(levels < most, (levels + 1) / values, np.inf)  # the factor at which a cell has one more
    first = np.lexsort((_scatter(values.shape[0], values.shape[1]).ravel(), next_at.ravel()))
    levels.ravel()[first[: total - int(levels.sum())]] += 1
    return levels.astype(np.uint8)


def spread(rows: int, columns: int, total: int) -> Levels:
    """`total` iterations as evenly as can be, uint8 (rows, columns); those with one more are scattered.

    They are the cells with the lowest (3242174889 row + 2447445414 column) modulo 2^32, of equals the first by rows
    (the factors are 2^32 / g and 2^32 / g^2 with g^3 = g + 1, which scatters best; Roberts 2018).
    """
    level, more = divmod(total, rows * columns)
    levels = np.full(rows * columns, level, np.uint8)
    if more:
        levels[np.argsort(_scatter(rows, columns).ravel(), kind="stable")[:more]] += 1
    return levels.reshape(rows, columns)


def _scatter(rows: int, columns: int) -> Integers:
    row, column = np.arange(rows)[:, None], np.arange(columns)
    return np.asarray((row * 3242174889 + column * 2447445414) % (1 << 32), np.int64)


def encode_levels(levels: Levels) -> bytes:
    """The payload of an allocation section. levels: whole numbers (rows, columns), 0 to 253. Errors: OptionError."""
    levels = np.asarray(levels)
    if levels.ndim != 2 or 0 in levels.shape or not np.issubdtype(levels.dtype, np.integer):
        raise OptionError(f"levels: got {levels.dtype} {levels.shape}, allowed: whole numbers (rows, columns)")
    lowest, highest = int(levels.min()), int(levels.max())
    if lowest < 0 or highest >= _EVEN:
        raise OptionError(f"levels: got {lowest} to {highest}, allowed: 0 to {_EVEN - 1}")
    if lowest == highest:
        return bytes([lowest])
    total = int(levels.sum(dtype=np.int64))
    if total <= 0xFFFFFFFF and np.array_equal(levels, spread(levels.shape[0], levels.shape[1], total)):
        return bytes([_EVEN]) + _TOTAL.pack(total)
    encoder = RangeEncoder()

    def put(tables: FrequencyTables, index: Integers, predicted: Integers, y: Integers, x: Integers) -> Integers:
        symbols = (levels[y, x] - predicted) % tables.n_symbols
        encoder.encode(symbols, tables, index)
        return symbols

    _walk(levels.shape[0], levels.shape[1], lowest, highest, put)
    return bytes([_CODED, lowest, highest]) + encoder.data()


def decode_levels(data: bytes, rows: int, columns: int) -> Levels:
    """The levels of a payload: uint8 (rows, columns). Errors: BitstreamError."""
    if len(data) == 1 and data[0] < _EVEN:
        return np.full((rows, columns), data[0], np.uint8)
    if len(data) == 1 + _TOTAL.size and data[0] == _EVEN:
        (total,) = _TOTAL.unpack_from(data, 1)
        if total // (rows * columns) < _EVEN - 1:
            return spread(rows, columns, total)
    if len(data) >= 3 and data[0] == _CODED and data[1] < data[2] < _EVEN:
        decoder = RangeDecoder(data[3:])

        def get(tables: FrequencyTables, index: Integers, predicted: Integers, y: Integers, x: Integers) -> Integers:
            return decoder.decode(tables, index).astype(np.int64)

        levels = _walk(rows, columns, data[1], data[2], get)
        decoder.finish()
        return levels
    raise BitstreamError("the levels of the cells are damaged")


Code = Callable[[FrequencyTables, Integers, Integers, Integers, Integers], Integers]


def _walk(rows: int, columns: int, lowest: int, highest: int, code: Code) -> Levels:
    """Visit the cells in their order: `code(tables, index, predicted, y, x)` says what their symbols are."""
    n_symbols = highest - lowest + 1
    counts = _first_counts(n_symbols)
    known = np.full((rows + 1, columns + 2), lowest, np.int64)  # a row above and a column at each side
    for y, x in _waves(rows, columns):
        north, west, north_west, north_east = _neighbours(known, y, x, columns)
        busy = abs(north_east - north) + abs(north - north_west) + abs(north_west - west)
        index = np.searchsorted(_BUSYNESS, busy)
        predicted = np.clip(north + west - north_west, np.minimum(north, west), np.maximum(north, west))
        symbols = code(round_to_total(counts), index, predicted, y, x)
        known[y + 1, x + 1] = lowest + (predicted - lowest + symbols) % n_symbols
        np.add.at(counts, (index, symbols), _LEARNING)
    return known[1:, 1:-1].astype(np.uint8)


def _waves(rows: int, columns: int) -> Iterator[tuple[Integers, Integers]]:
    """Rows and columns of the cells that are coded together: their neighbours have been coded before."""
    for wave in range(columns + 2 * (rows - 1)):
        y = np.arange(max(0, (wave - columns + 2) // 2), min(rows - 1, wave // 2) + 1)
        yield y, wave - 2 * y


def _neighbours(known: Integers, y: Integers, x: Integers, columns: int) -> tuple[Integers, ...]:
    """N, W, NW and NE of cells; what lies outside of the picture is what stands for it."""
    north, west, north_west, north_east = known[y, x + 1], known[y + 1, x], known[y, x], known[y, x + 2]
    north = np.where(y > 0, north, west)
    west = np.where(x > 0, west, north)
    return (
        north,
        west,
        np.where((x > 0) & (y > 0), north_west, north),
        np.where((x < columns - 1) & (y > 0), north_east, north),
    )


def _first_counts(n_symbols: int) -> Integers:
    """The counts that all files begin with: int64 (3, n_symbols), wider for busier neighbourhoods."""
    symbol = np.arange(n_symbols)
    distance = np.minimum(symbol, n_symbols - symbol)
    busyness = np.arange(1, len(_BUSYNESS) + 2)[:, None]
    return np.asarray(_FIRST_COUNT * busyness**3 // (busyness**3 + _SHARPNESS * distance**2) + 1, np.int64)
