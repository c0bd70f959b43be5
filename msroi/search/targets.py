"""The two questions that a target asks of a session, whatever its knob: the largest file within a number of bytes, and
the smallest one that is as good as another."""

from __future__ import annotations

import math
from contextlib import suppress

from msroi.errors import TargetError
from msroi.search.equal_quality import DECIBELS, Judge, border_between, fewest_bytes_between
from msroi.search.knobs import Interval, Steps
from msroi.search.landing import land_within
from msroi.search.match import Match
from msroi.search.session import Session
from msroi.search.steps import fewest_bytes, largest_within

# Of plain's bytes, what equal quality usually takes: where a search for it begins.
USUAL_SHARE = 0.78

# A margin, and a number of files, that end the first search, whose file tells which variant to take; and the share of
# the variant's bytes that it must promise to be searched to the end.
_NEARLY_DB, _NEARLY_FILES, _LIKELY = 0.2, 4, 0.995


def largest(
    session: Session, max_bytes: int, *, overhead: int = 0, begin: float | None = None, last: int | None = None
) -> Match:
    """The largest file found of at most `max_bytes` bytes, of which `overhead` come to every file.

    The rest is for knobs with steps. begin: near which share of them, 0 to 1, the answer is expected. last: the index
    of the last one that may be tried.
    Errors: NoneFitsError where none fits; it says how small the file, with what comes to it, can be.
    """
    knob = session.knob
    if isinstance(knob, Interval):
        closeness = {"near_enough": knob.near_enough, "tries": knob.tries}
        return land_within(session, knob.low, knob.high, max_bytes, overhead=overhead, **closeness)  # type: ignore[arg-type]
    steps = knob.values if last is None else knob.values[: last + 1]
    first = _first(knob, begin)
    return largest_within(session.encode, steps, max_bytes, overhead=overhead, first=first, look=knob.look)


def smallest_as_good(
    session: Session, judge: Judge, plain_bytes: int, *, begin: float | None = None, look: int | None = None
) -> Match:
    """The smallest file found that is good enough.

    plain_bytes: of the file to be as good as. begin: as for `largest`; look: of a knob with steps, if it is to be less
    than the knob's own. Errors: TargetError where no setting is good enough; it says what the largest reached.
    """
    knob = session.knob
    if isinstance(knob, Interval):
        return _smaller_of_variants(session, knob, judge, plain_bytes)
    looks = knob.look if look is None else min(knob.look, look)
    return fewest_bytes(session.encode, knob.values, judge, first=_first(knob, begin), look=looks)


def _first(knob: Steps, begin: float | None) -> int | None:
    """The index of the step where a search begins."""
    return None if begin is None else max(0, int(len(knob.values) * begin + 1e-9) - 1)


def _smaller_of_variants(session: Session, knob: Interval, judge: Judge, plain_bytes: int) -> Match:
    """The smaller file of a session and of its variant for the condition that is the harder to meet.

    The session itself is searched to the end only where it may have the smaller file.
    """
    low, high = knob.low, knob.high
    near_bytes = round(USUAL_SHARE * plain_bytes)
    if not session.has_variants:
        return fewest_bytes_between(session, low, high, judge, near_bytes)
    probe, margin = border_between(session, low, high, judge, near_bytes, _NEARLY_DB, _NEARLY_FILES)
    near_bytes = round(len(probe.data) * math.exp(-margin / DECIBELS))
    variant, match = session.variant(judge.harder(probe.data)), None
    if variant is not None:
        with suppress(TargetError):
            match = fewest_bytes_between(variant, low, high, judge, near_bytes)
    if match is not None and near_bytes > _LIKELY * len(match.data):
        return match
    try:
        own = fewest_bytes_between(session, low, high, judge, near_bytes, probe)
    except TargetError:
        if match is None:
            raise
        return match
    return own if match is None else min(match, own, key=lambda found: len(found.data))
