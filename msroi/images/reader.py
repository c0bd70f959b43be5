"""The one reader: a path, bytes, a binary file, a PIL picture or an array becomes a `Picture`."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image

from msroi.errors import ImageError, InputMissingError, MsroiError, OptionError, about
from msroi.images import colour
from msroi.images.decoders import DECODERS
from msroi.images.formats import recognise
from msroi.images.picture import Limits, Picture, Source
from msroi.images.quiet import quiet_pillow
from msroi.images.samples import pixels_of
from msroi.metadata import exif as exif_bytes
from msroi.metadata.comment import is_ours
from msroi.metadata.foreign import Density, Foreign, to_metadata

_CHUNK = 1 << 20


def read(image: Any, *, name: str | None = None, limits: Limits | None = None) -> Picture:
    """Reads a picture.

    image: a path, the bytes of a file, a binary file, a PIL picture, or a uint8 array (height, width) grey,
        (height, width, 3) RGB, (height, width, 4) RGBA; a Picture passes as it is.
    name: what messages call it; by default the path or the file's name.
    limits: checked on the header, before any pixel is decoded.
    Errors: ImageError, with the name in front, for what is no picture, damaged or over a limit, InputMissingError
    (a FileNotFoundError, too) for what is not there;
    OptionError for an argument of another kind; MissingExtraError for HEIC without pillow-heif.
    """
    limits = Limits() if limits is None else limits
    if not isinstance(limits, Limits):
        raise OptionError(f"limits: got {limits!r:.80}, allowed: msroi.Limits(...)")
    if isinstance(image, Picture):
        return image
    name = name or _name_of(image)
    with about(name):
        if isinstance(image, np.ndarray):
            return _from_array(image, name, limits)
        if isinstance(image, Image.Image):
            return _from_pil(image, name, limits)
        data = _bytes_of(image, limits)
        kind = recognise(data)
        with _foreign_errors(kind):
            decoded = DECODERS[kind](data, limits)
        source = Source(name, kind, data)
        pixels = colour.frozen(decoded.pixels)
        return Picture(
            pixels, decoded.orientation, decoded.metadata, source, decoded.notices, as_decoded=decoded.as_decoded
        )


def _name_of(image: Any) -> str:
    if isinstance(image, np.ndarray):
        return "array"
    if isinstance(image, Image.Image):
        return "picture"
    if isinstance(image, str | os.PathLike):
        return os.fsdecode(image)
    name = getattr(image, "name", None)
    return name if isinstance(name, str) and name else "image"


@contextlib.contextmanager
def _foreign_errors(kind: str) -> Iterator[None]:
    """Turns whatever a decoder raises on a file into one ImageError."""
    try:
        yield
    except MsroiError:
        raise
    except MemoryError as error:
        raise ImageError(f"{kind} that does not fit into memory") from error
    except Exception as error:  # a decoder's complaint about bytes from outside can be of any class
        raise ImageError(f"damaged {kind}: {error or type(error).__name__}") from error


def _bytes_of(image: Any, limits: Limits) -> bytes:
    """The bytes of a path, a buffer or a stream, of which no more than the limit is read."""
    if isinstance(image, bytes | bytearray | memoryview):
        limits.check_bytes(len(image) if isinstance(image, bytes | bytearray) else image.nbytes)
        return bytes(image)
    if isinstance(image, str | os.PathLike):
        return _bytes_of_path(image, limits)
    if callable(getattr(image, "read", None)):
        data = _bytes_of_stream(image, limits)
        if not data and _is_at_its_end(image):
            raise ImageError("is empty; rewind it (seek(0))")
        return data
    raise OptionError(
        f"{type(image).__name__} is no picture; a path, bytes, a binary file, a PIL picture or a uint8 array is taken"
    )


def _bytes_of_path(path: str | os.PathLike[str], limits: Limits) -> bytes:
    try:
        status = Path(os.fsdecode(path)).stat()
        if stat.S_ISDIR(status.st_mode):
            raise ImageError("is a folder, not a picture")
        if stat.S_ISREG(status.st_mode):
            limits.check_bytes(status.st_size)
        with Path(os.fsdecode(path)).open("rb") as file:
            return _bytes_of_stream(file, limits)
    except MsroiError:
        raise
    except FileNotFoundError:
        raise InputMissingError("no such file") from None
    except (OSError, ValueError) as error:
        raise ImageError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _bytes_of_stream(stream: IO[Any], limits: Limits) -> bytes:
    parts: list[bytes] = []
    n_bytes = 0
    while True:
        try:
            part = stream.read(_CHUNK)
        except (OSError, ValueError) as error:
            raise ImageError(f"cannot be read: {error}") from error
        if isinstance(part, str):
            raise OptionError("is open as text; open it as a binary file ('rb')")
        if not part:
            return b"".join(parts)
        n_bytes += len(part)
        limits.check_bytes(n_bytes)
        parts.append(bytes(part))


def _is_at_its_end(stream: IO[Any]) -> bool:
    """Whether there are bytes before the place that the stream was read from."""
    try:
        return stream.tell() > 0
    except (OSError, ValueError, AttributeError):  # a pipe
        return False


def _from_array(array: np.ndarray, name: str, limits: Limits) -> Picture:
    if array.dtype != np.uint8:
        raise OptionError(f"array of {array.dtype}; uint8 is taken: {_remedy(array.dtype)}")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        taken = "(height, width), (height, width, 3) or (height, width, 4)"
        raise OptionError(f"array of shape {array.shape}; {taken} is taken")
    if array.size == 0:
        raise ImageError("array without pixels")
    limits.check_size(array.shape[1], array.shape[0])
    if array.ndim == 3 and array.shape[2] == 4:
        array = colour.over_white(np.ascontiguousarray(array[..., :3]), array[..., 3])
    return Picture(colour.frozen(np.array(array, order="C")), source=Source(name, "array", None))


def _remedy(dtype: np.dtype) -> str:
    if dtype.kind == "f":
        return "for values from 0 to 1, np.rint(array * 255).astype(np.uint8)"
    if dtype == np.uint16:
        return "for values up to 65535, ((array.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)"
    if dtype.kind == "b":
        return "array.astype(np.uint8) * 255"
    return "array.astype(np.uint8), if its values lie within 0 to 255"


def _from_pil(image: Image.Image, name: str, limits: Limits) -> Picture:
    """A PIL picture: its pixels as they are now, and the EXIF, XMP, profile, comment and density that it has."""
    limits.check_size(*image.size)
    with _foreign_errors(image.format or "picture"), quiet_pillow():
        image.load()
        foreign = Foreign(
            exif=_pil_exif(image),
            xmp=_pil_xmp(image),
            icc_profile=image.info.get("icc_profile") or None,
            comments=_pil_comments(image),
            density=_pil_density(image),
        )
        pixels, found = pixels_of(image, foreign.icc_profile)
    if image.mode in ("CMYK", "LAB"):
        foreign = replace(foreign, icc_profile=None)
    metadata, notices = to_metadata(foreign)
    n_frames = getattr(image, "n_frames", 1)
    if n_frames > 1:
        notices = (f"{n_frames} frames, the current one taken", *notices)
    source = Source(name, image.format or "picture", None)
    return Picture(colour.frozen(pixels), metadata.orientation, metadata, source, (*found, *notices))


def _pil_exif(image: Image.Image) -> bytes | None:
    """EXIF byte for byte as it was read, or anew if the picture's `getexif()` has been changed since."""
    raw = image.info.get("exif")
    raw = raw.removeprefix(exif_bytes.PREFIX) if isinstance(raw, bytes) else None
    current = image.getexif()
    if raw:
        unchanged = Image.Exif()
        unchanged.load(raw)
        if dict(unchanged) == dict(current):
            return raw
    if not current:
        return None
    return current.tobytes().removeprefix(exif_bytes.PREFIX)


def _pil_comments(image: Image.Image) -> tuple[bytes, ...]:
    """The comment that Pillow read, a single one, unless it is our own mark."""
    comment = image.info.get("comment")
    comment = comment.encode() if isinstance(comment, str) else comment
    return (comment,) if isinstance(comment, bytes) and comment and not is_ours(comment) else ()


def _pil_density(image: Image.Image) -> Density | None:
    """What the JFIF header said, as Pillow passes it on."""
    unit, density = image.info.get("jfif_unit"), image.info.get("jfif_density")
    if unit not in (0, 1, 2) or not isinstance(density, tuple) or len(density) != 2:
        return None
    return Density(unit, *density) if all(isinstance(value, int) for value in density) else None


def _pil_xmp(image: Image.Image) -> bytes | None:
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    return packet.encode() if isinstance(packet, str) else packet
