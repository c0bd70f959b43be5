"""The exceptions a caller can meet.

MsroiError
├── ImageError          not an image, damaged, too large, or an output that cannot be written
├── TargetError         a size or quality that cannot be reached; says how near it came
├── SaliencyError       a map of wrong shape or values; a network missing or damaged
├── OptionError         an option's value, or two options together, make no sense
├── BitstreamError      a coded file that cannot be decoded
└── MissingExtraError   an optional dependency is not installed; says what to install

Each message is one line: the input's name, what is wrong, what to do. Each class carries the
exit status of the command line and the status an HTTP service answers with.
"""

from __future__ import annotations


class MsroiError(Exception):
    """Base of every error that msroi raises on purpose."""

    exit_status = 1
    http_status = 500

    def __init__(self, message: str) -> None:
        # One line, whatever a foreign library put into its own message.
        super().__init__(" ".join(str(message).split()))


class ImageError(MsroiError):
    """The input is no image, is damaged, is too large, or the output cannot be written."""

    http_status = 422


class TargetError(MsroiError):
    """The target cannot be reached; the message says how near an encode came."""

    http_status = 422


class SaliencyError(MsroiError):
    """A saliency map has a wrong shape or values, or the network's file is missing or damaged."""

    http_status = 422


class OptionError(MsroiError):
    """An option, or a combination of options, makes no sense."""

    exit_status = 2
    http_status = 400


class BitstreamError(MsroiError):
    """A coded file is damaged or was not made by this codec."""

    http_status = 422


class MissingExtraError(MsroiError):
    """An optional dependency is needed; the message says which one to install."""

    http_status = 501
