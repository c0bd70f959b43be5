"""The search for a target: it knows sizes and verdicts, nothing of JPEG.

An encoder offers settings ordered from the smallest file to the largest. That order holds in the
large only: sizes dip where two quantisers fall on one lattice, and in tiny pictures, and how good a file is
rises and falls with them. So bisection finds a border, and a look around it finds what bisection cannot see.
Every setting is encoded at most once, and what is returned are the very bytes that were measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from msroi.errors import TargetError
from msroi.search.knobs import LOOK, NEARENOUGH, TRIES
from msroi.search.session import Session

# What log size grows by over all settings, roughly; for the first step only, before two sizes are known.
_TYPICAL_GROWTH = 2.0

Encode = Callable[[Any], bytes]

# How far a size may fall below that of a lower setting. Measured: plain and two-pass with 1 and 5 levels, all
# qualities, 250 pictures (Kodak, the same coded before, camera photos, crops from 1 x 1 pixel, odd and flat
# files): at most 2.3 %. Sizes further than this above a budget end the look for a larger setting.
DIP = 0.03


@dataclass(frozen=True)
class Match:
    """What a search found: the file, its setting, how many files were made on the way, what it reached.

    note: what the encoder decided on the way, in words; "" if nothing.
    """

    data: bytes
    setting: Any
    n_probes: int
    reached: str = ""
    note: str = ""


@dataclass(frozen=True)
class Verdict:
    """Whether a file is good enough, and what it reached in words ("33.1 dB").

    margin: by how many decibels it is above what is wanted, or below it; searches between real settings need it.
    """

    good: bool
    reached: str
    margin: float = 0.0


class NoneFitsError(TargetError):
    """No setting has a file of at most `max_bytes` bytes; the smallest has `smallest`."""

    def __init__(self, max_bytes: int, smallest: int) -> None:
        super().__init__(
            f"target {max_bytes} bytes is below the smallest this picture can be "
            f"({smallest} bytes); raise it or use `max_side`"
        )
        self.smallest = smallest


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


# --- real-valued settings -------------------------------------------------------------------------

# A file this much under its target is worth more tries, until settings differ by less than this share of the
# interval.
FAR = 0.005
FINEST = 1e-5

# A file whose log size is this near to the target's shows what one of the target's size will be like.
_JUDGED = 0.01

# Estimates end when the setting they point to moves by less than this share of the interval, or after so
# many.
_STEADY = 0.003
_ESTIMATES = 8

# What log size grows by over an interval of settings, roughly and at least.
_REAL_GROWTH = 5.3

# From the first file on it is what estimates say of the way to the goal, over this share of the interval at least, and
# at most so many times more or less than that: JPEG sources on their lattice grow half as fast, others as usual.
_WAY, _UNUSUAL = 0.005, 4.0

# Estimates go by some rows of a picture; where lines of text fall into step with them, true files have a third or three
# times the bytes. Tables meant for that size serve badly: an encoder whose first file is off the goal by more than this
# (log size) is prepared anew where that file points to, so many times at most. Photos stay below .05.
_ASTRAY, _PREPARATIONS = 0.1, 4
_LEAST_GROWTH = 0.5


def land_within(
    encoder: Session,
    low: float,
    high: float,
    max_bytes: int,
    *,
    overhead: int = 0,
    near_enough: float = NEARENOUGH,
    tries: int = TRIES,
) -> Match:
    """The largest file found of at most `max_bytes` bytes, over settings from `low` to `high`.

    Estimates find the neighbourhood, the encoder prepares for it, and secants on log size between true files
    land: it ends at a file less than `near_enough` under the target, or after `tries` files once one is less than
    FAR under it. What the encoder says of the file may send it there once more, prepared in another way.
    Where not even the setting `low` fits, that is the answer to an error.
    overhead: bytes that come to every file and count.
    Errors: NoneFitsError where none fits; it says how small the file can be.
    """
    landing = _Landing(low, high, max_bytes, overhead, near_enough, tries)
    setting = estimated(encoder, low, high, landing.goal, overhead)
    setting, prepared, data = landing.prepare(encoder, setting)
    n_probes = 0
    while True:
        match, other = landing.land(prepared, setting, data)
        n_probes += match.n_probes
        setting = match.setting
        if other is None:
            other, note = prepared.revised(match.data, setting)
            if other is None:
                return replace(match, n_probes=n_probes, note=note)
        prepared, data = other, other.encode(setting)


@dataclass(frozen=True)
class _Landing:
    """A search for a size between true files; see `land_within` for the fields."""

    low: float
    high: float
    max_bytes: int
    overhead: int
    near_enough: float
    tries: int

    @property
    def goal(self) -> float:
        """The log size that is aimed at."""
        return math.log(max(1, self.max_bytes) * (1 - self.near_enough / 2))

    @property
    def coded_bytes(self) -> float:
        """What is aimed at, without what comes to every file."""
        return max(1.0, math.exp(self.goal) - self.overhead)

    def prepare(self, encoder: Session, setting: float) -> tuple[float, Session, bytes]:
        """A setting near the goal, the encoder prepared for it, and its file there."""
        for n in range(1, _PREPARATIONS + 1):
            prepared = encoder.near(setting, self.coded_bytes)
            data = prepared.encode(setting)
            short = self.goal - math.log(len(data) + self.overhead)
            stride = short / _REAL_GROWTH * (self.high - self.low)
            following = self._clipped(setting + stride)
            is_prepared = prepared is encoder or abs(short) < _ASTRAY  # itself: it needs no preparation
            if is_prepared or following == setting or n == _PREPARATIONS:
                break
            setting = following
        return setting, prepared, data

    def land(self, encoder: Session, setting: float, data: bytes) -> tuple[Match, Session | None]:
        """Secants on log size, from `setting` and its file on; and another encoder, if this one is to be left.

        The first file that is about as large as asked for tells whether the encoder keeps its word: where it does not,
        landing with it would be in vain. Errors: NoneFitsError.
        """
        sizes: dict[float, float] = {}
        kept: tuple[int, float, bytes] | None = None
        smallest, judged = 0, False
        for _ in range(4 * self.tries):
            size = len(data) + self.overhead
            smallest = min(smallest or size, size)
            sizes[setting] = math.log(max(1, size))
            if size <= self.max_bytes and (kept is None or size > kept[0]):
                kept = (size, setting, data)
            if kept and self._is_near(*kept[:2], n_files=len(sizes)):
                break
            if not judged and abs(sizes[setting] - self.goal) < _JUDGED:
                other, judged = encoder.revised(data, setting, self.coded_bytes)[0], True
                if other is not None:
                    return Match(data, setting, len(sizes)), other
            following = self._following(encoder, sizes)
            if min(abs(following - s) for s in sizes) < FINEST * (self.high - self.low):
                break
            setting, data = following, encoder.encode(following)
        if kept is None:
            raise NoneFitsError(self.max_bytes, smallest)
        return Match(kept[2], kept[1], n_probes=len(sizes)), None

    def _following(self, encoder: Session, sizes: dict[float, float]) -> float:
        """Where the goal should lie by the files so far.

        From the first on, by how estimates grow on the way. By two on one side, by those two if the second is much the
        nearer: only where files come no nearer a search has to leap.
        """
        if len(sizes) == 1:
            ((setting, size),) = sizes.items()
            return self._clipped(setting + (self.goal - size) / self._growth(encoder, setting, self.goal - size))
        before, latest = (abs(size - self.goal) for size in list(sizes.values())[-2:])
        if len(sizes) == 2 and latest < before / 2:
            return _secant(sizes, self.low, self.high, self.goal)
        return onward(sizes, self.low, self.high, self.goal)

    def _growth(self, encoder: Session, setting: float, short: float) -> float:
        """What log size grows by with the setting, as far as estimates say, on a way that makes it `short` larger."""
        width = self.high - self.low
        usual = _REAL_GROWTH / width
        there = self._clipped(setting + math.copysign(max(abs(short) / usual, _WAY * width), short))
        if there == setting:
            return usual
        rough = [math.log(max(1.0, encoder.rough_bytes(at))) for at in (setting, there)]
        return min(max((rough[1] - rough[0]) / (there - setting), usual / _UNUSUAL), usual * _UNUSUAL)

    def _clipped(self, setting: float) -> float:
        return min(max(setting, self.low), self.high)

    def _is_near(self, size: int, setting: float, n_files: int) -> bool:
        """Whether a file that fits is near enough, or after so many files near enough for that."""
        if size >= self.max_bytes * (1 - self.near_enough) or setting >= self.high:
            return True
        return n_files >= self.tries and size >= self.max_bytes * (1 - FAR)


def estimated(encoder: Session, low: float, high: float, goal: float, overhead: int = 0) -> float:
    """Where estimates say the goal (a log size) lies."""
    sizes: dict[float, float] = {}
    setting = (low + high) / 2
    for _ in range(_ESTIMATES):
        sizes[setting] = math.log(max(1.0, encoder.rough_bytes(setting) + overhead))
        following = _secant(sizes, low, high, goal)
        if abs(following - setting) < _STEADY * (high - low):
            return following
        setting = following
    return setting


def onward(sizes: dict[float, float], low: float, high: float, goal: float) -> float:
    """The secant's setting, or one beyond it where the latest sizes fell on one side of the goal.

    Where sizes bend, secants come near from one side for ever; where they hardly move, as where a JPEG source
    has been reached that cannot become better, they crawl.
    """
    following = _secant(sizes, low, high, goal)
    tried = list(sizes)
    latest = tried[-1]
    is_over = sizes[latest] > goal
    opposite = [s for s in tried if (sizes[s] > goal) != is_over]
    n_alike = next((i for i, s in enumerate(reversed(tried)) if s in opposite), len(tried))
    if n_alike < 2:
        return following
    if opposite:
        limit = min(opposite, key=lambda s: abs(s - latest))
        twice = latest + 2 * (following - latest)
        is_short = n_alike == 2 and abs(twice - latest) < abs(limit - latest) / 2
        return twice if is_short else (latest + limit) / 2
    stride = abs(latest - tried[-2])
    if not is_over and abs(sizes[latest] - sizes[tried[-2]]) < _LEAST_GROWTH * stride / (high - low):
        return high
    stride = 2 * max(stride, abs(following - latest))
    return max(latest - stride, low) if is_over else min(latest + stride, high)


def _secant(sizes: dict[float, float], low: float, high: float, goal: float) -> float:
    """Where the goal should lie by the two known settings around it, or the two nearest on one side."""
    under = sorted(s for s in sizes if sizes[s] <= goal)
    over = sorted(s for s in sizes if sizes[s] > goal)
    below, above = under[-1:], [s for s in over if not under or s > under[-1]][:1]
    pair = below + above
    if len(pair) < 2:
        pair = under[-2:] if below else over[:2]
    growth = _REAL_GROWTH / (high - low)
    if len(pair) == 2:
        growth = max((sizes[pair[1]] - sizes[pair[0]]) / (pair[1] - pair[0]), _LEAST_GROWTH / (high - low))
    base = min(pair, key=lambda s: abs(sizes[s] - goal))
    guess = base + (goal - sizes[base]) / growth
    if below and above and not below[0] < guess < above[0]:
        guess = (below[0] + above[0]) / 2
    return min(max(guess, low), high)
