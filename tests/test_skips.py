"""What a run says of its skips, and when it fails for them; run as the suite is, with and without workers."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
WORKERS = [[], ["-n", "2"]] if importlib.util.find_spec("xdist") else [[]]
ONE = """
import pytest
def test_a(): pass
def test_b(): pass
def test_c(): pytest.skip("no network")
@pytest.mark.skipif(True, reason="no network")
def test_d(): pass
"""
WHOLE = """
import pytest
pytest.importorskip("nothing_of_this_name", reason="needs nothing")
def test_e(): pass
@pytest.mark.parametrize("x", [1, 2])
def test_f(x): pass
"""


def run_suite(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(HERE / "skips.py", folder / "conftest.py")
    (folder / "test_one.py").write_text(ONE)
    (folder / "test_whole.py").write_text(WHOLE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("workers", WORKERS)
def test_skips_are_counted_by_reason(tmp_path: Path, workers: list[str]) -> None:
    done = run_suite(tmp_path, *workers)
    assert done.returncode == 0, done.stdout
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "2 no network" in lines and "2 needs nothing" in lines
    assert "4 of 6 tests skipped, 66.7 %" in lines


@pytest.mark.parametrize("workers", WORKERS)
def test_too_many_skips_fail_a_run(tmp_path: Path, workers: list[str]) -> None:
    done = run_suite(tmp_path, *workers, "--most-skipped", "66")
    assert done.returncode == 1 and "FAILED: 66 % and more of the tests are skipped" in done.stdout
    assert run_suite(tmp_path, *workers, "--most-skipped", "67").returncode == 0


def test_a_suite_without_skips_says_nothing_of_them(tmp_path: Path) -> None:
    assert "skipped" not in run_suite(tmp_path, "--most-skipped", "1", "test_one.py::test_a").stdout
