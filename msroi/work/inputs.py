"""From names to inputs: files, folders and streams.

A folder stands for the pictures in it and below, sorted; hidden files, our own outputs and symbolic links to
folders are passed over.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from msroi.errors import ImageError, InputMissingError, OptionError

JPEG_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif"})
# What is taken from a folder; a file that is named is taken whatever its name.
PICTURE_SUFFIXES = JPEG_SUFFIXES | {
    *(".png", ".apng", ".tif", ".tiff", ".webp", ".bmp", ".dib", ".gif"),
    *(".mpo", ".heic", ".heif", ".hif", ".avif"),
}
# What cameras write beside or instead of JPEG: pixels before their development, which msroi does not do.
RAW_SUFFIXES = {
    *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".gpr", ".iiq", ".kdc", ".mef", ".mos"),
    *(".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"),
}
OUR_SUFFIXES = (".msroi.jpg", ".map.png", ".heat.png", ".overlay.png", ".decoded.png")

STANDARD_STREAM = "-"
STANDARD_INPUT_NAME = "standard input"


@dataclass(frozen=True)
class Input:
    """One picture to work on."""

    name: str  # as the user wrote it; for a file in a folder, the folder's name in front
    path: Path | None  # None: standard input
    relative: Path  # its place under -d: the file's name, or its path below the folder that was given

    def open(self) -> Path | BinaryIO:
        """What `msroi` reads."""
        if self.path is not None:
            return self.path
        if sys.stdin is None:
            raise ImageError(f"{self.name}: is closed; pipe a picture into it")
        if sys.stdin.isatty():
            raise ImageError(f"{self.name}: it is a terminal; pipe a picture into it")
        return sys.stdin.buffer

    def read(self, max_bytes: int) -> bytes:
        """The whole file. Errors: ImageError for one of more bytes, or that cannot be read."""
        source = self.open()
        try:
            with source.open("rb") if isinstance(source, Path) else source as file:
                data = file.read(max_bytes + 1)
        except OSError as error:
            raise ImageError(f"{self.name}: cannot be read: {(error.strerror or str(error)).lower()}") from error
        if len(data) > max_bytes:
            raise ImageError(f"{self.name}: more than {max_bytes:,} bytes; raise `max_bytes` to look into it")
        return data


def expand(
    words: Sequence[str],
    outputs_folder: Path | None = None,
    *,
    include_ours: bool = False,
    suffixes: frozenset[str] = PICTURE_SUFFIXES,
    passed_over: list[Path] | None = None,
) -> tuple[list[Input], list[tuple[str, ImageError]]]:
    """Inputs in the order given, each once, and what could not be found: its name and the error.

    words: files, folders or `-`. outputs_folder: passed over when it lies in a folder that was given.
    include_ours: take what msroi wrote from folders, too. suffixes: of the files that are taken from folders.
    passed_over: takes the other files of the folders, but for hidden ones and what msroi wrote.
    """
    skipped = OUR_SUFFIXES if not include_ours else ()
    inputs: list[Input] = []
    problems: list[tuple[str, ImageError]] = []
    for word in words:
        path = Path(word)
        if word == STANDARD_STREAM:
            inputs.append(Input(STANDARD_INPUT_NAME, None, Path("standard-input")))
        elif path.is_dir():
            others: list[Path] = []
            found = _walk(path, outputs_folder, suffixes, skipped, problems, others)
            inputs += found
            if not found:
                what = "picture files" if suffixes is PICTURE_SUFFIXES else f"files {' '.join(sorted(suffixes))}"
                hint = f"; {told_of(others)}" if others else ""
                problems.append((word, ImageError(f"{word}: no {what} in this folder{hint}")))
            elif passed_over is not None:
                passed_over += others
        elif not os.path.lexists(path):
            problems.append((word, InputMissingError(f"{word}: no such file or folder")))
        else:
            inputs.append(Input(word, path, Path(path.name)))
    if len(words) > 1 and any(item.path is None for item in inputs):
        raise OptionError("-: standard input goes alone; give the other inputs in a command of their own")
    return list({key_of(item.path): item for item in reversed(inputs)}.values())[::-1], problems


def _walk(
    folder: Path,
    outputs_folder: Path | None,
    suffixes: frozenset[str],
    skipped_suffixes: tuple[str, ...],
    problems: list[tuple[str, ImageError]],
    others: list[Path],
) -> list[Input]:
    def note(error: OSError) -> None:
        reason = (error.strerror or str(error)).lower()
        problems.append((str(error.filename), ImageError(f"{error.filename}: cannot be read: {reason}")))

    skipped = None if outputs_folder is None else os.path.realpath(outputs_folder)
    if skipped == os.path.realpath(folder):
        skipped = None  # -d is the folder itself: what is in it is what was asked for
    found = []
    for place, folders, files in os.walk(folder, onerror=note):
        folders[:] = sorted(
            name for name in folders if name[0] != "." and os.path.realpath(Path(place, name)) != skipped
        )
        for name in sorted(files):
            if name.startswith(".") or name.lower().endswith(skipped_suffixes):
                continue
            path = Path(place, name)
            # A pipe or a device may wait for ever for somebody to write to it.
            if not _is_name_with(suffixes, name) or (path.exists() and not path.is_file()):
                others.append(path)
            else:
                found.append(Input(str(path), path, path.relative_to(folder)))
    return found


def told_of(others: Sequence[Path]) -> str:
    """What was passed over in folders, in words: RAW files, which want to be developed first, and others."""
    raw = [path for path in others if path.suffix.lower() in RAW_SUFFIXES]
    parts = [
        f"{len(some)} {what} ({', '.join(sorted({path.suffix.lower() or 'no suffix' for path in some}))})"
        for what, some in (("RAW", raw), ("other", [path for path in others if path not in raw]))
        if some
    ]
    return f"passed over {' and '.join(parts)} {'file' if len(others) == 1 else 'files'}"


def _is_name_with(suffixes: frozenset[str], name: str) -> bool:
    return not name.startswith(".") and Path(name).suffix.lower() in suffixes


def key_of(path: Path | None) -> str:
    """Equal for names of one file; of two links to it each has its own. None is standard input."""
    if path is None:
        return STANDARD_STREAM
    # `resolve` would make one of two links to a file.
    return os.path.normcase(os.path.abspath(path))  # noqa: PTH100
