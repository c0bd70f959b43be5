"""Writing what a verb made: beside the input, under a folder, to one named file or to standard output."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msroi.cli.inputs import PICTURE_SUFFIXES, STANDARD_STREAM, TO_STDOUT, Input
from msroi.errors import OptionError, OutputError

if TYPE_CHECKING:
    import argparse

    import numpy as np


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


def check_free(path: Path, overwrite: bool, never: Sequence[Path] = ()) -> None:
    """Raises OutputError where the output could not be written, before any work is spent on it."""
    from msroi.images import refuse_to_replace

    refuse_to_replace(path, overwrite=overwrite, never=never)


def write(
    path: Path,
    data: bytes,
    *,
    overwrite: bool,
    never: Sequence[Path] = (),
    make_folder: bool = False,
    like: os.stat_result | None = None,
) -> None:
    """The whole file or nothing. make_folder: its folder is made if need be. like: see `write_atomically`."""
    from msroi.images import write_atomically

    if make_folder:
        make_folder_of(path)
    write_atomically(path, data, overwrite=overwrite, never=never, like=like)


def make_folder_of(path: Path) -> None:
    """The folder that a file is to stand in, with those above it. Errors: OutputError."""
    from msroi.images import cannot_be_written

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_be_written(path, error) from error


def write_planned(
    arguments: argparse.Namespace,
    path: Path,
    data: bytes,
    never: Sequence[Path],
    *,
    like: os.stat_result | None = None,
) -> None:
    """To where `inputs.planned` said, a file or standard output, as -d and --overwrite say."""
    if path == TO_STDOUT:
        _write_standard_output(data)
    else:
        overwrite, make_folder = bool(arguments.overwrite), arguments.directory is not None
        write(path, data, overwrite=overwrite, never=never, make_folder=make_folder, like=like)


def _write_standard_output(data: bytes) -> None:
    if sys.stdout is None:
        raise OutputError("standard output: is closed; use -o FILE")
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def inputs_on_disk(inputs: Sequence[Input]) -> tuple[Path, ...]:
    """The files that no output may replace."""
    return tuple(item.path for item in inputs if item.path is not None)


def png(pixels: np.ndarray, icc_profile: bytes | None = None, *, smooth: bool = False) -> bytes:
    """A PNG file of uint8 pixels (height, width[, 3]) in the space of the profile, sRGB without one.

    smooth: a map, in which zlib finds long repetitions. In photos it finds none and takes five times as long to
    look for them: those are written with runs alone, which makes files of about the same size.
    """
    import zlib

    from PIL import Image

    file = io.BytesIO()
    strategy = zlib.Z_DEFAULT_STRATEGY if smooth else zlib.Z_RLE
    Image.fromarray(pixels).save(file, "PNG", icc_profile=icc_profile, compress_type=strategy)
    return file.getvalue()
