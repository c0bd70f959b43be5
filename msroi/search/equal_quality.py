"""The search for a quality with a session whose settings are real numbers: it knows margins, nothing of pixels."""

from __future__ import annotations

import functools
import math
from dataclasses import replace
from typing import Protocol

from msroi.errors import TargetError
from msroi.search.landing import estimated
from msroi.search.match import Match, Verdict
from msroi.search.secant import FINEST, onward
from msroi.search.session import Session


class Probe:
    """A session at a value of its knob; the file is made when it is asked for."""

    def __init__(self, session: Session, value: float) -> None:
        self.session, self.value = session, value

    @functools.cached_property
    def data(self) -> bytes:
        """The file."""
        return self.session.encode(self.value)

    @property
    def is_made(self) -> bool:
        """Whether the file was asked for."""
        return "data" in self.__dict__


class Judge(Protocol):
    """Says whether a file is good enough."""

    def __call__(self, data: bytes) -> Verdict:
        """The verdict on a file."""

    def rough(self, probe: Probe) -> float:
        """About the margin of the verdict on a probe's file, for little time and without that file, if it can; right as
        far as the latest verdict on a file that was judged so tells how wrong it was."""

    def sketch(self, session: Session, setting: float) -> float | None:
        """About the margin of a file of a session prepared for this setting, without preparing it; less right than a
        rough word. None where that saves nothing."""

    def harder(self, data: bytes) -> str:
        """The condition that is the harder one for a file that was judged; see `Session.variant`."""


# Decibels that a file gains where its log size grows by 1, roughly; a margin so little above 0 is near enough, which
# takes .3 % of the bytes; and a search ends after so many files, or twice as many where none is good.
DECIBELS, ENOUGH, _FILES = 5.0, 0.015, 14

# Files of a larger rough margin are not judged in full, for there will be smaller ones; the second before there was a
# verdict, which tells how wrong rough words are. After it a file is not made for a rough word of less than the third.
_AMPLE, _AMPLE_FIRST, _UNSURE = 0.02, 0.03, 0.002

# Shares of the interval: a step is at most the first, twice as much as the last one where that was cut too; a session
# serves for settings as near as the second to the one that it was prepared for. Further off it gains less and less.
# None is prepared as near as the third to another. And where two as near as the second lie on both sides of the border
# and more than _JUMP decibels apart, as on the lattice of a JPEG source, whose tables jump, there is none between them.
_STRIDE, _PREPARED, _APART, _JUMP = 0.03, 0.01, 0.0001, 0.6

# A file that was made as near enough stays so where the verdict puts it so many times as far off. Sketches that are
# made before at most.
_ABOUT, _SKETCHES = 1.5, 5


def border_between(
    session: Session, low: float, high: float, judge: Judge, near_bytes: int, within: float, n_files: int
) -> tuple[Probe, float]:
    """A file whose margin is about `within` above or below 0 at most, or the last one of `n_files`, and its margin.

    It need not be good enough: it tells what a good one will be like. The rest as for `fewest_bytes_between`.
    """
    setting = estimated(session, low, high, math.log(max(1, near_bytes)))
    setting = _sketched(session, low, high, judge, setting, within)
    margins: dict[float, float] = {}
    while True:
        probe = Probe(session.near(setting), setting)
        margin = judge.rough(probe)
        is_last = len(margins) + 1 >= n_files
        is_made = abs(margin) <= within or is_last
        if is_made:
            margin = judge(probe.data).margin
        margins[setting] = margin / DECIBELS
        following = onward(margins, low, high, 0.0)
        if (is_made and abs(margin) <= _ABOUT * within) or is_last or following in margins:
            return probe, margin
        setting = _stepped(setting, following, low, high)


def _sketched(session: Session, low: float, high: float, judge: Judge, setting: float, within: float) -> float:
    """A setting whose margin is about `within` above or below 0 by sketches; the one given where there are none."""
    margins: dict[float, float] = {}
    while len(margins) < _SKETCHES and (margin := judge.sketch(session, setting)) is not None:
        margins[setting] = margin / DECIBELS
        following = onward(margins, low, high, 0.0)
        if abs(margin) <= within or following in margins:
            break
        setting = _stepped(setting, following, low, high)
    return setting


def _stepped(setting: float, following: float, low: float, high: float) -> float:
    """The following setting, or one on the way to it where that is far."""
    most = 2 * _STRIDE * (high - low)
    return min(max(following, setting - most), setting + most)


def fewest_bytes_between(
    session: Session, low: float, high: float, judge: Judge, near_bytes: int, begin: Probe | None = None
) -> Match:
    """The smallest file found that is good enough, over settings from `low` to `high`.

    near_bytes: a size near which the answer is expected. begin: a file near the answer, of this session prepared for
    its setting, if one is known. Secants on the rough margin come near, first with the session prepared at each
    setting, then with one that stays as it is; whatever seems good enough is made and judged in full.
    Errors: TargetError where no setting is good enough; it says what the largest reached.
    """
    if begin is None:
        near = estimated(session, low, high, math.log(max(1, near_bytes)))
        begin = Probe(session.near(near), near)
    probe: Probe | None = begin
    search = _Search(judge, low, high)
    while probe is not None:
        search.look(probe, fresh=True)
        while (setting := search.around()) is not None:
            search.look(Probe(probe.session, setting))
        setting = search.onward()
        probe = None if setting is None else Probe(session.near(setting), setting)
    best = search.close()
    # What is to be known of it its own session says.
    return replace(best, note=search.maker.revised(best.data, best.setting)[1])


