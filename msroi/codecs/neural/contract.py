"""The surface that every neural codec has, the table of them, and decoding by what a file says of itself.

To add one, give it a number in `container.CODEC_IDS` and a line in CODECS: command line, benchmark and the
contract's tests (tests/test_neural_contract.py) know nothing else of it.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from msroi import extras
from msroi.codecs.neural import container
from msroi.codecs.neural.allocation import MOST
from msroi.errors import BitstreamError, ImageError, OptionError, SaliencyError
from msroi.options import one_of, real_number, whole_number

Pixels = npt.NDArray[np.uint8]
Saliency = npt.NDArray[np.float32]
Progress = Callable[[float], None]

MAX_BPP = 1000.0
"""More than any picture needs, so that a size in bytes given as bits per pixel is noticed."""


@dataclass(frozen=True)
class Rate:
    """What may be spent on a picture: exactly one of these.

    level: the mean number of iterations K, 1 to 24. bpp: bits of the whole file to a pixel. n_bytes: of the whole
    file. Errors: OptionError.
    """

    level: float | None = None
    bpp: float | None = None
    n_bytes: int | None = None

    def __post_init__(self) -> None:
        given = [name for name in ("level", "bpp", "n_bytes") if getattr(self, name) is not None]
        if len(given) != 1:
            raise OptionError(f"rate: got {', '.join(given) or 'nothing'}, allowed: exactly one of level, bpp, n_bytes")
        if self.level is not None:
            object.__setattr__(self, "level", real_number("level", self.level, 1, MOST))
        if self.bpp is not None:
            object.__setattr__(self, "bpp", real_number("bpp", self.bpp, 0, MAX_BPP, above=True))
        if self.n_bytes is not None:
            object.__setattr__(self, "n_bytes", whole_number("n_bytes", self.n_bytes, 1))

    def budget(self, height: int, width: int) -> int | None:
        """The bytes that a file of a picture of this size may have; None where the level is given."""
        return self.n_bytes if self.bpp is None else int(self.bpp * height * width / 8)


class NeuralCodec(Protocol):
    """A codec with a network's weights. All that it promises is held by tests/test_neural_contract.py."""

    @property
    def name(self) -> str:
        """The name in CODECS and in `msroi.codecs.neural.container.CODEC_IDS`."""

    @property
    def network_sha256(self) -> str:
        """Of the network's file, 64 hexadecimal digits."""

    def compress(
        self, picture: Pixels, saliency: Saliency | None, rate: Rate, *, progress: Progress | None = None
    ) -> bytes:
        """A whole file, which has been decoded before it is returned; the same bytes on every run.

        picture: uint8 (height, width, 3) RGB or (height, width) grey, upright, of any size from 1 x 1.
        saliency: float32 (height, width) in [0, 1]; None is the same as a constant map.
        rate: a file is never larger than its bytes or bits per pixel, and as near to them as the codec's steps allow.
        progress: told the share that is done, 0 to 1.
        Errors: those of `check_input`; TargetError that says how near it came; ImageError for a picture too large
        for the codec.
        """

    def decompress(self, data: bytes) -> Pixels:
        """The picture of a whole file. Errors: BitstreamError for anything else, and for another network's file."""

    def decompress_preview(self, prefix: bytes) -> Pixels:
        """The picture, in full size and coarser, by the whole sections of the beginning of a file.

        Errors: BitstreamError for damage, and where not even the first section is whole.
        """


def check_input(picture: Pixels, saliency: Saliency | None) -> None:
    """What every `compress` begins with.

    Errors: ImageError for an array that is no picture; SaliencyError for a map that is not of the picture's size.
    """
    colours = picture.shape[2:]
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or colours not in ((), (3,)) or 0 in picture.shape:
        raise ImageError(f"{picture.dtype} {picture.shape} is no picture; uint8 (height, width[, 3]) is taken")
    if saliency is not None and saliency.shape != picture.shape[:2]:
        raise SaliencyError(f"saliency: a map of the shape {saliency.shape} for a picture of {picture.shape[:2]}")


def _recurrent(weights: Path | None) -> NeuralCodec:
    from msroi.codecs.neural.recurrent.codec import Recurrent

    return Recurrent(weights)


# The one table: name on the command line and in the container -> the codec with the weights of a file.
CODECS: dict[str, Callable[[Path | None], NeuralCodec]] = {
    "recurrent": _recurrent,
}


def load(name: str, weights: Path | None = None) -> NeuralCodec:
    """The codec `name`. weights: a network's file, by default the one that ships.

    Errors: OptionError for an unknown name; MissingExtraError without Keras; SaliencyError for weights that are
    missing or damaged.
    """
    one_of("codec", name, tuple(CODECS))
    if any(importlib.util.find_spec(library) is None for library in ("keras", "constriction")):
        raise extras.missing("the neural codecs need an extra; install it", "keras")
    return CODECS[name](None if weights is None else Path(weights))


def decompress(data: bytes, weights: Path | None = None) -> Pixels:
    """The picture of a file of any of the codecs: uint8 (height, width, 3) or (height, width), upright.

    Errors: as `load`; BitstreamError for anything but one whole undamaged file of this network.
    """
    container.read(data)  # before the seconds that a network takes to load
    return _codec_of(data, weights).decompress(data)


def decompress_preview(prefix: bytes, weights: Path | None = None) -> Pixels:
    """The picture, coarser, by what there is of a file's beginning. Errors: as `decompress`."""
    container.read_prefix(prefix)
    return _codec_of(prefix, weights).decompress_preview(prefix)


def _codec_of(data: bytes, weights: Path | None) -> NeuralCodec:
    name = container.read_header(data).codec
    if name not in CODECS:
        raise BitstreamError(f"the file was made by the codec {name}, which this msroi does not have; a newer one may")
    return load(name, weights)
