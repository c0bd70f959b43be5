"""How likely each bit is, by the bits that were coded before it: a small network of whole numbers.

    order   iterations one after the other; in each, cells in four groups by the parity of row and column, (0, 0),
            (1, 1), (0, 1), (1, 0); of each cell, its 32 bits in four parts of 8. All bits of one group and part are
            coded at once.
    sees    of the cell and its eight neighbours the 32 bits of this iteration, as far as they are coded, and of the two
            before, each -1, 1, or 0 where nothing was sent or nothing is known: 9 x 96 values; the iteration;
            group and part.
    network 864 -> hidden -> hidden -> 32, of which the part's 8 count. ReLU, cut off at `MOST`.

Weights, biases and activations are whole numbers, and all sums stay far below 2^53: in float64 they are exact in any
order. So every machine, library and number of threads finds the same probabilities, and a file decodes everywhere. The
last sum, rounded to sixteenths, is the index of the table of frequencies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from msroi.codecs.neural.recurrent.allocation import MOST as ITERATIONS
from msroi.entropy import BIT_TABLES, RangeDecoder, RangeEncoder
from msroi.errors import BitstreamError, SaliencyError

BITS = 32
"""Bits a cell and iteration."""

PARTS = 4
GROUPS = ((0, 0), (1, 1), (0, 1), (1, 0))
"""(row, column) modulo 2 of the cells that are coded together, in their order."""

PAST = 2
"""Iterations before this one that are seen."""

INPUTS = 9 * (1 + PAST) * BITS
OWN = 4 * (1 + PAST) * BITS
"""Where among the inputs the cell's own bits of this iteration are."""


WEIGHT_STEPS = 1024
"""Steps of a weight to one."""

STEPS = 256
"""Steps of an activation to one."""

MOST = 16 * STEPS - 1
INDEX_STEPS = 16
"""Steps of a logit to one, as in the tables of frequencies."""

Bits = npt.NDArray[np.int8]
Whole = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ContextModel:
    """The network's weights: whole numbers in float64.

    first: (864, hidden), second: (hidden, hidden), last: (hidden, 32), in steps of 1 / 1024. by_iteration: (24, hidden)
    and by_step: (16, hidden), added before the first ReLU, in the same steps. second_bias, last_bias: in steps of
    1 / (1024 x 256).
    """

    first: Whole
    by_iteration: Whole
    by_step: Whole
    second: Whole
    second_bias: Whole
    last: Whole
    last_bias: Whole

    @classmethod
    def of(cls, arrays: Mapping[str, npt.NDArray[np.int32]]) -> ContextModel:
        """From stored integers `context/NAME`. Errors: SaliencyError if shapes do not fit."""
        try:
            values = {name: np.asarray(arrays[f"context/{name}"], np.float64) for name in cls.__dataclass_fields__}
        except KeyError as error:
            raise SaliencyError(f"the network's file has no context model ({error}); install msroi again") from None
        model = cls(**values)
        hidden = model.first.shape[1]
        shapes = [(INPUTS, hidden), (ITERATIONS, hidden), (len(GROUPS) * PARTS, hidden), (hidden, hidden), (hidden,)]
        if [v.shape for v in values.values()] != [*shapes, (hidden, BITS), (BITS,)]:
            raise SaliencyError("the network's context model has wrong shapes; install msroi again")
        return model

    def sums(self, seen: npt.NDArray[np.int8], iteration: int) -> Whole:
        """The first sums (n, hidden) of what is seen (n, 864) before the first part of a cell."""
        return np.asarray(seen.astype(np.float64) @ self.first + self.by_iteration[iteration])

    def of_part(self, bits: Bits, part: int) -> Whole:
        """What the bits (n, 8) of one part of a cell add to the first sums for the parts after it."""
        return np.asarray(bits.astype(np.float64) @ self.first[OWN : OWN + BITS][_of(part)])

    def indices(self, sums: Whole, group: int, part: int) -> npt.NDArray[np.int64]:
        """Table of each bit of a part, int (n, 8), of the first sums (n, hidden)."""
        sums = sums + self.by_step[group * PARTS + part]
        hidden = np.clip(np.floor(sums * STEPS / WEIGHT_STEPS + 0.5), 0, MOST)
        sums = hidden @ self.second + self.second_bias
        hidden = np.clip(np.floor(sums / WEIGHT_STEPS + 0.5), 0, MOST)
        sums = hidden @ self.last[:, _of(part)] + self.last_bias[_of(part)]
        middle = BIT_TABLES.n_tables // 2
        index = np.floor(sums * INDEX_STEPS / (WEIGHT_STEPS * STEPS) + 0.5)
        return (np.clip(index, -middle, middle) + middle).astype(np.int64)


