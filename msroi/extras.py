"""What to install for an optional part, as a command that works where msroi was installed from.

msroi may stand in a folder of source (a clone, installed or not), come from a wheel or an address, or from a package
index; into an environment of pip's, of uv's (which has no pip) or of pipx's. A hint that names the wrong one of these
is followed once and never again.
"""

from __future__ import annotations

import importlib.machinery
import importlib.metadata
import json
import shutil
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

from msroi.errors import MissingExtraError

NAME = "msroi"
_HERE = Path(__file__).resolve().parents[1]


def missing(what: str, extra: str) -> MissingExtraError:
    """The error to raise where an extra is needed. what: a clause such as "HEIC needs pillow-heif"."""
    return MissingExtraError(f"{what}: {install_command(extra)}")


def install_command(extra: str) -> str:
    """The command, for the shell, that installs msroi with `extra`, a name of its optional dependencies."""
    return f"{_installer(Path(sys.prefix), Path(sys.executable))} {requirement(extra, _HERE, _direct_url())}"


def not_built() -> str:
    """What to do where the package's compiled module is missing: most often a clone shadows what is installed."""
    if not (_HERE / "pyproject.toml").is_file():
        return f"{_HERE / NAME}: its compiled module is missing; install msroi again"
    return (
        f"{_HERE}: a folder of source that is not built, and Python takes it before the msroi that is installed; "
        f'run from another folder, or build it here: {_installer(Path(sys.prefix), Path(sys.executable))} -e "{_HERE}"'
    )


def requirement(extra: str, home: Path, direct_url: dict[str, Any] | None) -> str:
    """What pip is told to install, quoted.

    home: the folder that msroi/ stands in. direct_url: PEP 610's record of where the distribution came from, None for
    one from an index.
    """
    if (home / "pyproject.toml").is_file():
        return f'-e "{home}[{extra}]"'
    url = str((direct_url or {}).get("url", ""))
    if not url:
        return f'"{NAME}[{extra}]"'
    if "dir_info" in (direct_url or {}):
        flag = "-e " if (direct_url or {})["dir_info"].get("editable") else ""
        return f'{flag}"{url2pathname(urlparse(url).path)}[{extra}]"'
    source = (direct_url or {}).get("vcs_info")
    if source:
        url = f"{source.get('vcs', 'git')}+{url}" + (f"@{source['commit_id']}" if source.get("commit_id") else "")
    return f'"{NAME}[{extra}] @ {url}"'


def _direct_url() -> dict[str, Any] | None:
    try:
        text = importlib.metadata.distribution(NAME).read_text("direct_url.json")
        record = json.loads(text) if text else None
    except (importlib.metadata.PackageNotFoundError, OSError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def _installer(prefix: Path, executable: Path) -> str:
    """The words before the requirement: of the tool that made the environment at `prefix`."""
    if (prefix / "pipx_metadata.json").is_file():
        return "pipx install --force"
    if (prefix / "uv-receipt.toml").is_file():
        return "uv tool install --force"
    python = f'"{executable}"' if " " in str(executable) else str(executable)
    if not _has_pip():
        return f"uv pip install --python {python}"
    found = shutil.which("pip")
    # `pip` alone is right only where it is this environment's.
    if found is not None and Path(found).parent == executable.parent:
        return "pip install"
    return f"{python} -m pip install"


def _has_pip() -> bool:
    # Not importlib.util.find_spec: setuptools hooks in there and may warn.
    return importlib.machinery.PathFinder.find_spec("pip") is not None
