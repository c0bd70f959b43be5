"""Hints name a command that works where msroi was installed from; a folder of source that was not built says so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import msroi
from msroi import extras
from msroi.errors import MissingExtraError, MsroiError

PACKAGE = Path(msroi.__file__).parent


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (None, '"msroi[heif]"'),
        ({"url": "file:///home/me/a%20clone", "dir_info": {}}, '"/home/me/a clone[heif]"'),
        ({"url": "file:///home/me/clone", "dir_info": {"editable": True}}, '-e "/home/me/clone[heif]"'),
        ({"url": "https://x.org/msroi-1.whl", "archive_info": {}}, '"msroi[heif] @ https://x.org/msroi-1.whl"'),
        (
            {"url": "https://x.org/msroi", "vcs_info": {"vcs": "git", "commit_id": "0a1b"}},
            '"msroi[heif] @ git+https://x.org/msroi@0a1b"',
        ),
    ],
)
def test_a_requirement_is_where_the_package_came_from(
    record: dict[str, Any] | None, expected: str, tmp_path: Path
) -> None:
    assert extras.requirement("heif", tmp_path, record) == expected


def test_a_folder_of_source_is_named_whatever_is_installed(tmp_path: Path) -> None:
    home = tmp_path / "a clone"
    home.mkdir()
    (home / "pyproject.toml").touch()
    assert extras.requirement("heif", home, {"url": "https://x.org/msroi-1.whl"}) == f'-e "{home}[heif]"'


def test_the_installer_is_the_one_that_made_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "bin" / "python"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert extras._installer(tmp_path, python) == f"{python} -m pip install"  # pytest's environment has pip
    python.parent.mkdir()
    (python.parent / "pip").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(python.parent))
    assert extras._installer(tmp_path, python) == "pip install"
    monkeypatch.setattr(extras, "_has_pip", lambda: False)
    assert extras._installer(tmp_path, python) == f"uv pip install --python {python}"
    (tmp_path / "uv-receipt.toml").touch()
    assert extras._installer(tmp_path, python) == "uv tool install --force"
    (tmp_path / "uv-receipt.toml").rename(tmp_path / "pipx_metadata.json")
    assert extras._installer(tmp_path, python) == "pipx install --force"


def test_a_missing_extra_is_pythons_own_kind_of_error_as_well() -> None:
    error = extras.missing("HEIC needs pillow-heif", "heif")
    assert isinstance(error, MissingExtraError) and isinstance(error, (MsroiError, ModuleNotFoundError))
    assert str(error) == f"HEIC needs pillow-heif: {extras.install_command('heif')}"


def run_unbuilt(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Python in a copy of the source without the compiled module."""
    for path in PACKAGE.rglob("*.py"):
        target = folder / "msroi" / path.relative_to(PACKAGE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    environment = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True)


def test_source_that_is_not_built_says_so_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "photo.png").write_bytes(b"")
    code = "import msroi\ntry: msroi.compress('photo.png')\nexcept ImportError as error: print(error)"
    done = run_unbuilt(tmp_path, "-c", code)
    assert done.returncode == 0 and str(tmp_path) in done.stdout and f'-e "{tmp_path}"' in done.stdout
    assert done.stdout.count("\n") == 1
    done = run_unbuilt(tmp_path, "-m", "msroi", "compress", "photo.png")
    assert done.returncode == 1 and "Traceback" not in done.stderr and "not built" in done.stderr


def test_an_installation_without_the_module_says_to_install_again(tmp_path: Path) -> None:
    done = run_unbuilt(tmp_path, "-c", "import msroi.codecs.jpeg")
    line = f"{tmp_path / 'msroi'}: its compiled module is missing; install msroi again"
    assert done.stderr.splitlines()[-1].endswith(line)