def _of(part: int) -> slice:
    """The bits of a part."""
    return slice(part * BITS // PARTS, (part + 1) * BITS // PARTS)


def random_weights(seed: int, hidden: int = 8) -> dict[str, npt.NDArray[np.int32]]:
    """Weights of an untrained model, for tests, as `ContextModel.of` takes them."""
    random = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "first": (INPUTS, hidden),
        "by_iteration": (ITERATIONS, hidden),
        "by_step": (len(GROUPS) * PARTS, hidden),
    }
    shapes |= {"second": (hidden, hidden), "second_bias": (hidden,), "last": (hidden, BITS), "last_bias": (BITS,)}
    return {f"context/{n}": random.integers(-300, 301, shape, dtype=np.int32) for n, shape in shapes.items()}


def past_of(bits: Bits, t: int) -> Bits:
    """The iterations before t of int8 (iterations, rows, columns, 32), the last first; zeros before the first."""
    nothing = np.zeros(bits.shape[1:], np.int8)
    return np.stack([bits[t - i] if t - i >= 0 else nothing for i in range(1, PAST + 1)])


def encode(model: ContextModel, bits: Bits, past: Bits, iteration: int) -> bytes:
    """The code of one iteration. bits: int8 (rows, columns, 32), -1, 0 (silent) or 1; past: (2, rows, columns, 32)."""
    coder = RangeEncoder()

    def put(index: npt.NDArray[np.int64], true: Bits) -> Bits:
        coder.encode((true.ravel() > 0).astype(np.int32), BIT_TABLES, index.ravel())
        return true

    _walk(model, bits != 0, past, iteration, lambda index, where: put(index, bits[where]))
    return coder.data()


def decode(model: ContextModel, data: bytes, active: npt.NDArray[np.bool_], past: Bits, iteration: int) -> Bits:
    """The bits of one iteration, int8 (rows, columns, 32). active: bool (rows, columns), False where silent."""
    coder = RangeDecoder(data)

    def get(index: npt.NDArray[np.int64], where: tuple[npt.NDArray[np.intp], ...]) -> Bits:
        found = coder.decode(BIT_TABLES, index.ravel())
        return (2 * found - 1).astype(np.int8).reshape(index.shape)

    bits = _walk(model, np.repeat(active[..., None], BITS, axis=2), past, iteration, get)
    coder.finish()
    return bits


def cost(model: ContextModel, bits: Bits, past: Bits, iteration: int) -> float:
    """Bits that the code of one iteration takes by the model, a float."""
    per_symbol = BIT_TABLES.bits()
    total = 0.0

    def add(index: npt.NDArray[np.int64], where: tuple[npt.NDArray[np.intp], ...]) -> Bits:
        nonlocal total
        true = bits[where]
        total += float(per_symbol[index, (true > 0).astype(np.int64)].sum())
        return true

    _walk(model, bits != 0, past, iteration, add)
    return total


Coder = Callable[[npt.NDArray[np.int64], tuple[npt.NDArray[np.intp], ...]], Bits]


def _walk(model: ContextModel, active: npt.NDArray[np.bool_], past: Bits, iteration: int, code: Coder) -> Bits:
    """Visit the bits in their order: `code(tables, place)` says what they are, from a file or from what is known."""
    rows, columns, _ = active.shape
    if past.shape != (PAST, rows, columns, BITS):
        raise BitstreamError(f"the bits before have the shape {past.shape}; expected {(PAST, rows, columns, BITS)}")
    known = np.zeros((1 + PAST, rows + 2, columns + 2, BITS), np.int8)
    known[1:, 1:-1, 1:-1] = past
    channels = np.arange(BITS)
    for group, y, x in groups(active[..., 0]):
        sums = model.sums(neighbourhoods(known, y, x), iteration)
        for part in range(PARTS):
            place = y[:, None], x[:, None], channels[None, _of(part)]
            bits = code(model.indices(sums, group, part), place)
            known[0, place[0] + 1, place[1] + 1, place[2]] = bits
            sums += model.of_part(bits, part)
    return np.ascontiguousarray(known[0, 1:-1, 1:-1])


def groups(active: npt.NDArray[np.bool_]) -> Iterator[tuple[int, npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """(group, rows, columns) of the cells that are coded together, in their order; empty groups are left out."""
    for group, (row, column) in enumerate(GROUPS):
        y, x = np.nonzero(active[row::2, column::2])
        if len(y):
            yield group, 2 * y + row, 2 * x + column


def neighbourhoods(known: Bits, y: npt.NDArray[np.intp], x: npt.NDArray[np.intp]) -> npt.NDArray[np.int8]:
    """What the model sees of cells: int8 (n, 864). known: (3, rows + 2, columns + 2, 32), with a border of zeros."""
    around = [known[:, y + dy, x + dx] for dy in range(3) for dx in range(3)]
    return np.stack(around, axis=1).transpose(2, 1, 0, 3).reshape(len(y), INPUTS)
