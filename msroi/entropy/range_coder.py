"""The range coder: symbols and tables to bytes, and back.

The bytes, for who writes another decoder: 32-bit words, little-endian, of `constriction`'s range coder with a
state of 64 bits and probabilities of 24 bits. In a table of n symbols with frequencies f (adding up to 2^16),
symbol s has of [0, 2^24) the part from left(s) to left(s + 1), where

    left(s) = s + floor((f_0 + ... + f_(s-1)) * (2^24 - n) / 2^16),   left(n) = 2^24.

The decoder's state: range = 2^64 - 1, offset = the first two words, the first being the upper; words past the
end are 0. For each symbol: step = floor(range / 2^24); s is the symbol whose part holds floor(offset / step);
offset -= step * left(s); range = step * (left(s + 1) - left(s)); if range < 2^32, both are multiplied by 2^32
and the next word is added to offset. An offset of 2^24 steps or more is damage.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from msroi import extras
from msroi.entropy.tables import TOTAL, FrequencyTables
from msroi.errors import BitstreamError, OptionError

_WORD = np.dtype("<u4")
_CHUNK_VALUES = 1 << 20
"""Probabilities handed over at a time: 8 MB. How symbols are divided into calls does not change the bytes."""


@functools.cache
def _library() -> tuple[Any, Any]:
    """constriction's streams, and its family of models that takes a row of probabilities for each symbol.

    Rows of a table over TOTAL are exact in float64, and so is their sum 1: see the module's text for what
    constriction makes of them, by one rounding down of an exact product.
    """
    try:
        from constriction import stream
    except ImportError as error:
        raise extras.missing("the neural codecs need an extra; install it", "keras") from error
    return stream, stream.model.Categorical(perfect=False)


class RangeEncoder:
    """Collects symbols; `data()` is what they come to."""

    def __init__(self) -> None:
        self._encoder: Any = _library()[0].queue.RangeEncoder()

    def encode(self, symbols: npt.NDArray[np.integer], tables: FrequencyTables, index: npt.NDArray[np.integer]) -> None:
        """Append symbols (n,), each by the table that index (n,) names.

        Errors: OptionError for a symbol or an index outside of the tables, with nothing appended.
        """
        index = _checked(index, tables.n_tables, "index")
        symbols = _checked(symbols, tables.n_symbols, "symbols").astype(np.int32, copy=False)
        if symbols.shape != index.shape:
            raise OptionError(f"symbols: got {symbols.size}, allowed: one for each of the {index.size} indices")
        probabilities = tables.frequencies / float(TOTAL)
        for part in _chunks(index.size, tables.n_symbols):
            self._encoder.encode(symbols[part], _library()[1], probabilities[index[part]])

    def data(self) -> bytes:
        """All symbols so far: whole words of 4 bytes; b"" for none. More may be appended afterwards."""
        return bytes(self._encoder.get_compressed().astype(_WORD).tobytes())


class RangeDecoder:
    """Gives back the symbols of `RangeEncoder.data()`, in the order and by the tables they went in.

    Damaged bytes mostly decode to other symbols: a checksum is the caller's. Errors: BitstreamError for
    a length that is not whole words.
    """

    def __init__(self, data: bytes) -> None:
        if len(data) % _WORD.itemsize:
            raise BitstreamError(f"{len(data)} bytes of coded symbols are not whole words of 4; the file is damaged")
        words = np.frombuffer(data, _WORD).astype(np.uint32)
        self._decoder: Any = _library()[0].queue.RangeDecoder(words)

    def decode(self, tables: FrequencyTables, index: npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
        """The next symbols: int32 (n,), each by the table that index (n,) names.

        Errors: OptionError for an index outside of the tables; BitstreamError for bytes that no symbols give.
        """
        index = _checked(index, tables.n_tables, "index")
        probabilities = tables.frequencies / float(TOTAL)
        symbols = np.empty(index.size, np.int32)
        for part in _chunks(index.size, tables.n_symbols):
            try:
                symbols[part] = self._decoder.decode(_library()[1], probabilities[index[part]])
            except AssertionError as error:  # constriction's word for bytes that it cannot have written
                raise BitstreamError("coded symbols that no encoder writes; the file is damaged") from error
        return symbols

    def finish(self) -> None:
        """Errors: BitstreamError if there are bytes that none of the symbols needed."""
        if not self._decoder.maybe_exhausted():
            raise BitstreamError("bytes are left over after the last coded symbol; the file is damaged")


def _checked(values: npt.NDArray[np.integer], end: int, name: str) -> npt.NDArray[np.integer]:
    """`values` if they are whole numbers (n,) from 0 to end - 1."""
    values = np.asarray(values)
    if values.ndim != 1 or not np.issubdtype(values.dtype, np.integer):
        raise OptionError(f"{name}: got {values.dtype} {values.shape}, allowed: whole numbers (n,)")
    if values.size and not (values.min() >= 0 and values.max() < end):
        raise OptionError(f"{name}: got {values.min()} to {values.max()}, allowed: 0 to {end - 1}")
    return values


def _chunks(n_values: int, n_symbols: int) -> list[slice]:
    length = max(1, _CHUNK_VALUES // n_symbols)
    return [slice(start, start + length) for start in range(0, n_values, length)]
