"""The table of neural codecs, and decoding by what a file says of itself.

To add one, give it a number in `container.CODEC_IDS` and a line in CODECS: command line, benchmark and the contract's
tests take it from there.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msroi.arrays import Pixels
from msroi.codecs.neural import container
from msroi.codecs.neural.contract import NeuralCodec
from msroi.codecs.neural.facts import container_facts
from msroi.codecs.neural.weights import require
from msroi.errors import BitstreamError
from msroi.options import one_of

if TYPE_CHECKING:
    from msroi.codecs.contract import Codec
    from msroi.images import Limits

    def _is_a_codec(codec: NeuralCodec) -> Codec:
        """For the type checker: the contract of all codecs is kept."""
        return codec


# The one table: name on the command line and in the container -> module:class, which is imported when it is used.
CODECS: dict[str, str] = {
    "recurrent": "msroi.codecs.neural.recurrent.codec:Recurrent",
}

DEFAULT = "recurrent"


def find(name: str) -> type[NeuralCodec]:
    """The class of the codec `name`; no network and no framework is needed to ask it for its knob.

    Errors: OptionError for an unknown name.
    """
    one_of("codec", name, tuple(CODECS))
    module, _, attribute = CODECS[name].partition(":")
    found: type[NeuralCodec] = getattr(importlib.import_module(module), attribute)
    return found


def load(name: str, weights: Path | str | None = None) -> NeuralCodec:
    """The codec `name`. weights: a network's file, by default the one that ships.

    Errors: OptionError for an unknown name; MissingExtraError without the libraries that it needs. SaliencyError for
    weights that are missing or damaged comes when they are first used.
    """
    found = find(name)
    require(found.needs)
    return _with(found, weights)


def decompress(data: bytes, weights: Path | str | None = None, limits: Limits | None = None) -> Pixels:
    """The picture of a file of any of the codecs: uint8 (height, width, 3) or (height, width), upright.

    limits: of the picture's size, those of every input by default.
    Errors: as `load`; BitstreamError for anything but one whole undamaged file of this network; ImageError over the
    limits.
    """
    container.read(data, limits)  # before the seconds that a network takes to load
    return load(codec_of(data), weights).decode(data, limits)


def decompress_preview(prefix: bytes, weights: Path | str | None = None, limits: Limits | None = None) -> Pixels:
    """The picture, coarser, by what there is of a file's beginning. limits and errors: as `decompress`."""
    container.read_prefix(prefix, limits)
    return load(codec_of(prefix), weights).preview(prefix, limits)


def codec_of(data: bytes) -> str:
    """The name of the codec that made a file. Errors: BitstreamError for none that this msroi has."""
    name = container.read_header(data).codec
    if name not in CODECS:
        raise BitstreamError(f"the file was made by the codec {name}, which this msroi does not have; a newer one may")
    return name


def file_facts(data: bytes, weights: Path | str | None = None, limits: Limits | None = None) -> dict[str, Any]:
    """All that can be known of a file, or of its beginning, before it is decoded; without the network's libraries.

    weights: the network's file that it is held against, by default the one that ships; `network_is_ours` is None where
    there is none to compare with. What the codec adds, the setting of its knob first, see `NeuralCodec.own_facts`.
    Errors: BitstreamError for what is no such file, or a damaged one; ImageError over the limits.
    """
    header, sections = container.read_prefix(data, limits)
    if header.codec not in CODECS:
        return container_facts(header, sections, len(data))
    return _with(find(header.codec), weights).facts(data, limits)


def _with(codec: Any, weights: Path | str | None) -> NeuralCodec:
    made: NeuralCodec = codec(None if weights is None else Path(weights))
    return made
