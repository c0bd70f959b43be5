"""Tables of integer frequencies: the probabilities that encoder and decoder share."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal

import numpy as np
import numpy.typing as npt

from msroi.errors import OptionError

TOTAL = 1 << 16
"""What the frequencies of a table add up to."""

_N_BIT_TABLES = 255
_BIT_TABLES_A_UNIT = 16
"""Tables to one unit of the logit: neighbours are .0625 apart, at most .0005 bits a symbol from the best."""


@dataclass(frozen=True, eq=False)
class FrequencyTables:
    """Tables of one alphabet, one a row.

    frequencies: uint32 (n_tables, n_symbols), read-only, each at least 1, two symbols or more; a row adds up
        to TOTAL.
    Errors: OptionError for anything else.
    """

    frequencies: npt.NDArray[np.uint32]

    def __post_init__(self) -> None:
        given = np.asarray(self.frequencies)
        whole = given.ndim == 2 and np.issubdtype(given.dtype, np.integer)
        if not whole or given.shape[0] < 1 or given.shape[1] < 2:
            allowed = "whole numbers (n_tables, n_symbols), two symbols or more"
            raise OptionError(f"frequencies: got {given.dtype} {given.shape}, allowed: {allowed}")
        if given.min() < 1 or given.max() > TOTAL or np.any(given.sum(axis=1, dtype=np.int64) != TOTAL):
            raise OptionError(f"frequencies: each must be at least 1, and each row must add up to {TOTAL}")
        own = given.astype(np.uint32)
        own.setflags(write=False)
        object.__setattr__(self, "frequencies", own)

    @property
    def n_tables(self) -> int:
        """How many tables there are."""
        return int(self.frequencies.shape[0])

    @property
    def n_symbols(self) -> int:
        """The alphabet is 0 to n_symbols - 1."""
        return int(self.frequencies.shape[1])

    def bits(self) -> npt.NDArray[np.float64]:
        """What each symbol costs by each table, in bits: float64 (n_tables, n_symbols). For estimates alone."""
        return np.log2(TOTAL) - np.log2(self.frequencies.astype(np.float64))


def round_to_total(counts: npt.NDArray[np.int64]) -> FrequencyTables:
    """Tables in proportion to whole counts, each of which may be 0; computed in integers alone.

    counts: int64 (n_tables, n_symbols), from 0 to 2^31 - 1, 2 to 2^15 symbols.
    A symbol has 1 for itself and its share of the rest, rounded down; the most frequent one (the first of
    equals) has what is left. Errors: OptionError for a row without any count.
    """
    counts = np.asarray(counts, dtype=np.int64)
    sums = counts.sum(axis=1, keepdims=True)
    if np.any(sums <= 0) or np.any(counts < 0):
        raise OptionError("counts: none may be below 0, and each row needs one above 0")
    frequencies = 1 + counts * (TOTAL - counts.shape[1]) // sums
    rows = np.arange(len(counts))
    frequencies[rows, counts.argmax(axis=1)] += TOTAL - frequencies.sum(axis=1)
    return FrequencyTables(frequencies.astype(np.uint32))


def _bit_tables() -> FrequencyTables:
    """Tables of one bit: in table i, a 1 has probability 1 / (1 + exp(-(i - 127) / 16)), rounded to 1 / TOTAL.

    Decimal arithmetic is the same on every machine; the mathematical library's exponential is not.
    """
    exact = Context(prec=30)
    frequencies = np.empty((_N_BIT_TABLES, 2), np.uint32)
    for i in range(_N_BIT_TABLES):
        logit = exact.divide(Decimal(i - _N_BIT_TABLES // 2), Decimal(_BIT_TABLES_A_UNIT))
        ones = exact.divide(Decimal(TOTAL), 1 + exact.exp(-logit))
        frequencies[i, 1] = int(ones.to_integral_value())
    frequencies[:, 0] = TOTAL - frequencies[:, 1]
    return FrequencyTables(frequencies)


BIT_TABLES = _bit_tables()
"""255 tables of two symbols: P(1) = logistic((i - 127) / 16), from .00036 to .99964; table 127 is an even bit."""
