"""Errors are of msroi's own classes, and of the Python class that a caller would expect."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

import msroi
from msroi import errors

CLASSES = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_each_is_one_line_and_survives_a_pipe_between_processes(kind: type[errors.MsroiError]) -> None:
    error = pickle.loads(pickle.dumps(kind("a.jpg:\n  damaged")))
    assert type(error) is kind and str(error) == "a.jpg: damaged"
    assert error.exit_status in range(1, 6) and error.http_status in range(400, 600)


def test_what_python_users_expect(tmp_path: Path) -> None:
    picture = np.zeros((16, 16, 3), np.uint8)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(FileNotFoundError, match=r"none\.png: no such file"):
        msroi.compress(tmp_path / "none.png")
    with pytest.raises(OSError, match=r"bad\.png"):
        msroi.read(tmp_path / "bad.png")
    with pytest.raises(ValueError, match="quality"):
        msroi.compress(picture, quality=0)
    with pytest.raises(ValueError, match="below the smallest"):
        msroi.compress(picture, size=10)
    result = msroi.compress(picture, map_kind="none")
    result.save(tmp_path / "a.jpg")
    with pytest.raises(FileExistsError, match="exists already"):
        result.save(tmp_path / "a.jpg")
    with pytest.raises(OSError, match="folder does not exist"):
        result.save(tmp_path / "none" / "a.jpg")
