"""A JPEG made smaller without touching a single coefficient: mozjpeg's optimised Huffman codes and scans.

The optimiser ends the whole process on some damaged files (libjpeg's own error exit, in the half that
writes), and it writes another picture than it read where component ids are not unique. So it runs in
a process of its own, and its work is taken only if it decodes to the same pixels.
"""

from __future__ import annotations

import io
import subprocess
import sys

from PIL.JpegImagePlugin import JpegImageFile

from msroi.codecs.jpeg import _kernels

# Isolated and without the site module it starts in some 20 ms; it finds modules where this process does.
_PROGRAM = """
import sys
sys.path[:] = {path!r}
from mozjpeg_lossless_optimization import optimize
sys.stdout.buffer.write(optimize(sys.stdin.buffer.read()))
"""

# It takes about 0.07 s a megapixel; this only ends a hang.
_SECONDS = 120

_BAND_ROWS = 256


def optimise(jpeg: bytes) -> bytes | None:
    """The same picture in fewer or as many bytes, metadata left out (JFIF is written anew).

    None where it cannot be made smaller or not be optimised: arithmetic coding, 16 bit, damage, no
    interpreter to start.
    """
    candidate = _run(jpeg)
    if candidate is None or len(candidate) >= len(jpeg) or not _same_pixels(jpeg, candidate):
        return None
    return candidate


def compact(jpeg: bytes) -> bytes:
    """The same coefficients, sequential, with the best Huffman codes for them and no metadata.

    jpeg: as `plain.encode` makes them. Errors: ValueError for other kinds of files.
    """
    levels, tables, sampling, height, width = _kernels.read_jpeg(jpeg)
    return _kernels.write_jpeg(levels, tables, sampling, height, width, False)


def _run(jpeg: bytes) -> bytes | None:
    # In a frozen application sys.executable is the application, which must not be started again.
    if not sys.executable or getattr(sys, "frozen", False):
        return None
    command = [sys.executable, "-I", "-S", "-c", _PROGRAM.format(path=sys.path)]
    try:
        done = subprocess.run(
            command,
            input=jpeg,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # Windows would open a console
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 and done.stdout else None


def _same_pixels(first: bytes, second: bytes) -> bool:
    """Whether both decode to the same picture, compared in bands of rows to save memory."""
    try:
        with JpegImageFile(io.BytesIO(first)) as one, JpegImageFile(io.BytesIO(second)) as other:
            if (one.mode, one.size) != (other.mode, other.size):
                return False
            width, height = one.size
            bands = ((0, top, width, min(top + _BAND_ROWS, height)) for top in range(0, height, _BAND_ROWS))
            return all(one.crop(band).tobytes() == other.crop(band).tobytes() for band in bands)
    except Exception:  # whatever Pillow raises for a damaged file: then they cannot be compared
        return False
