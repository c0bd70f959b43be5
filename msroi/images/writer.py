"""The one writer: a file is there as a whole or not at all, and never in place of an input."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path

from msroi.errors import OutputError, OutputExistsError


def write_atomically(
    path: str | os.PathLike[str],
    data: bytes,
    *,
    overwrite: bool,
    never: Sequence[str | os.PathLike[str]] = (),
    like: os.stat_result | None = None,
    make_folder: bool = False,
) -> None:
    """Writes `data` to a temporary file beside `path`, flushes it to the disk, and renames it.

    A link is followed to the file it means. Permission bits are those of the file it replaces, else a new
    file's; like: the status of a file whose permission bits and dates it is to have instead, as far as the system
    allows. make_folder: the folder of `path` is made where there is none, with those above it. A device or a pipe
    (`/dev/null`) is written to as it is.
    Errors: OutputError if `path` is one of the inputs in `never`, also through links, or cannot be written;
    OutputExistsError if it exists and `overwrite` is false. Nothing partial is left.
    """
    target = Path(os.path.realpath(path))
    try:
        refuse_to_replace(path, overwrite=overwrite, never=never)
        if make_folder:
            target.parent.mkdir(parents=True, exist_ok=True)
        mode = _mode(target)
        if mode is not None and not stat.S_ISREG(mode):
            target.write_bytes(data)
        else:
            _replace(target, data, mode if like is None else like.st_mode, overwrite, like)
    except OSError as error:
        raise _refused(path, target, error) from error


def put(path: str | os.PathLike[str], data: bytes) -> None:
    """`write_atomically` in place of an older file, in a folder that is made if need be."""
    write_atomically(path, data, overwrite=True, make_folder=True)


def replace_input(
    path: Path, data: bytes, like: os.stat_result, *, backup: Path | None = None, dated: bool = True
) -> None:
    """Puts `data` in the place of an input, atomically; the name stands for the one or the other at any moment.

    like: the input's status when it was read. backup: a name under which the input stays, not taken so far.
    dated: the new file has the input's dates; its permission bits and, where the system allows, its owner in any case.
    Errors: OutputError for a link, which may mean a file elsewhere; for a file that changed since it was read; for
    data that are not smaller; for a backup that exists. The input is then as it was.
    """
    try:
        refuse_link(path)
        now = path.lstat()
        if (now.st_ino, now.st_size, now.st_mtime_ns) != (like.st_ino, like.st_size, like.st_mtime_ns):
            raise OutputError(f"{path}: changed while it was worked on, and stays as it is; try again")
        if len(data) >= now.st_size:
            raise OutputError(f"{path}: only a smaller file replaces it in place")
        if backup is not None:
            _keep(path, backup, like)
        _replace(path, data, like.st_mode, True, like if dated else None)
        if hasattr(os, "chown"):
            with contextlib.suppress(OSError):
                os.chown(path, like.st_uid, like.st_gid)
    except OSError as error:
        raise _refused(path, path, error) from error


def refuse_link(path: Path) -> None:
    """What `replace_input` checks of a name, to be made before the work. Errors: OutputError."""
    if path.is_symlink():
        raise OutputError(f"{path}: is a link, which is not replaced in place; name the file that it means")


def _keep(path: Path, backup: Path, like: os.stat_result) -> None:
    """The same file under a second name; a copy where the file system has no second names."""
    try:
        backup.hardlink_to(path)
    except FileExistsError:
        raise OutputExistsError(f"{backup}: exists already; {path} stays as it is") from None
    except (OSError, NotImplementedError):
        write_atomically(backup, path.read_bytes(), overwrite=False, like=like)


def refuse_to_replace(
    path: str | os.PathLike[str], *, overwrite: bool, never: Sequence[str | os.PathLike[str]] = ()
) -> None:
    """The checks of `write_atomically`, to be made before the work. Errors: OutputError."""
    target = Path(os.path.realpath(path))
    try:
        mode = _mode(target)
        if mode is None:
            return
        if stat.S_ISDIR(mode):
            raise OutputError(f"{path}: is a folder; name a file")
        if any(_is_same(target, Path(other)) for other in never):
            raise OutputError(f"{path}: is an input, and an input is never replaced; choose another name")
        if stat.S_ISREG(mode) and not overwrite:
            raise OutputExistsError(f"{path}: exists already; `overwrite` replaces it")
    except OSError as error:
        raise _refused(path, target, error) from error


def _mode(path: Path) -> int | None:
    """The file's mode; None if there is no such file."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except FileNotFoundError:
        return False


def _replace(target: Path, data: bytes, mode: int | None, overwrite: bool, like: os.stat_result | None) -> None:
    """Temporary file, flush, rename; the temporary file is gone whatever happens."""
    temporary = target.parent / f".msroi-{secrets.token_hex(8)}.tmp"
    # The system applies the umask here, which a process with threads cannot ask for safely.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            temporary.chmod(stat.S_IMODE(mode) & 0o777)
        if like is not None:
            with contextlib.suppress(OSError):  # a file system that keeps no dates
                os.utime(temporary, ns=(like.st_atime_ns, like.st_mtime_ns))
        _rename(temporary, target, overwrite)
    finally:
        temporary.unlink(missing_ok=True)


def _rename(temporary: Path, target: Path, overwrite: bool) -> None:
    """Without `overwrite` by a link, which fails if the name was taken in the meantime."""
    if not overwrite:
        try:
            target.hardlink_to(temporary)
            return
        except FileExistsError:
            raise
        except (OSError, NotImplementedError):  # a file system without links
            if target.exists():
                raise FileExistsError(errno.EEXIST, "exists already") from None
    temporary.replace(target)


def _refused(path: str | os.PathLike[str], target: Path, error: OSError) -> OutputError:
    if isinstance(error, OutputError):
        return error
    if isinstance(error, FileExistsError):
        return OutputExistsError(f"{path}: exists already; `overwrite` replaces it")
    if isinstance(error, FileNotFoundError) and not target.parent.is_dir():
        return OutputError(f"{path}: cannot be written: its folder does not exist")
    return OutputError(f"{path}: cannot be written: {(error.strerror or type(error).__name__).lower()}")
