"""The command line: one verb a job, one module a verb.

    argv -> parser of the chosen verb -> run(arguments) -> exit status

Status 0: done. 2: wrong usage, nothing was done. Where inputs failed (the others were finished): 3 an input cannot
be read, 4 a target cannot be reached, 5 an output cannot be written, 1 anything else, or several of these.
130: interrupted. 141: the reader of our output went away. 143: told to end.

A verb is a module here with `add_arguments(parser)`, `run(arguments) -> int` and `EXAMPLES`, and a line in
`VERBS`. Only the chosen verb is imported, so `msroi --version` and `--help` load no NumPy.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from msroi.cli.arguments import VerbParser, add_debug
from msroi.cli.output import exit_status, failure, print_error
from msroi.work.inputs import PICTURE_SUFFIXES

# name -> its line in `msroi --help`
VERBS = {
    "compress": "make a JPEG that spends its bytes where people look",
    "map": "write the saliency map of a picture",
    "compare": "score files against a reference picture",
    "benchmark": "encoders against each other at equal bytes, with a report",
    "neural": "code with a neural network that follows the same maps, and decode",
    "demo": "try it: a photo in, everything out, one page to look at",
    "info": "versions and networks, or what a JPEG file is",
}

EPILOG = """\
Each verb has its own help: msroi compress --help. Without one, photos and folders are compressed: msroi photo.jpg

status: 0 done, 2 wrong usage; where inputs failed: 3 they cannot be read, 4 their target cannot be reached, 5 their
output cannot be written, 1 anything else, or several of these
"""

INTERRUPTED = 130
BROKEN_PIPE = 141
TERMINATED = 143


class Terminated(BaseException):
    """SIGTERM: what is being written is taken away on the way out."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. argv: the words after `msroi` (default: the process's). Returns the exit status."""
    words = _with_verb(list(sys.argv[1:] if argv is None else argv))
    debug = "--debug" in words
    try:
        with _signals(), warnings.catch_warnings():
            if not debug:
                # Pillow warns about odd EXIF and the like; what the user must know is a notice of ours.
                warnings.simplefilter("ignore")
            status = _run(words)
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except SystemExit as stop:  # argparse: --help, --version, wrong usage
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KeyboardInterrupt:
        print_error("interrupted")
        return INTERRUPTED
    except Terminated:
        print_error("terminated")
        return TERMINATED
    except BrokenPipeError:
        _discard_standard_output()
        return BROKEN_PIPE
    except Exception as error:
        if debug:
            traceback.print_exc()
        print_error(failure(error))
        return exit_status(error)


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """While a command runs: SIGINT is a KeyboardInterrupt and SIGTERM is `Terminated`, unless somebody ignores them."""
    if threading.current_thread() is not threading.main_thread():
        yield  # a command inside a program of somebody else's
        return

    def terminate(*_: object) -> None:
        raise Terminated

    wanted: dict[signal.Signals, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: terminate}
    before = {number: signal.getsignal(number) for number in wanted}
    ours = [number for number in wanted if before[number] == signal.SIG_DFL]
    for number in ours:
        signal.signal(number, wanted[number])
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])


def _run(words: list[str]) -> int:
    parser = _make_parser(words)
    arguments, unknown = parser.parse_known_args(words)
    if arguments.verb is None:
        parser.print_help(sys.stderr)
        return 2
    verb = importlib.import_module(f"msroi.cli.{arguments.verb}")
    if unknown:
        arguments.parser.refuse_unknown(unknown)
    arguments.words = words
    status: int = verb.run(arguments)
    return status


def _with_verb(words: list[str]) -> list[str]:
    """`photo.jpg ...` is `compress photo.jpg ...`: the first word is no verb, but is there or looks like a picture."""
    if words and words[0] not in VERBS and not words[0].startswith("-"):
        path = Path(words[0])
        if path.exists() or path.suffix.lower() in PICTURE_SUFFIXES:
            return ["compress", *words]
    return words


def _make_parser(words: list[str]) -> VerbParser:
    parser = VerbParser(
        prog="msroi",
        description="Ordinary JPEG files that spend their bytes where people look.",
        epilog=EPILOG,
    )
    parser.add_argument("--version", action=_Version, help="print the version and stop")
    add_debug(parser)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs")
    # The first word that is no option names the verb; the others stay a name and a line of help.
    chosen = next((word for word in words if not word.startswith("-")), None)
    for name, line in VERBS.items():
        if name != chosen:
            verbs.add_parser(name, help=line)
            continue
        module = importlib.import_module(f"msroi.cli.{name}")
        verb_parser = verbs.add_parser(name, help=line, description=module.__doc__, epilog=module.EXAMPLES)
        module.add_arguments(verb_parser)
        verb_parser.set_defaults(parser=verb_parser)
    return parser


class _Version(argparse.Action):
    """Prints the version when asked, so that it is read only then."""

    def __init__(self, option_strings: list[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from msroi import __version__

        print(f"msroi {__version__}")
        parser.exit()


def _discard_standard_output() -> None:
    """Point standard output at nothing, so that Python's flush at exit does not fail once more."""
    try:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
    except (OSError, ValueError):  # standard output is no real file (a test's capture)
        pass
