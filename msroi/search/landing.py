"""The search for a size over a knob that takes real numbers.

Estimates find the neighbourhood, the session prepares for it, and secants between true files land. What is returned are
the very bytes that were measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from msroi.search.knobs import NEARENOUGH, TRIES
from msroi.search.match import Match, NoneFitsError
from msroi.search.secant import FINEST, GROWTH, onward, secant
from msroi.search.session import Session

# A file this much under its target is worth more tries.
FAR = 0.005

# A file whose log size is this near to the target's shows what one of the target's size will be like.
_JUDGED = 0.01

# Estimates end when the setting they point to moves by less than this share of the interval, or after so
# many.
_STEADY = 0.003
_ESTIMATES = 8

# From the first file on it is what estimates say of the way to the goal, over this share of the interval at least, and
# at most so many times more or less than that: JPEG sources on their lattice grow half as fast, others as usual.
_WAY, _UNUSUAL = 0.005, 4.0

# Estimates go by some rows of a picture; where lines of text fall into step with them, true files have a third or three
# times the bytes. Tables meant for that size serve badly: a session whose first file is off the goal by more than this
# (log size) is prepared anew where that file points to, so many times at most. Photos stay below .05.
_ASTRAY, _PREPARATIONS = 0.1, 4


def land_within(
    session: Session,
    low: float,
    high: float,
    max_bytes: int,
    *,
    overhead: int = 0,
    near_enough: float = NEARENOUGH,
    tries: int = TRIES,
) -> Match:
    """The largest file found of at most `max_bytes` bytes, over settings from `low` to `high`.

    Estimates find the neighbourhood, the session prepares for it, and secants on log size between true files
    land: it ends at a file less than `near_enough` under the target, or after `tries` files once one is less than
    FAR under it. What the session says of the file may send it there once more, prepared in another way.
    Where not even the setting `low` fits, that is the answer to an error.
    overhead: bytes that come to every file and count.
    Errors: NoneFitsError where none fits; it says how small the file can be.
    """
    landing = _Landing(low, high, max_bytes, overhead, near_enough, tries)
    setting = estimated(session, low, high, landing.goal, overhead)
    setting, prepared, data = landing.prepare(session, setting)
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

    def prepare(self, session: Session, setting: float) -> tuple[float, Session, bytes]:
        """A setting near the goal, the session prepared for it, and its file there."""
        for n in range(1, _PREPARATIONS + 1):
            prepared = session.near(setting, self.coded_bytes)
            data = prepared.encode(setting)
            short = self.goal - math.log(len(data) + self.overhead)
            stride = short / GROWTH * (self.high - self.low)
            following = self._clipped(setting + stride)
            is_prepared = prepared is session or abs(short) < _ASTRAY  # itself: it needs no preparation
            if is_prepared or following == setting or n == _PREPARATIONS:
                break
            setting = following
        return setting, prepared, data

    def land(self, session: Session, setting: float, data: bytes) -> tuple[Match, Session | None]:
        """Secants on log size, from `setting` and its file on; and another session, if this one is to be left.

        The first file that is about as large as asked for tells whether the session keeps its word: where it does not,
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
                other, judged = session.revised(data, setting, self.coded_bytes)[0], True
                if other is not None:
                    return Match(data, setting, len(sizes)), other
            following = self._following(session, sizes)
            if min(abs(following - s) for s in sizes) < FINEST * (self.high - self.low):
                break
            setting, data = following, session.encode(following)
        if kept is None:
            raise NoneFitsError(self.max_bytes, smallest)
        return Match(kept[2], kept[1], n_probes=len(sizes)), None

    def _following(self, session: Session, sizes: dict[float, float]) -> float:
        """Where the goal should lie by the files so far.

        From the first on, by how estimates grow on the way. By two on one side, by those two if the second is much the
        nearer: only where files come no nearer a search has to leap.
        """
        if len(sizes) == 1:
            ((setting, size),) = sizes.items()
            return self._clipped(setting + (self.goal - size) / self._growth(session, setting, self.goal - size))
        before, latest = (abs(size - self.goal) for size in list(sizes.values())[-2:])
        if len(sizes) == 2 and latest < before / 2:
            return secant(sizes, self.low, self.high, self.goal)
        return onward(sizes, self.low, self.high, self.goal)

    def _growth(self, session: Session, setting: float, short: float) -> float:
        """What log size grows by with the setting, as far as estimates say, on a way that makes it `short` larger."""
        width = self.high - self.low
        usual = GROWTH / width
        there = self._clipped(setting + math.copysign(max(abs(short) / usual, _WAY * width), short))
        if there == setting:
            return usual
        rough = [math.log(max(1.0, session.rough_bytes(at))) for at in (setting, there)]
        return min(max((rough[1] - rough[0]) / (there - setting), usual / _UNUSUAL), usual * _UNUSUAL)

    def _clipped(self, setting: float) -> float:
        return min(max(setting, self.low), self.high)

    def _is_near(self, size: int, setting: float, n_files: int) -> bool:
        """Whether a file that fits is near enough, or after so many files near enough for that."""
        if size >= self.max_bytes * (1 - self.near_enough) or setting >= self.high:
            return True
        return n_files >= self.tries and size >= self.max_bytes * (1 - FAR)


def estimated(session: Session, low: float, high: float, goal: float, overhead: int = 0) -> float:
    """Where estimates say the goal (a log size) lies."""
    sizes: dict[float, float] = {}
    setting = (low + high) / 2
    for _ in range(_ESTIMATES):
        sizes[setting] = math.log(max(1.0, session.rough_bytes(setting) + overhead))
        following = secant(sizes, low, high, goal)
        if abs(following - setting) < _STEADY * (high - low):
            return following
        setting = following
    return setting
