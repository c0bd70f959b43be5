"""The command line's words for what the library calls by names.

Its messages put fields in backquotes; those on an option's value begin with the option's name and a colon.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msroi.fields import Flag

if TYPE_CHECKING:
    from msroi.settings import Option

_LIMITS = {"max_bytes": "--limit-bytes", "max_megapixels": "--limit-megapixels"}
"""Fields of `msroi.images.Limits`, which are no settings of a file."""

_FIELD = re.compile(r"`([a-z][a-z_]*)`")
_FIRST = re.compile(r"([a-z][a-z_]*): (?=got |')")  # no file's name


def spelling(name: str, option: Option) -> str:
    """The option's word on the command line: --quality, --no-guard, --map."""
    usual = option.declared.spelling or "--" + name.replace("_", "-")
    is_on = isinstance(option.declared.domain, Flag) and option.default
    return usual.replace("--", "--no-", 1) if is_on else usual


def spelled(text: str) -> str:
    """A message of the library with its fields in the command line's words."""
    if not _FIELD.search(text):
        return text
    from msroi.settings import options

    table = options()

    def word(match: re.Match[str]) -> str:
        name = match[1]
        usual = _LIMITS.get(name, "--" + name.replace("_", "-"))
        return spelling(name, table[name]) if name in table else usual

    return _FIELD.sub(word, text)


def spelled_option(text: str) -> str:
    """`spelled` for the message of an OptionError, whose first word may be a field: `levels: got 3, ...`."""
    return spelled(_FIRST.sub(r"`\1`: ", text, count=1) if _FIRST.match(text) else text)
