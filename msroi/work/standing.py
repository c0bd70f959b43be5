"""What is known of an output before any work is spent on it: is it there already, and is it right?"""

from __future__ import annotations

import enum
from pathlib import Path

from msroi import metadata as meta
from msroi import pipeline
from msroi.errors import ImageError, OutputExistsError
from msroi.metadata.segments import is_jpeg
from msroi.settings import Settings


class Standing(enum.Enum):
    """What is to be done about an output."""

    FREE = "nothing is there, or it is to be replaced"
    RIGHT = "what is there is what would be made"
    PERHAPS = "only making it tells whether what is there is right"
    NEWER = "what is there is no older than its input, and only older files are to be replaced"


def standing(source: Path | None, output: Path, settings: Settings, *, overwrite: bool | str, dated: bool) -> Standing:
    """Look at an output. Nothing is decoded.

    source: the input, None for a stream. overwrite: False, True, or "older" for
    outputs that are older than their inputs. dated: outputs have their inputs' dates; then a file of ours is right
    only with the very date of its input, because its mark tells the request that made it, not the input.
    Errors: OutputExistsError where something else is there and is not to be replaced.
    """
    if not output.is_file() or overwrite is True:
        return Standing.FREE
    if source is not None and overwrite == "older" and output.stat().st_mtime_ns < source.stat().st_mtime_ns:
        return Standing.FREE
    data = _bytes_of(output, settings)
    if pipeline.is_made(data, settings):
        return Standing.RIGHT if source is not None and _is_of(source, output, dated) else Standing.PERHAPS
    if overwrite == "older":
        return Standing.NEWER
    if is_jpeg(data) and (
        settings.codec.is_yardstick or (source is not None and _is_kept(_bytes_of(source, settings), data))
    ):
        return Standing.PERHAPS
    raise OutputExistsError(f"{output}: exists already and is not what would be made; `overwrite` replaces it")


def _is_of(source: Path, output: Path, dated: bool) -> bool:
    before, after = source.stat().st_mtime_ns, output.stat().st_mtime_ns
    return before == after if dated else before <= after


def _bytes_of(path: Path, settings: Settings) -> bytes:
    """The file, or nothing where it is larger than `compress` would take."""
    try:
        return path.read_bytes() if path.stat().st_size <= settings.limits.max_bytes else b""
    except OSError as error:
        raise ImageError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error


def _is_kept(original: bytes, data: bytes) -> bool:
    """Whether an output holds the very picture of its input: an original that was kept has no mark of ours."""
    if original == data:
        return True
    try:
        return is_jpeg(original) and meta.picture_digest(original) == meta.picture_digest(data)
    except ImageError:
        return False
