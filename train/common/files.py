"""Files of a run, each replaced as a whole: a run that is killed leaves the old one or the new one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name beside `path`, of the same suffix, to write to; it takes the place of `path` unless writing it failed."""
    beside = path.with_name(f"{path.stem}.part{path.suffix}")
    try:
        yield beside
        with beside.open("rb+") as written:
            os.fsync(written.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """An .npz of arrays by name."""
    with replacing(path) as beside:
        np.savez(beside, **arrays)


def write_json(path: Path, value: Any) -> None:
    """A value as JSON, for people."""
    with replacing(path) as beside:
        beside.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