class _Search:
    """The files of a search for a quality: their settings and margins, and the smallest good one."""

    def __init__(self, judge: Judge, low: float, high: float) -> None:
        self._judge, self._low, self._high = judge, low, high
        # Margins in terms of log size: of sessions at the setting they were prepared for, and of the latest around it.
        # Those by a rough word move along where a verdict tells how wrong that is.
        self._fresh: dict[float, float] = {}
        self._near: dict[float, float] = {}
        self._settled_at: set[float] = set()
        self._stride = _STRIDE * (high - low)
        self._is_done = False
        self._ample: Probe | None = None  # the file of the least margin that seemed better than need be
        self._ample_margin = math.inf
        self._maker: Session | None = None
        self.n_files = 0
        self.best: Match | None = None
        self.verdict = Verdict(False, "")

    @property
    def maker(self) -> Session:
        """Of the best file, its session."""
        assert self._maker is not None
        return self._maker

    def look(self, probe: Probe, *, fresh: bool = False) -> None:
        """Judges a file: in full where it may be the best, and where there will be none beyond."""
        self.n_files += 1
        setting, margin = probe.value, self._judge.rough(probe)
        if fresh:
            self._near = {}
        is_end = setting >= self._high or setting <= self._low
        most = _AMPLE if self._settled_at else _AMPLE_FIRST
        least = _UNSURE if self._settled_at and not probe.is_made else 0.0
        if is_end or least <= margin < most:
            rough, margin = margin, self._settled(probe, margin)
            self._move((margin - rough) / DECIBELS)
            self._settled_at.add(setting)
        elif 0 <= margin < self._ample_margin:
            self._ample, self._ample_margin = probe, margin
        if fresh:
            self._fresh[setting] = margin / DECIBELS
        self._near[setting] = margin / DECIBELS

    def _move(self, by: float) -> None:
        for margins in (self._fresh, self._near):
            for setting in margins.keys() - self._settled_at:
                margins[setting] += by

    def _settled(self, probe: Probe, margin: float) -> float:
        """The margin of a file by the full verdict, which may make it the best."""
        if self.best is not None and len(probe.data) >= len(self.best.data):
            return margin
        self.verdict = self._judge(probe.data)
        if self.verdict.good:
            self.best = Match(probe.data, probe.value, self.n_files, self.verdict.reached)
            self._maker = probe.session
            self._is_done = self.verdict.margin <= ENOUGH
        return self.verdict.margin

    def close(self) -> Match:
        """The smallest good file. Errors: TargetError where none was found."""
        if self.best is None and self._ample is not None:
            self._settled(self._ample, 0.0)
        if self.best is None:
            raise TargetError(f"not reached; the best of this method has {self.verdict.reached}")
        return replace(self.best, n_probes=self.n_files)

    def around(self) -> float | None:
        """The setting to try next with the session as it is, None if there is none."""
        at, most = next(iter(self._near)), _PREPARED * (self._high - self._low)
        following = self._secant(self._near)
        return None if following is None or abs(following - at) > most else following

    def onward(self) -> float | None:
        """The setting to prepare a session for next, None at the end."""
        latest = next(reversed(self._fresh))
        following = self._secant(self._fresh)
        if following is None or (latest <= self._low and self._fresh[latest] > 0):
            return None
        if min(abs(following - setting) for setting in self._fresh) < _APART * (self._high - self._low):
            return None
        if any(self._is_jump(latest, setting) for setting in self._fresh):
            return None
        step = following - latest
        if abs(step) > self._stride:
            following = latest + math.copysign(self._stride, step)
            self._stride *= 2
        return following

    def _is_jump(self, one: float, other: float) -> bool:
        """Whether the border lies in a jump between two settings that sessions were prepared for."""
        margins = sorted((self._fresh[one], self._fresh[other]))
        is_across = margins[0] < 0 <= margins[1] and margins[1] - margins[0] > _JUMP / DECIBELS
        return is_across and abs(one - other) < _PREPARED * (self._high - self._low)

    def _secant(self, margins: dict[float, float]) -> float | None:
        """Where the margin should be a little above 0; None where it is, or where that leads nowhere."""
        latest = next(reversed(margins))
        if self._is_done or self.n_files >= (_FILES if self.best else 2 * _FILES):
            return None
        if latest >= self._high and margins[latest] < 0:
            return None
        following = onward(margins, self._low, self._high, ENOUGH / 2 / DECIBELS)
        finest = FINEST * (self._high - self._low)
        return None if min(abs(following - setting) for setting in margins) < finest else following
