"""Keras and what it runs on, imported without the lines that they greet with on standard error."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator

from msroi import extras


def import_keras() -> None:
    """Import Keras, which takes some seconds, so that whoever needs it next finds it there.

    Errors: MissingExtraError where it, or the backend that it is set to, is not installed.
    """
    if "keras" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with _standard_error_closed():
            importlib.import_module("keras")
    except ImportError as error:
        raise extras.missing(f"the neural codecs need an extra ({error}); install it", "keras") from error


@contextlib.contextmanager
def _standard_error_closed() -> Iterator[None]:
    """What libraries in C write to standard error goes nowhere; exceptions come through as always."""
    try:
        nowhere, saved = os.open(os.devnull, os.O_WRONLY), os.dup(2)
    except OSError:  # no standard error: nobody to be spared
        yield
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
