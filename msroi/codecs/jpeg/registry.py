"""The one table of JPEG codecs, and the making of one from options."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from msroi.codecs.contract import Codec
from msroi.codecs.jpeg.chroma_trial import Rdo
from msroi.codecs.jpeg.plain import Plain
from msroi.codecs.jpeg.two_pass import TwoPass
from msroi.errors import OptionError

# The one table: name on the command line -> codec.
CODECS: dict[str, Any] = {
    "rdo": Rdo,
    "two-pass": TwoPass,
    "plain": Plain,
}

# Every option that some codec may have, with its default. A codec without one takes the default alone.
CODEC_OPTIONS: Mapping[str, object] = {
    "q_low": 30,
    "q_high": 70,
    "levels": 5,
    "chroma": "keep",
    "tune": "default",
    "guard": True,
    "baseline": False,
}


def make_codec(method: str, options: Mapping[str, object] | None = None) -> Codec:
    """The codec `method` with those of `options` (names as in CODEC_OPTIONS) that it understands.

    An option that the codec does not have must be at its default or describe what the codec does
    anyway: plain and two-pass are sequential and sample 4:2:0, so `baseline=True` and `chroma="420"` pass.
    Errors: OptionError for an unknown method or option, and for a value that this codec cannot honour.
    """
    if not isinstance(method, str) or method not in CODECS:
        raise OptionError(f"method: got {method!r:.80}, allowed: {', '.join(CODECS)}")
    codec_class = CODECS[method]
    fields = _option_names(codec_class)
    own: dict[str, object] = {}
    for option, value in (options or {}).items():
        if option not in CODEC_OPTIONS:
            raise OptionError(f"{option}: no option of any method; known: {', '.join(CODEC_OPTIONS)}")
        if option in fields:
            own[option] = value
        else:
            _check_foreign(codec_class, option, value)
    codec: Codec = codec_class(**own)
    return codec


def _check_foreign(codec_class: Any, option: str, value: object) -> None:
    """Refuse a value that a codec without this option cannot honour."""
    accepted = codec_class.also_accepts.get(option, (CODEC_OPTIONS[option],))
    if any(type(value) is type(candidate) and value == candidate for candidate in accepted):
        return
    having = [name for name, other in CODECS.items() if option in _option_names(other)]
    elsewhere = f"; an option of method {', '.join(having)}" if having else ""
    raise OptionError(
        f"{option}: got {value!r:.80}, allowed with method {codec_class.name}: "
        f"{', '.join(repr(candidate) for candidate in accepted)}{elsewhere}"
    )


def _option_names(codec_class: Any) -> set[str]:
    return {field.name for field in dataclasses.fields(codec_class)}
