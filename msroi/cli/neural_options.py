"""What the verbs of `msroi neural` share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from msroi.codecs.neural import NeuralCodec

SUFFIX = ".msn"


def add_weights(parser: Any) -> None:
    """parser: a parser or a group of one."""
    parser.add_argument(
        "--weights", metavar="FILE", type=Path, help="the network's file, if not the one that comes with msroi"
    )


def load_codec(name: str, weights: Path | None) -> NeuralCodec:
    """The codec, with all that it needs imported and its network's file seen. Errors: as `msroi.codecs.neural.load`."""
    from msroi.codecs.neural import load
    from msroi.codecs.neural.weights import import_libraries

    codec = load(name, weights)
    codec.network_sha256  # noqa: B018 - a missing or damaged file is told before the seconds that Keras takes
    import_libraries(codec.needs)
    return codec
