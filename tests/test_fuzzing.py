"""Fuzzing in small: every seed and every finding of the past, then some seconds with coverage where the tools are.

CONTRIBUTING says how to fuzz for longer.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="memory is measured as Unix does")

from fuzzing.seeds import write_seeds
from fuzzing.targets import TARGETS

FOLDER = Path(__file__).parent / "fuzzing"
SECONDS = os.environ.get("MSROI_FUZZ_SECONDS", "6")  # for each target


@pytest.mark.parametrize("target", TARGETS)
def test_what_fuzzing_begins_with_does_no_harm(target: str) -> None:
    command = [sys.executable, FOLDER / "begin.py", target]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=FOLDER.parents[1])
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason='needs atheris: pip install -e ".[fuzz]"')
@pytest.mark.parametrize("target", TARGETS)
def test_some_seconds_of_fuzzing_find_nothing(target: str, tmp_path: Path) -> None:
    options = [f"-max_total_time={SECONDS}", f"-artifact_prefix={tmp_path}/", "-seed=1"]
    command = [sys.executable, FOLDER / "run.py", target, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=FOLDER.parents[1])
    assert done.returncode == 0, done.stderr[-3000:]
    assert "stat::number_of_executed_units" in done.stderr


def test_some_seconds_of_fuzzing_the_decoder_find_nothing(tmp_path: Path) -> None:
    compiler = shutil.which("clang++")
    if compiler is None:
        pytest.skip("needs clang++ with libFuzzer")
    program = tmp_path / "decoder"
    flags = ["-std=c++17", "-g", "-O1", "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all"]
    built = subprocess.run(
        [compiler, *flags, FOLDER / "decoder.cpp", "-o", program], capture_output=True, text=True, check=False
    )
    if "libclang_rt.fuzzer" in built.stderr:
        pytest.skip("this clang++ has no libFuzzer: apt install libclang-rt-dev")
    assert built.returncode == 0, built.stderr
    write_seeds("decoder", tmp_path / "seeds")
    options = [f"-max_total_time={SECONDS}", f"-artifact_prefix={tmp_path}/", "-seed=1", "-print_final_stats=1"]
    done = subprocess.run([program, *options, tmp_path / "seeds"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "stat::number_of_executed_units" in done.stderr
