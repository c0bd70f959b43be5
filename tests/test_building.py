"""How the package is built and installed: which compiler, what is said of what is missing, what `make` does again."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BUILDING = ROOT / "building"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture
def building(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    monkeypatch.syspath_prepend(str(BUILDING))
    import msroi_building

    return msroi_building


@pytest.fixture
def bare_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PATH is an empty folder, and no variable names a compiler."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("CXX", raising=False)
    return folder


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="only on Linux a compiler is brought")
def test_a_compiler_is_asked_for_only_where_there_is_none(
    building: types.ModuleType, bare_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert building.find_compiler() is None and building._compiler_to_bring() == [building.ZIG]
    monkeypatch.setattr(building.build_meta, "get_requires_for_build_wheel", lambda settings: ["a"])
    monkeypatch.setattr(building.build_meta, "get_requires_for_build_editable", lambda settings: ["b"])
    assert building.get_requires_for_build_wheel() == ["a", building.ZIG]
    assert building.get_requires_for_build_editable() == ["b", building.ZIG]
    program(bare_path / "clang++")
    assert building.find_compiler() == ["clang++"]
    assert building.get_requires_for_build_wheel() == ["a"]
    program(bare_path / "wrapper")
    monkeypatch.setenv("CXX", "wrapper g++ -m64")
    assert building.find_compiler() == ["wrapper", "g++", "-m64"]


def test_missing_headers_are_not_called_a_missing_compiler(
    building: types.ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert building.missing_headers() == ""
    monkeypatch.setattr(building.sysconfig, "get_path", lambda name: str(tmp_path))
    line = building.missing_headers()
    assert str(tmp_path / "Python.h") in line and re.search(r"apt install python3\.\d+-dev", line)
    command = building.BuildKernels.__new__(building.BuildKernels)
    with pytest.raises(SystemExit, match=r"^msroi: Python's C headers are missing"):
        command.build_extensions()


def test_the_version_is_not_stated_twice() -> None:
    assert PROJECT["dynamic"] == ["version"]


def test_readme_names_the_extras_that_there_are() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8") + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = {name for group in re.findall(r'"\.\[([\w,]+)\]"', text) for name in group.split(",")}
    named |= set(re.findall(r"extra `(\w+)`", text))
    assert named and named <= set(PROJECT["optional-dependencies"])


def test_make_test_installs_what_readme_says() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^test: .*\n.*building/environment\.py test$", makefile, re.MULTILINE)
    assert 'pip install -e ".[test]"' in (ROOT / "README.md").read_text(encoding="utf-8")
    assert not [line for line in PROJECT["optional-dependencies"]["test"] if line.startswith(("tensorflow", "keras"))]


# --- building/environment.py ---------------------------------------------------------------------


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Path]:
    """What environment.py needs of a clone, in a folder with a blank in its name."""
    folder = tmp_path / "a clone"
    for name in ("building/environment.py", "pyproject.toml", "setup.cfg", "setup.py", "msroi/version.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    yield folder


FAKE_VENV = """
import runpy, subprocess, sys
from pathlib import Path
calls = []
known = subprocess.run
def run(words, **options):
    if "install" in words or "venv" in words:
        calls.append(" ".join(map(str, words[1:])))
        if "venv" in words:
            place = Path(words[-1], "bin", "python")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.unlink(missing_ok=True)
            place.symlink_to(sys.executable)
        return subprocess.CompletedProcess(words, 0)
    return known(words, **options)
subprocess.run = run
sys.argv = ["environment.py", *sys.argv[2:]]
try:
    runpy.run_path("building/environment.py", run_name="__main__")
except SystemExit as stop:
    print("status", stop.code)
print("\\n".join(calls))
"""


def prepare(clone: Path, *extras: str) -> str:
    """Run environment.py with pip and venv written down instead of run; they take a minute and the network."""
    done = subprocess.run(
        [sys.executable, "-c", FAKE_VENV, "x", *extras], cwd=clone, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_an_environment_is_made_once_and_again_when_something_changed(clone: Path) -> None:
    first = prepare(clone)
    assert "-m venv" in first and "pip install" in first and "-e .\n" in first
    assert prepare(clone) == "status 0\n\n"
    more = prepare(clone, "test")
    assert "-m venv" not in more and "-e .[test]" in more
    assert prepare(clone) == "status 0\n\n"  # what is there is not taken away
    assert json.loads((clone / ".venv" / "msroi.json").read_text())["extras"] == ["test"]
    (clone / "msroi" / "version.py").write_text('__version__ = "9"\n')
    again = prepare(clone)
    assert "-m venv" not in again and "-e .[test]" in again
    moved = clone.rename(clone.with_name("another clone"))
    assert "venv --clear" in prepare(moved)
    (moved / ".venv" / "bin" / "python").unlink()
    (moved / ".venv" / "bin" / "python").symlink_to("/nowhere/python3.9")
    assert "venv --clear" in prepare(moved)


def test_an_environment_of_somebody_else_is_not_thrown_away(clone: Path) -> None:
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "bin" / "python").symlink_to(sys.executable)
    text = prepare(clone)
    assert "--clear" not in text and "pip install" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("import importlib.util as u; u.find_spec = lambda name: None", "-venv: apt install python3."),
        ("import sys; sys.version_info = (3, 9, 2)", "is Python 3.9.2; 3.11 or later is needed"),
    ],
)
def test_what_is_missing_is_said_in_one_line(clone: Path, bare_path: Path, change: str, said: str) -> None:
    code = f"{change}\nimport runpy\nrunpy.run_path('building/environment.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=clone, capture_output=True, text=True)
    assert done.returncode == 1 and said in done.stderr
    assert done.stderr.startswith("msroi: ") and done.stderr.count("\n") == 1


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_without_python_says_so_in_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        ["make", "PYTHON=no-such-python", "demo"], cwd=ROOT, capture_output=True, text=True, env=os.environ
    )
    assert done.returncode and "msroi: no no-such-python here; install Python 3.11" in done.stderr


def test_the_kernels_are_one_unit_of_short_headers() -> None:
    """Every file in the folder is compiled with bindings.cpp, says first what it is, and can be read at a sitting."""
    folder = ROOT / "msroi" / "codecs" / "jpeg" / "kernels"
    reached, left = set(), ["bindings.cpp"]
    while left:
        name = left.pop()
        if name not in reached:
            reached.add(name)
            left += re.findall(r'^#include "(\S+)"$', (folder / name).read_text(encoding="utf-8"), re.M)
    assert reached == {path.name for path in folder.iterdir()}
    for name in reached:
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith("// "), name
        assert len(lines) <= 500 and max(map(len, lines)) <= 120, name
