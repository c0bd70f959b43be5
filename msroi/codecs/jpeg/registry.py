"""The one table of JPEG codecs, and the making of one from options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msroi.codecs.contract import Codec
from msroi.codecs.jpeg.plain import Plain
from msroi.codecs.jpeg.rdo.chroma_trial import Rdo
from msroi.codecs.jpeg.two_pass import TwoPass
from msroi.errors import OptionError
from msroi.fields import Declared, declarations, defaults

# The one table: name on the command line -> codec.
CODECS: dict[str, Any] = {
    "rdo": Rdo,
    "two-pass": TwoPass,
    "plain": Plain,
}


def codec_options() -> dict[str, Declared]:
    """Name -> declaration of every option that some codec has. A codec without one takes the default alone."""
    return {name: one for codec in reversed(CODECS.values()) for name, one in declarations(codec).items()}


def codec_defaults() -> dict[str, Any]:
    """Name -> default of those."""
    return {name: value for codec in reversed(CODECS.values()) for name, value in defaults(codec).items()}


def make_codec(method: str, options: Mapping[str, object] | None = None) -> Codec:
    """The codec `method` with those of `options` (names as in `codec_options`) that it understands.

    An option that the codec does not have must be at its default or describe what the codec does
    anyway: plain and two-pass are sequential and sample 4:2:0, so `baseline=True` and `chroma="420"` pass.
    Errors: OptionError for an unknown method or option, and for a value that this codec cannot honour.
    """
    if not isinstance(method, str) or method not in CODECS:
        raise OptionError(f"method: got {method!r:.80}, allowed: {', '.join(CODECS)}")
    codec_class = CODECS[method]
    fields = declarations(codec_class)
    known, own = codec_defaults(), dict[str, object]()
    for option, value in (options or {}).items():
        if option not in known:
            raise OptionError(f"{option}: no option of any method; known: {', '.join(known)}")
        if option in fields:
            own[option] = value
        else:
            _check_foreign(codec_class, option, value, known[option])
    codec: Codec = codec_class(**own)
    return codec


def _check_foreign(codec_class: Any, option: str, value: object, default: object) -> None:
    """Refuse a value that a codec without this option cannot honour."""
    accepted = codec_class.also_accepts.get(option, (default,))
    if any(type(value) is type(candidate) and value == candidate for candidate in accepted):
        return
    having = [name for name, other in CODECS.items() if option in declarations(other)]
    elsewhere = f"; an option of method {', '.join(having)}" if having else ""
    raise OptionError(
        f"{option}: got {value!r:.80}, allowed with method {codec_class.name}: "
        f"{', '.join(repr(candidate) for candidate in accepted)}{elsewhere}"
    )
