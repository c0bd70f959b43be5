"""The search over a knob with steps, for a size and for a quality.

A knob has settings ordered from the smallest file to the largest. That order holds in the
large only: sizes dip where two quantisers fall on one lattice, and in tiny pictures, and how good a file is
rises and falls with them. So bisection finds a border, and a look around it finds what bisection cannot see.
Every setting is encoded at most once, and what is returned are the very bytes that were measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from msroi.errors import TargetError
from msroi.search.knobs import LOOK
from msroi.search.match import Match, NoneFitsError, Verdict

# What log size grows by over all settings, roughly; for the first step only, before two sizes are known.
_TYPICAL_GROWTH = 2.0

Encode = Callable[[Any], bytes]

# How far a size may fall below that of a lower setting. Measured: plain and two-pass with 1 and 5 levels, all
# qualities, 250 pictures (Kodak, the same coded before, camera photos, crops from 1 x 1 pixel, odd and flat
# files): at most 2.3 %. Sizes further than this above a budget end the look for a larger setting.
DIP = 0.03


def largest_within(
    encode: Encode,
    settings: Sequence[Any],
    max_bytes: int,
    *,
    overhead: int = 0,
    first: int | None = None,
    look: int = LOOK,
) -> Match:
    """The largest setting whose file has at most `max_bytes` bytes, and that file.

    overhead: bytes that come to every file and count.
    first: index of a setting near which the answer is expected; saves probes.
    look: at most so many settings above the border are tried, as long as sizes stay within DIP of the target.
        The answer is exact as long as no size lies more than DIP below that of a lower setting.
    Errors: NoneFitsError, a TargetError, where none fits; it says how small the file can be.
    """
    probes = _Probes(encode, settings, overhead)
    low, high = -1, len(settings)  # low fits, high does not; both may lie just outside
    index = _within(len(settings) // 2 if first is None else first, low, high)
    slope = _TYPICAL_GROWTH / len(settings)
    while high - low > 1:
        width = high - low
        if probes.size(index) <= max_bytes:
            low = index
            probes.keep(index)
        else:
            high = index
        halved = high - low <= width // 2 + 1
        index = _guess(probes.sizes, low, high, max_bytes, slope) if halved else (low + high) // 2
    for above in range(high, min(high + look, len(settings))):
        if probes.size(above) > max_bytes * (1 + DIP):
            break
        if probes.size(above) <= max_bytes:
            probes.keep(above)
    if probes.kept is None:
        raise NoneFitsError(max_bytes, min(probes.sizes.values()))
    return probes.kept_match()


def fewest_bytes(
    encode: Encode,
    settings: Sequence[Any],
    good_enough: Callable[[bytes], Verdict],
    *,
    first: int | None = None,
    look: int = LOOK,
) -> Match:
    """The smallest file that is good enough.

    first: index of a setting near which the answer is expected.
    look: so many settings on each side of the border are tried, because quality is not steady: the two-pass
        encoder's is best where its last quantiser equals an earlier one, and bisection alone wrote
        files up to 68 % larger than needed.
    Errors: TargetError where no setting is good enough; it says what the largest reached.
    """
    probes = _Probes(encode, settings)
    verdicts: dict[int, Verdict] = {}

    def is_good(index: int) -> bool:
        if index not in verdicts:
            size = probes.size(index)
            verdicts[index] = good_enough(probes.file(index))
            if verdicts[index].good and (probes.kept is None or size < len(probes.kept[1])):
                probes.keep(index)
        return verdicts[index].good

    low, high = -1, len(settings)  # high is good, low is not; both may lie just outside
    index = _within(len(settings) // 2 if first is None else first, low, high)
    while high - low > 1:
        low, high = (low, index) if is_good(index) else (index, high)
        index = (low + high) // 2
    # Sizes rise in the large, so the first good one from below is the smallest but for a dip above it.
    border = next((index for index in range(max(0, high - look), high) if is_good(index)), high)
    if probes.kept is None:
        last = len(settings) - 1
        raise TargetError(f"not reached; the best of this method has {verdicts[last].reached}")
    for above in range(border + 1, min(border + 1 + look, len(settings))):
        if probes.size(above) > probes.sizes[border] * (1 + DIP):
            break
        if probes.size(above) < len(probes.kept[1]):
            is_good(above)
    return replace(probes.kept_match(), reached=verdicts[probes.kept[0]].reached)


class _Probes:
    """Encodes each setting at most once; remembers all sizes, and of the files the latest and the best."""

    def __init__(self, encode: Encode, settings: Sequence[Any], overhead: int = 0) -> None:
        self._overhead = overhead
        self._encode = encode
        self._settings = settings
        self._latest: tuple[int, bytes] = (-1, b"")
        self.sizes: dict[int, int] = {}
        self.kept: tuple[int, bytes] | None = None

    def size(self, index: int) -> int:
        """Bytes of the file at settings[index], with what comes to it."""
        if index not in self.sizes:
            self._latest = (index, self._encode(self._settings[index]))
            self.sizes[index] = len(self._latest[1]) + self._overhead
        return self.sizes[index]

    def file(self, index: int) -> bytes:
        """The file at settings[index], which must be the one encoded last: others are not stored."""
        assert index == self._latest[0]
        return self._latest[1]

    def keep(self, index: int) -> None:
        """The file at settings[index], encoded last, is the best so far."""
        self.kept = (index, self.file(index))

    def kept_match(self) -> Match:
        assert self.kept is not None
        index, data = self.kept
        return Match(data, self._settings[index], n_probes=len(self.sizes))


def _within(index: int, low: int, high: int) -> int:
    """`index` moved strictly between low and high."""
    return min(max(index, low + 1), high - 1)


def _guess(sizes: dict[int, int], low: int, high: int, max_bytes: int, slope: float) -> int:
    """Where between two borders the target should lie: log size taken as a straight line.

    slope: that of log size, used where only one of the borders has been measured.
    """
    target = math.log(max(1, max_bytes))
    if low in sizes and high in sizes:
        slope = max(math.log(sizes[high] / max(1, sizes[low])) / (high - low), 1e-9)
    base = low if low in sizes else high
    distance = (target - math.log(max(1, sizes[base]))) / slope
    # Clipped before rounding: a flat stretch makes the distance huge.
    return _within(base + round(min(max(distance, -1e6), 1e6)), low, high)
