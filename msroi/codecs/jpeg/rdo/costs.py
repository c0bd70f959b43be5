"""What AC symbols cost, measured on quantised blocks: the quantiser's view of the entropy coder.

Prices are those of the scans that the file will have: of one sequential scan, or of a progressive one that
may be cut in two bands, each with a code of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from msroi.arrays import Floats
from msroi.codecs.jpeg import _kernels

Levels = npt.NDArray[np.int16]
Costs = npt.NDArray[np.float64]

# Where AC may be cut into two scans; the same as CUTS in kernels/band_choice.h.
CUTS = (2, 5, 9, 14)

# Symbols of a progressive scan that end bands: 2^n and more blocks, n further bits.
END_SYMBOLS = np.arange(15) * 16
EXTRA_BITS = np.array([n // 16 if n % 16 == 0 and n < 0xF0 else n % 16 for n in range(256)])

# No Huffman code of a JPEG is longer.
LONGEST_CODE = 16

# Categories of DC differences, and what each is priced by before it is seen.
N_DC_CATEGORIES = 12
_SEEN_OF_DC = 0.5

# After a band without an end of its own (every band full): what its end would cost.
_UNSEEN_END = 4.0


@dataclass(frozen=True)
class Prices:
    """Bits of a component's AC symbols in two bands, 1..cut and cut + 1..63 (cut 63: one band).

    symbols: float32 (2, 256), run/size symbols. ends: float32 (2, 2), per band that of a band without any
    value and that of the zeros after its last value. total: of what they were measured on, as Huffman codes take it.
    """

    cut: int
    symbols: Floats
    ends: Floats
    total: float


def measure(levels: Levels, blank_share: float, *, sequential: bool, threads: int = 1) -> Prices:
    """Prices as the file would have them if it were all like `levels` (rows, columns, 64).

    blank_share: 0 to 1, the share of the mean cost of a band's end that a band without values pays.
    """
    cuts = () if sequential else CUTS
    counts = _kernels.band_counts(levels, cuts, not sequential, threads)
    smoothed = counts + _SEEN_ANYWAY
    bits = np.minimum(-np.log2(smoothed / smoothed.sum(axis=1, keepdims=True)), LONGEST_CODE)
    each = counts * (bits + EXTRA_BITS)
    totals = each.sum(axis=1)
    pairs = totals[1::2] + totals[2::2]  # of the two bands of each cut
    if sequential or pairs.min() >= totals[0]:
        bands, cut = [0], 63
    else:
        best = int(pairs.argmin())
        bands, cut = [1 + 2 * best, 2 + 2 * best], CUTS[best]
    ends = np.zeros((2, 2), np.float32)
    for row, band in enumerate(bands):
        ends[row] = bits[band, 0] if sequential else _ends(counts[band], each[band], blank_share, levels)
    total = sum(_coded_bits(counts[band]) for band in bands)
    return Prices(cut, bits[[bands[0], bands[-1]]].astype(np.float32), ends, total)


def _coded_bits(counts: npt.NDArray[np.int64]) -> float:
    """What so many symbols take with the code that suits them best, further bits included."""
    return float(np.sum(counts * (_kernels.huffman_lengths(counts) + EXTRA_BITS)))


def _ends(counts: npt.NDArray[np.int64], each: Costs, blank_share: float, levels: Levels) -> tuple[float, float]:
    """What a band without any value pays in bits, and one with zeros after its last value.

    Ends of bands are counted together across blocks, and a count closes where a block has values again. So a
    blank band seems free and one with values pays for the count; but each blank one also lengthens it.
    """
    n_ends, of_ends = counts[END_SYMBOLS].sum(), each[END_SYMBOLS].sum()
    after = of_ends / n_ends if n_ends else _UNSEEN_END
    blank = blank_share * of_ends / (levels.shape[0] * levels.shape[1])
    return blank, blank + (1 - blank_share) * after


def dc_prices(levels: Levels) -> Floats:
    """Bits of a DC difference by its category, further bits included, in a scan of the component: float32 (12,)."""
    counts = _kernels.dc_counts(levels, chained=True)[:N_DC_CATEGORIES] + _SEEN_OF_DC
    bits = np.minimum(-np.log2(counts / counts.sum()), LONGEST_CODE) + np.arange(N_DC_CATEGORIES)
    return np.asarray(bits, np.float32)


def dc_bits(levels: Levels, tall: bool) -> float:
    """About the bits of the DC differences, from those along rows.

    tall: blocks come by MCUs of two rows, so that every other step goes to the next or last row.
    """
    counts = _kernels.dc_counts(levels, chained=False)
    along = _coded_bits(np.pad(counts, (0, 256 - counts.size)))
    if not tall:
        return along
    differences = np.abs(np.diff(levels[..., 0].astype(np.int32), axis=1)).ravel()
    # A neighbour across a corner differs by about sqrt(2) times as much.
    return (along + _coded_bits(_categories(np.rint(math.sqrt(2) * differences)))) / 2


def _categories(magnitudes: npt.NDArray[np.number]) -> npt.NDArray[np.int64]:
    """How many have how many bits: (256,)."""
    return np.bincount(np.frexp(magnitudes)[1], minlength=256)


def _guessed_counts() -> npt.NDArray[np.float64]:
    """A guess at run/size statistics: they fall with each size and with each zero."""
    counts = np.zeros(256)
    for run in range(16):
        for size in range(1, 11):
            counts[run * 16 + size] = 0.4**size * 0.7**run
    counts[0x00] = 0.5
    counts[0xF0] = 0.002
    result: npt.NDArray[np.float64] = counts / counts.sum()
    return result


# Unseen symbols are priced as if seen now and then.
_SEEN_ANYWAY = 2 * _guessed_counts() + 1e-3
_guess = np.minimum(-np.log2(np.maximum(_guessed_counts(), 2.0**-LONGEST_CODE)), LONGEST_CODE)
_guessed_bits: Floats = _guess.astype(np.float32)

# Before anything was measured.
START = Prices(
    cut=63,
    symbols=np.stack([_guessed_bits, _guessed_bits]),
    ends=np.array([[_guessed_bits[0]] * 2, [0, 0]], np.float32),
    total=0.0,
)
