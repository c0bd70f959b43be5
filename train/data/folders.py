"""Folders of pictures: what is in them, and some of it, evenly spaced."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from msroi.errors import OptionError

Item = TypeVar("Item")


def lossless(folder: Path) -> list[Path]:
    """The PNG files of a folder, sorted. Errors: OptionError where there are none."""
    files = sorted(folder.glob("*.png"))
    if not files:
        raise OptionError(f"{folder}: no PNG files in this folder; give one of lossless pictures")
    return files


def spread(items: Sequence[Item], count: int | None) -> list[Item]:
    """About `count` of them, at most that many, evenly spaced from the first on; all for None."""
    return list(items[:: max(1, len(items) // count)][:count]) if count else list(items)
