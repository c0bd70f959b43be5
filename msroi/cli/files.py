"""Writing what a verb made: beside the input, under a folder, to one named file or to standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msroi.errors import OptionError, OutputError
from msroi.work.inputs import PICTURE_SUFFIXES, STANDARD_STREAM
from msroi.work.outputs import TO_STDOUT

if TYPE_CHECKING:
    import argparse


def add_output_options(parser: argparse.ArgumentParser, default: str) -> Any:
    """-o, -d and --overwrite. default: where the output stands without them. Returns the group."""
    group = parser.add_argument_group("output")
    place = group.add_mutually_exclusive_group()
    place.add_argument("-o", "--output", metavar="OUT", help=f"the output file, - for standard output ({default})")
    place.add_argument(
        "-d",
        "--directory",
        metavar="DIR",
        type=Path,
        help="a folder for the outputs, made if need be; folders that were given keep their structure in it",
    )
    group.add_argument(
        "--overwrite", action="store_true", help="replace existing outputs, whatever they are (never an input)"
    )
    return group


def single_output(arguments: argparse.Namespace, suffixes: frozenset[str], what: str) -> str | None:
    """The one named output, `-` for standard output, None for the rule. Raises OptionError.

    suffixes: the picture suffixes that fit what is written; other suffixes that are no picture's fit as well.
    """
    output: str | None = arguments.output
    directory: Path | None = arguments.directory
    if directory is not None and directory.exists() and not directory.is_dir():
        raise OptionError(f"-d {directory}: is a file; name a folder")
    if output is None:
        to_stdout = arguments.inputs == [STANDARD_STREAM] and directory is None
        output = STANDARD_STREAM if to_stdout else None
    elif len(arguments.inputs) > 1 or Path(arguments.inputs[0]).is_dir():
        raise OptionError(f"-o {output}: takes one input file; use -d DIR for several or a folder")
    elif not output or Path(output).is_dir():
        raise OptionError(f"-o {output or repr(output)}: is a folder; use -d for folders")
    elif Path(output).suffix.lower() in PICTURE_SUFFIXES - suffixes:
        raise OptionError(f"-o {output}: what is written is {what}; give the name another ending")
    if output == STANDARD_STREAM and sys.stdout is None:
        raise OutputError("standard output: is closed; use -o FILE")
    if output == STANDARD_STREAM and sys.stdout.isatty():
        raise OptionError("standard output is a terminal, no place for a picture; use -o FILE or a pipe")
    return output


def write_planned(
    arguments: argparse.Namespace,
    path: Path,
    data: bytes,
    never: Sequence[Path],
    *,
    like: os.stat_result | None = None,
) -> None:
    """To where `outputs.planned` said, a file or standard output, as -d and --overwrite say."""
    from msroi.images import write_atomically

    if path == TO_STDOUT:
        _write_standard_output(data)
    else:
        overwrite, make_folder = bool(arguments.overwrite), arguments.directory is not None
        write_atomically(path, data, overwrite=overwrite, never=never, like=like, make_folder=make_folder)


def _write_standard_output(data: bytes) -> None:
    if sys.stdout is None:
        raise OutputError("standard output: is closed; use -o FILE")
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
