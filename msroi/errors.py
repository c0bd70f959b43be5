"""The exceptions a caller can meet.

MsroiError
├── ImageError (OSError)               the input is no image, is damaged or too large
│   └── InputMissingError (FileNotFoundError)      there is no such input
├── OutputError (OSError)              what was made cannot be written
│   └── OutputExistsError (FileExistsError)        something is there already and was not to be replaced
├── TargetError (ValueError)           a size or quality that cannot be reached; says how near it came
├── SaliencyError (ValueError)         a map of wrong shape or values; a network missing or damaged
├── OptionError (ValueError)           an option's value, or two options together, make no sense
├── BitstreamError (ValueError)        a coded file that cannot be decoded
├── MissingExtraError (ModuleNotFoundError)   an optional dependency is not installed; says what to install
└── NotBuiltError (ImportError)        the compiled module is not there: source that was not built

In brackets: the class of Python's own that it is as well, for callers who know that one. Each message is one
line: the input's name, what is wrong, what to do. Each class carries the exit status of the command line and the
status an HTTP service answers with.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Self, TypeVar

Kind = TypeVar("Kind", bound="MsroiError")


class MsroiError(Exception):
    """Base of every error that msroi raises on purpose. Each survives a pipe between processes."""

    exit_status = 1
    http_status = 500

    def __init__(self, message: str) -> None:
        # One line, whatever a foreign library put into its own message.
        super().__init__(" ".join(str(message).split()))

    def __reduce__(self) -> tuple[Any, ...]:
        # Not by the constructor, which may take other things than the message.
        return _made_again, (type(self), str(self), dict(self.__dict__))

    def named(self, name: str) -> Self:
        """The same error, its kind and its fields, with a name in front of the message."""
        return _made_again(type(self), f"{name}: {self}", self.__dict__)


class ImageError(MsroiError, OSError):
    """The input is no image, is damaged or is too large."""

    exit_status = 3
    http_status = 422


class InputMissingError(ImageError, FileNotFoundError):
    """There is no such file or folder."""


class OutputError(MsroiError, OSError):
    """An output cannot be written: its place, or an input that it would replace."""

    exit_status = 5


class OutputExistsError(OutputError, FileExistsError):
    """The output exists already and was not to be replaced."""


class TargetError(MsroiError, ValueError):
    """The target cannot be reached; the message says how near an encode came."""

    exit_status = 4
    http_status = 422


class SaliencyError(MsroiError, ValueError):
    """A saliency map has a wrong shape or values, or the network's file is missing or damaged."""

    exit_status = 3
    http_status = 422


class OptionError(MsroiError, ValueError):
    """An option, or a combination of options, makes no sense."""

    exit_status = 2
    http_status = 400


class BitstreamError(MsroiError, ValueError):
    """A coded file is damaged or was not made by this codec."""

    exit_status = 3
    http_status = 422


class MissingExtraError(MsroiError, ModuleNotFoundError):
    """An optional dependency is needed; the message says which one to install. Python's own kind of error, too."""

    http_status = 501


class NotBuiltError(MsroiError, ImportError):
    """The compiled module is not beside the package's files; the message says how to come to one that has it."""


@contextlib.contextmanager
def about(name: str) -> Iterator[None]:
    """Puts an input's name in front of our own errors; their kinds, fields and causes stay."""
    try:
        yield
    except MsroiError as error:
        raise error.named(name) from error.__cause__


def _made_again(kind: type[Kind], message: str, fields: Mapping[str, Any]) -> Kind:
    error = kind.__new__(kind)
    MsroiError.__init__(error, message)
    error.__dict__.update(fields)
    return error
