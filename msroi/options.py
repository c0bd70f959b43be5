"""Option values: the names that may be given, and checks, used where parameters are frozen dataclasses.

Each function returns the value in its plain Python type or raises an OptionError that names the
option, what it got and what is allowed. The command line takes sizes and boxes by the same functions.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from msroi.errors import OptionError

Method = Literal["rdo", "two-pass", "plain"]
Match = Literal["size", "quality"]
MapKind = Literal["ms-roi", "ms-roi-labels", "objects", "gaze", "cam", "grad-cam", "none"]
MapQuality = Literal["fast", "high"]
Chroma = Literal["keep", "auto", "420", "422", "444"]
Tune = Literal["default", "psnr", "ssim"]
"""For type checkers; the tables `jpeg.CODECS`, `saliency.KINDS` and so on are what counts, and a test compares."""

PixelBox: TypeAlias = tuple[int, int, int, int]
"""x, y, width, height: the left top corner and the size, in pixels of the upright picture."""

_UNITS = {"": 1, "k": 1_000, "m": 1_000_000, "ki": 1 << 10, "mi": 1 << 20}
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)\s*([km]i?|)b?", re.ASCII | re.IGNORECASE)
_PERCENT = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*%", re.ASCII)


@dataclass(frozen=True, order=True)
class PercentBox:
    """A box in percent of the upright picture's width and height, inside it. Written `40%,30%,20%,20%`."""

    x: float
    y: float
    width: float
    height: float

    def __str__(self) -> str:
        return ",".join(f"{value:g}%" for value in (self.x, self.y, self.width, self.height))

    def in_pixels(self, width: int, height: int) -> PixelBox:
        """The same box of a picture of this size, at least one pixel wide and high, to the nearest pixel."""
        left = min(round(self.x * width / 100), width - 1)
        top = min(round(self.y * height / 100), height - 1)
        right = max(round((self.x + self.width) * width / 100), left + 1)
        bottom = max(round((self.y + self.height) * height / 100), top + 1)
        return left, top, min(right, width) - left, min(bottom, height) - top


Box: TypeAlias = PixelBox | PercentBox


def whole_number(option: str, value: object, low: int, high: int | None = None) -> int:
    """`value` as an int in [low, high]. NumPy's integers and 75.0 count; 75.5, text and booleans do not."""
    allowed = f"a whole number of at least {low}" if high is None else f"a whole number from {low} to {high}"
    if isinstance(value, bool):
        raise _refused(option, value, allowed)
    try:
        whole = isinstance(value, float) and value.is_integer()
        number = int(value) if whole else operator.index(value)  # type: ignore[call-overload, arg-type]
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


def n_bytes(option: str, value: object) -> int:
    """A size in bytes, a whole number of at least 1 or text: 120000, "120k", "500 KB", "1.5M", "500KiB".

    k and M are 1,000 and 1,000,000, Ki and Mi 1,024 and 1,048,576; small or capital, with or without a B.
    """
    if not isinstance(value, str):
        return whole_number(option, value, 1)
    match = _SIZE.fullmatch(value.strip())
    number = round(float(match[1]) * _UNITS[match[2].lower()]) if match else 0
    if number < 1:
        raise _refused(option, value, "a size in bytes, or k or M of them: 120000, 120k, 1.5M, 500KiB")
    return number


def box(option: str, value: object) -> Box:
    """A box: four whole numbers x, y, width, height in pixels, or text: "120,80,200,150" or "40%,30%,20%,20%"."""
    if isinstance(value, PercentBox):
        return value
    try:
        parts: list[Any] = value.split(",") if isinstance(value, str) else list(value)  # type: ignore[call-overload]
        if len(parts) != 4 or isinstance(value, bytes):
            raise _refused(option, value, _BOXES)
        if isinstance(value, str):
            shares = [_PERCENT.fullmatch(part.strip()) for part in parts]
            if any(shares):
                return _percent_box(option, value, shares)
            parts = [_whole(part) for part in parts]
        x, y, width, height = (operator.index(part) for part in parts)
    except (TypeError, AttributeError):
        raise _refused(option, value, _BOXES) from None
    if isinstance(value, str) and (width == 0 or height == 0):
        raise OptionError(f"{option}: {value!r:.80} is an empty box; width and height must be at least 1")
    return x, y, width, height


_BOXES = "a box x,y,w,h of four whole numbers (120,80,200,150) or of four percentages (40%,30%,20%,20%)"


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\s*\d{1,9}\s*", text, re.ASCII) else None


def _percent_box(option: str, value: str, shares: Sequence[re.Match[str] | None]) -> PercentBox:
    """All four must be percentages, and inside the picture."""
    given = [float(share[1]) for share in shares if share]
    if len(given) < 4:
        raise _refused(option, value, f"{_BOXES}, not both in one")
    found = PercentBox(*given)
    if not found.width or not found.height:
        raise OptionError(f"{option}: {value!r:.80} is an empty box; width and height must be above 0 %")
    if found.x + found.width > 100 or found.y + found.height > 100:
        raise OptionError(f"{option}: {value!r:.80}: the box leaves the picture, which ends at 100 %")
    return found


def boxes(option: str, value: object) -> list[Box]:
    """One box or a sequence of them, each as `box` takes it."""
    if isinstance(value, str | PercentBox):
        return [box(option, value)]
    allowed = f"a sequence of boxes, or one, each {_BOXES}"
    try:
        items = list(value)  # type: ignore[call-overload]
    except TypeError:
        raise _refused(option, value, allowed) from None
    if isinstance(value, bytes):
        raise _refused(option, value, allowed)
    if len(items) == 4 and all(hasattr(item, "__index__") for item in items):
        return [box(option, items)]
    try:
        return [box(option, item) for item in items]
    except OptionError as error:
        if any(isinstance(item, str) for item in items):
            raise
        raise _refused(option, value, allowed) from error


def flag(option: str, value: object) -> bool:
    """`value` if it is True or False."""
    if not isinstance(value, bool):
        raise _refused(option, value, "True or False")
    return value


def _refused(option: str, value: object, allowed: str) -> OptionError:
    return OptionError(f"{option}: got {value!r:.80}, allowed: {allowed}")
