"""Settings that are real numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """All real numbers from `low`, the smallest file, to `high`, the largest."""

    low: float
    high: float
