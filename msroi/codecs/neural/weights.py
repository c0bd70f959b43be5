"""What the networks of all neural codecs share: their files, their cards, networks that stay built, and Keras, quietly.

    file of weights --NetworkFile--> hash, arrays --built--> a network, one for each hash, the latest of them kept

A network is an .npz of arrays. Beside one that ships lies its model card, NAME.json, with the hash to expect.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import io
import json
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from msroi import extras
from msroi.errors import SaliencyError
from msroi.standard_error import sent_to

Built = TypeVar("Built")

KEPT = 4
"""Networks that stay built: loading one takes seconds, and each has its weights in memory."""

_kept: OrderedDict[tuple[str, str], Any] = OrderedDict()
_lock = threading.RLock()


@dataclass(frozen=True)
class NetworkFile:
    """A file of weights as it was read. sha256: of the file, 64 hexadecimal digits."""

    path: Path
    data: bytes
    sha256: str

    @staticmethod
    def read(path: Path) -> NetworkFile:
        """The file at a path, which is read again only where it has changed.

        Errors: SaliencyError where it is missing, or is not the one that its card describes.
        """
        try:
            status = path.stat()
            return _read(path, status.st_mtime_ns, status.st_size)
        except OSError as error:
            raise SaliencyError(
                f"{path}: the network is missing ({error.strerror}); install msroi again or name its file"
            ) from error

    @functools.cached_property
    def arrays(self) -> dict[str, Any]:
        """All arrays by name. Errors: SaliencyError for what is no such file."""
        try:
            with np.load(io.BytesIO(self.data), allow_pickle=False) as stored:
                return dict(stored)
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise SaliencyError(f"{self.path}: no network's file ({error})") from error


@functools.lru_cache(KEPT)
def _read(path: Path, mtime_ns: int, n_bytes: int) -> NetworkFile:
    data = path.read_bytes()
    found, expected = hashlib.sha256(data).hexdigest(), _expected_hash(path)
    if expected and found != expected:
        raise SaliencyError(f"{path}: damaged, its SHA-256 is {found}, expected {expected}; install msroi again")
    return NetworkFile(path, data, found)


def _expected_hash(path: Path) -> str:
    """What the card beside a file of weights says of its hash, "" without a card."""
    try:
        return str(json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["sha256"])
    except (OSError, ValueError, KeyError):
        return ""


def built(make: Callable[[dict[str, Any]], Built], file: NetworkFile) -> Built:
    """What `make` makes of a file's arrays: for the same weights the same object, while it is one of the last KEPT.

    make: a class or a function of a module. Errors: those of `make` and of `NetworkFile.arrays`.
    """
    key = f"{make.__module__}.{make.__qualname__}", file.sha256
    with _lock:
        if key not in _kept:
            try:
                _kept[key] = make(file.arrays)
            except KeyError as error:
                raise SaliencyError(f"{file.path}: the network of another codec, it has no {error}") from error
        _kept.move_to_end(key)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
        found: Built = _kept[key]
        return found


def forget() -> None:
    """Let go of all networks that are built, and of their memory."""
    with _lock:
        _kept.clear()
        _read.cache_clear()


def require(libraries: Sequence[str]) -> None:
    """Errors: MissingExtraError, before anything is loaded, where one of the libraries is not installed."""
    if any(importlib.util.find_spec(library) is None for library in libraries):
        raise extras.missing("the neural codecs need an extra; install it", "keras")


def import_libraries(names: Sequence[str]) -> None:
    """Import the one of a codec's libraries that takes seconds. Errors: as `import_keras`."""
    if "keras" in names:
        import_keras()


def import_keras() -> None:
    """Import Keras, which takes some seconds, so that whoever needs it next finds it there.

    Errors: MissingExtraError where it, or the backend that it is set to, is not installed.
    """
    if "keras" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with Path(os.devnull).open("wb") as nowhere, sent_to(nowhere.fileno()):
            importlib.import_module("keras")
    except ImportError as error:
        raise extras.missing(f"the neural codecs need an extra ({error}); install it", "keras") from error
