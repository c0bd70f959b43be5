"""Foreign decoders kept quiet: their warnings, their own bounds, and what they print.

These settings belong to the whole process, so they are changed under one lock, for as short as can be, and
put back.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import tempfile
import threading
import warnings
from collections.abc import Iterator
from typing import IO, Any

from PIL import Image

from msroi.standard_error import sent_to
from msroi.threads import most

# Pillow logs to standard error where nobody has set up logging; a library should not (logging HOWTO).
logging.getLogger("PIL").addHandler(logging.NullHandler())

_LOCK = threading.RLock()
# How libtiff (the name of one of its functions or of its file; one message of its has a second line), OpenCV and
# libpng begin a line.
_LIBRARY_LINE = re.compile(
    r"(?!\w*(?:Error|Exception|Warning): )"
    r"(?:_?TIFF|_tiff|[A-Z][A-Za-z0-9]*[a-z][A-Z]|[A-Z]{2,}[a-z]|Fax\d)\w*: "
    r"|tempfile\.tif: |Apparently should be \d+,\d+\.|\[ ?(?:WARN|ERROR|INFO|DEBUG):|libpng |OpenCV"
)


@contextlib.contextmanager
def quiet_pillow() -> Iterator[None]:
    """Pillow without warnings and without its own bound on pixels (ours are checked before)."""
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bound, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = bound


@contextlib.contextmanager
def bounded_threads(settings: Any, name: str) -> Iterator[None]:
    """A decoder's own setting of how many threads it takes, held to what all pools are held to."""
    with _LOCK:
        own = getattr(settings, name)
        setattr(settings, name, most())
        try:
            yield
        finally:
            setattr(settings, name, own)


@contextlib.contextmanager
def complaints() -> Iterator[list[str]]:
    """A list that holds, after the block, the errors that libraries in C have printed in it.

    Some of them have no other way to say that data are damaged. Their warnings are swallowed; lines of
    anybody else are passed on to standard error.
    """
    lines: list[str] = []
    with _LOCK, contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(tempfile.TemporaryFile())
        except OSError:  # no place for a file: nothing to be done
            yield lines
            return
        caught = False
        try:
            with sent_to(file.fileno()) as caught:
                yield lines
        finally:
            if caught:
                _tell_apart(file, lines)


def _tell_apart(file: IO[bytes], lines: list[str]) -> None:
    """What was printed: the libraries' errors to `lines`, what is anybody else's to standard error."""
    file.seek(0)
    text = file.read(100_000).decode("utf-8", "replace")
    ours = [line for line in text.splitlines() if _LIBRARY_LINE.match(line)]
    lines += [line for line in ours if "Warning, " not in line]
    others = [line for line in text.splitlines() if line.strip() and not _LIBRARY_LINE.match(line)]
    if others:
        os.write(2, ("\n".join(others) + "\n").encode())
