"""The knob of a codec: the one number that its files hang on, from the smallest file to the largest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# At most so many values beyond the border are looked at: all of a JPEG's qualities.
LOOK = 100

# A file this much under its target is near enough, and so many are made at most.
NEARENOUGH, TRIES = 0.0012, 7


@dataclass(frozen=True)
class Steps:
    """A knob with so many values, in the order of their files' sizes; small dips are allowed.

    name: in the codec's own words, like "quality". look: how many values around its border a search looks at: all where
    quality is not steady, as with two quantisers one upon the other; few where steps are fine and sizes smooth.
    """

    name: str
    values: Sequence[Any]
    look: int = LOOK


@dataclass(frozen=True)
class Interval:
    """A knob that takes all real numbers from `low`, the smallest file, to `high`, the largest.

    near_enough: the share of a target in bytes that may be left over. tries: files that are made for it at most.
    """

    low: float
    high: float
    name: str = "setting"
    near_enough: float = NEARENOUGH
    tries: int = TRIES


Knob = Steps | Interval
