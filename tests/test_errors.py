"""Errors are of msroi's own classes, and of the Python class that a caller would expect."""

from __future__ import annotations

import contextlib
import importlib
import pickle
import pkgutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import msroi
from msroi import errors
from msroi.search.match import NoneFitsError


def every_kind() -> list[type[errors.MsroiError]]:
    """MsroiError and all that derive from it, anywhere in msroi."""
    for module in pkgutil.walk_packages(msroi.__path__, "msroi."):
        if not module.name.endswith(("__main__", ".keras_model", ".grad_cam", ".network", ".stepping")):
            with contextlib.suppress(ImportError):  # an extra that is not installed
                importlib.import_module(module.name)
    found, waiting = [], [errors.MsroiError]
    while waiting:
        found.append(waiting.pop())
        waiting += found[-1].__subclasses__()
    return sorted(found, key=lambda kind: kind.__name__)


OF_THEIR_OWN: dict[str, Callable[[], errors.MsroiError]] = {"NoneFitsError": lambda: NoneFitsError(900, 1412)}
"""Kinds that are not made of a message."""


def one(kind: type[errors.MsroiError]) -> errors.MsroiError:
    make = OF_THEIR_OWN.get(kind.__name__)
    return make() if make else kind("a.jpg:\n  damaged")


@pytest.mark.parametrize("kind", every_kind(), ids=lambda kind: kind.__name__)
def test_each_is_one_line_and_survives_a_pipe_between_processes(kind: type[errors.MsroiError]) -> None:
    before = one(kind)
    after = pickle.loads(pickle.dumps(before))
    assert type(after) is kind and str(after) == str(before) and vars(after) == vars(before)
    assert after.args == before.args == (str(before),)
    assert "\n" not in str(after) and str(after)
    assert after.exit_status in range(1, 6) and after.http_status in range(400, 600)


@pytest.mark.parametrize("kind", every_kind(), ids=lambda kind: kind.__name__)
def test_a_name_in_front_keeps_kind_fields_and_cause(kind: type[errors.MsroiError]) -> None:
    before, cause = one(kind), KeyError("why")
    with pytest.raises(kind) as caught, errors.about("b.jpg"):
        raise before from cause
    assert type(caught.value) is kind and caught.value.__cause__ is cause
    assert str(caught.value) == f"b.jpg: {before}" and vars(caught.value) == vars(before)


def test_what_is_not_ours_goes_through_as_it_is() -> None:
    with pytest.raises(KeyError, match="why"), errors.about("b.jpg"):
        raise KeyError("why")


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
