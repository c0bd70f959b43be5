"""Checks of option values, used where parameters are frozen dataclasses.

Each function returns the value in its plain Python type or raises an OptionError that names the
option, what it got and what is allowed.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence

from msroi.errors import OptionError


def whole_number(option: str, value: object, low: int, high: int | None = None) -> int:
    """`value` as an int in [low, high]. NumPy's integers count; floats, text and booleans do not."""
    allowed = f"a whole number of at least {low}" if high is None else f"a whole number from {low} to {high}"
    if isinstance(value, bool):
        raise _refused(option, value, allowed)
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise _refused(option, value, allowed) from None
    if number < low or (high is not None and number > high):
        raise _refused(option, value, allowed)
    return number


def real_number(option: str, value: object, low: float, high: float, *, above: bool = False) -> float:
    """`value` as a finite float in [low, high], or in (low, high] with `above`."""
    allowed = f"a number {'above' if above else 'from'} {low:g} {'up ' if above else ''}to {high:g}"
    if isinstance(value, bool | str | bytes):
        raise _refused(option, value, allowed)
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise _refused(option, value, allowed) from None
    if not math.isfinite(number) or not low <= number <= high or (above and number == low):
        raise _refused(option, value, allowed)
    return number


def one_of(option: str, value: object, allowed: Sequence[str]) -> str:
    """`value` if it is one of the allowed words."""
    if not isinstance(value, str) or value not in allowed:
        raise _refused(option, value, ", ".join(allowed))
    return value


def flag(option: str, value: object) -> bool:
    """`value` if it is True or False."""
    if not isinstance(value, bool):
        raise _refused(option, value, "True or False")
    return value


def _refused(option: str, value: object, allowed: str) -> OptionError:
    return OptionError(f"{option}: got {value!r:.80}, allowed: {allowed}")
