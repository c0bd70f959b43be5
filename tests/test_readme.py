"""The README's blocks: `sh` and `python` run as they stand; `console` blocks install, train or test."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def run_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python with this package, from another folder."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True
    )


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, photo: np.ndarray) -> Path:
    """A folder as the README's reader has it: photo.jpg, and a folder of two more."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "photos").mkdir()
    Image.fromarray(photo).save(folder / "photo.jpg", quality=95)
    Image.fromarray(photo[:, ::-1]).save(folder / "photos" / "one.jpg", quality=95)
    Image.fromarray(photo[::-1]).save(folder / "photos" / "two.png")
    return folder


def test_there_are_blocks() -> None:
    assert len(blocks("sh")) >= 2 and len(blocks("python")) >= 1 and len(blocks("console")) >= 3


def test_blocks_run_one_after_the_other(desk: Path) -> None:
    before = (desk / "photo.jpg").read_bytes()
    for commands in blocks("sh"):
        for line in commands.splitlines():
            words = line.split("#")[0].split()
            assert words[0] == "msroi"
            done = run_in(desk, "-m", *words)
            assert done.returncode == 0, f"{line}\n{done.stderr}"
    for code in blocks("python"):
        done = run_in(desk, "-c", code)
        assert done.returncode == 0, done.stderr
    assert (desk / "photo.jpg").read_bytes() == before
    made = {"photo.msroi.jpg", "smaller.jpg", "small.jpg", "boxed.jpg", "heat.png", "from_python.jpg"}
    assert made <= {path.name for path in desk.iterdir()}
    assert (desk / "small.jpg").stat().st_size <= 40_000
    assert len(list((desk / "out").rglob("*.jpg"))) == 2


TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def training_commands() -> dict[str, set[str]]:
    """Modules of train/ that the texts have one run, each with the options that are named somewhere."""
    found: dict[str, set[str]] = {}
    for path in TEXTS:
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        for module, rest in re.findall(r"python -m (train(?:\.\w+)+)([^`]*?)(?:`|\n|$)", text):
            found.setdefault(module, set()).update(re.findall(r"(?<!\S)--[a-z][\w-]*", rest))
    return found


@pytest.fixture(scope="module")
def helps() -> dict[str, str]:
    """What `--help` of each command prints, from one process: most of them take their time to import."""
    pytest.importorskip("keras", reason="needs the keras extra")
    code = (
        "import contextlib, io, json, runpy, sys\n"
        "said = {}\n"
        "for module in sys.argv[1:]:\n"
        "    sys.argv, out = [module, '--help'], io.StringIO()\n"
        "    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):\n"
        "        runpy.run_module(module, run_name='__main__')\n"
        "    said[module] = out.getvalue()\n"
        "print(json.dumps(said))\n"
    )
    done = run_in(ROOT, "-c", code, *training_commands())
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize(("module", "options"), training_commands().items())
def test_training_commands_have_the_options_they_name(module: str, options: set[str], helps: dict[str, str]) -> None:
    assert helps[module].startswith(f"usage: python -m {module} ")
    known = set(re.findall(r"--[a-z][\w-]*", helps[module]))
    assert options <= known, f"python -m {module}: {options - known} are no options of it"


def test_the_readme_trains_and_exports() -> None:
    assert {"train.saliency", "train.saliency.export", "train.recurrent"} <= set(training_commands())
