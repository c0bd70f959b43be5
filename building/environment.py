"""Make or renew .venv and install msroi into it: `python3 building/environment.py [EXTRA ...]`.

`make demo` and `make test` begin with it. What .venv was made from is written down in it, so that a second call does
nothing, and a changed requirement, kernel, folder or extra installs again. Runs on every Python from 3.8 on, to say
which one msroi needs.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
NEWEST = 14
ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / ".venv"
PYTHON = PLACE / "bin" / "python"
RECORD = PLACE / "msroi.json"
SOURCES = ("pyproject.toml", "setup.cfg", "setup.py", "building/*.py", "msroi/version.py", "msroi/codecs/jpeg/**/*.cpp")
SOURCES += ("msroi/codecs/jpeg/**/*.h",)


def main(extras: list[str]) -> int:
    if sys.version_info < OLDEST:
        return _again_with_a_newer_python(extras)
    known = _read_record()
    same_place = known.get("folder") == str(ROOT) and known.get("python") == _version() and _runs("import pip")
    # What an earlier call brought stays: `make demo` after `make test` takes nothing away.
    wanted = sorted({*extras, *(known.get("extras", []) if same_place else [])})
    record = {"folder": str(ROOT), "python": _version(), "extras": wanted, "sources": _digest()}
    if same_place and known == record:
        return 0
    if not same_place and (problem := _make(stale=bool(known))):
        return _fail(problem)
    what = f"msroi with {', '.join(wanted)}" if wanted else "msroi"
    print(f"installing {what} into .venv; the first time takes a minute or some", flush=True)
    target = "." + (f"[{','.join(wanted)}]" if wanted else "")
    RECORD.unlink(missing_ok=True)
    words = [str(PYTHON), "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"]
    done = subprocess.run([*words, "-e", target], cwd=ROOT)
    if done.returncode:
        return _fail("the installation failed; the lines above say why")
    RECORD.write_text(json.dumps(record, indent=1) + "\n")
    return 0


def _make(stale: bool) -> str:
    """A new .venv; over one that is not ours nothing is thrown away. Returns what is in the way, "" if nothing is."""
    # Debian's Python has venv and leaves out ensurepip, without which it makes none.
    if not all(getattr(importlib.util.find_spec(name), "origin", None) for name in ("venv", "ensurepip")):
        version = ".".join(map(str, sys.version_info[:2]))
        return (
            f"this Python has no venv ({sys.executable}); the package that brings it on Debian and Ubuntu is "
            f"python{version}-venv: apt install python{version}-venv"
        )
    if _runs("import pip") and not stale:
        new_enough = _runs(f"import sys; assert sys.version_info >= {OLDEST}")
        return "" if new_enough else f"{PLACE}: its Python is older than 3.11; remove the folder"
    print("making .venv", flush=True)
    broken = stale or not _runs("")
    command = [sys.executable, "-m", "venv", *(["--clear"] if broken else []), str(PLACE)]
    return "" if subprocess.run(command).returncode == 0 else f"{PLACE}: could not be made; the lines above say why"


def _runs(code: str) -> bool:
    """Whether the environment's Python is there and runs `code` without an error."""
    try:
        return subprocess.run([str(PYTHON), "-c", code], stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def _again_with_a_newer_python(extras: list[str]) -> int:
    for minor in range(NEWEST, OLDEST[1] - 1, -1):
        newer = shutil.which(f"python3.{minor}")
        if newer and subprocess.run([newer, "-c", ""], stderr=subprocess.DEVNULL).returncode == 0:
            os.execv(newer, [newer, __file__, *extras])
    version = ".".join(map(str, sys.version_info[:3]))
    return _fail(f"{sys.executable} is Python {version}; 3.11 or later is needed: make PYTHON=/path/to/python3.11 demo")


def _read_record() -> dict:
    try:
        known = json.loads(RECORD.read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _version() -> str:
    return ".".join(map(str, sys.version_info[:2]))


def _digest() -> str:
    """Of all that an installed environment depends on: requirements, build and C++."""
    total = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in ROOT.glob(pattern)):
        total.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def _fail(message: str) -> int:
    print(f"msroi: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
