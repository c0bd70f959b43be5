"""Training's inputs are looked at before its first second: a line each, all at once, and Keras is not loaded for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from msroi.errors import OptionError
from train.common import checkpoints
from train.data import datasets
from train.saliency import __main__ as saliency
from train.saliency import features, recipes
from train.saliency import inputs as given

INIT = {f"{layer}/kernel": np.zeros(1) for layer in given.TRUNK_LAYERS}
TEACHER = {f"{layer}/kernel": np.zeros(1) for layer in given.TEACHER_LAYERS}


@pytest.fixture
def sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two classes of four photos, three photos with masks, three with fixations, and files of layers."""
    # Whether the extra is installed is none of these tests' business.
    monkeypatch.setattr(given, "LIBRARIES", ())
    for i in range(8):
        folder = tmp_path / "caltech" / f"class {i % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (32, 32)).save(folder / f"{i}.png")
    fixations = {}
    for name in ("duts", "mit"):
        for part in ("image", "mask"):
            (tmp_path / name / part).mkdir(parents=True)
        for i in range(3):
            Image.new("RGB", (32, 32)).save(tmp_path / name / "image" / f"photo {i}.png")
            Image.new("L", (32, 32)).save(tmp_path / name / "mask" / f"photo {i}.png")
            fixations[f"photo {i}.png"] = {"fixations": [[3, 4]]}
    (tmp_path / "mit" / "fixations.json").write_text(json.dumps(fixations))
    np.savez(tmp_path / "init.npz", **INIT)
    np.savez(tmp_path / "teacher.npz", **TEACHER)
    return tmp_path


def words(sets: Path, **changes: str | None) -> list[str]:
    """A command line that is right, with changes; None leaves an option out."""
    given: dict[str, str | None] = {
        "recipe": "two-cores", "output": str(sets / "run"), "caltech101": str(sets / "caltech"),
        "duts": str(sets / "duts"), "mit1003": str(sets / "mit"), "init": str(sets / "init.npz"),
        "teacher": str(sets / "teacher.npz"), "validation": "1",
    }  # fmt: skip
    given |= {name.replace("_", "-"): value for name, value in changes.items()}
    return [word for name, value in given.items() if value is not None for word in (f"--{name}", value)]


def gather(sets: Path, **changes: str | None) -> tuple[given.Inputs | None, list[str]]:
    return given.gather(saliency._arguments().parse_args(words(sets, **changes)))


def test_what_is_right_is_read_once(sets: Path) -> None:
    inputs, problems = gather(sets)
    assert problems == [] and inputs is not None
    assert {name: len(members) for name, members in inputs.samples.items()} == {
        "caltech101": 8, "duts": 3, "mit1003": 3
    }  # fmt: skip
    assert inputs.class_names == ["class 0", "class 1"] and (sets / "run").is_dir()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"recipe": "large"}, ["recipe 'large': unknown; the recipes are"]),
        ({"teacher": None}, ["recipe two-cores: learns from a teacher; give --teacher"]),
        ({"init": None}, ["freezes blocks 1 to 3, so it needs their layers; give --init"]),
        ({"mit1003": None}, ["takes 12 photos with fixations a step; give --mit1003 or --eye-crowd or --scenes"]),
        ({"caltech101": None}, ["takes 28 photos with labels a step; give --caltech101"]),
        ({"validation": "4"}, ["2 of 2 classes have no photo left to train on, for --validation holds back 4"]),
        ({"steps": "0", "every": "0"}, ["--steps 0: must be at least 1", "--every 0: must be at least 1"]),
        ({"init": "DIR/duts"}, ["--init DIR/duts: cannot be read as layers"]),
        ({"init": "DIR/teacher.npz"}, ["--init DIR/teacher.npz: holds no layer block1_conv1, block1_conv2"]),
        ({"teacher": "DIR/init.npz"}, ["--teacher DIR/init.npz: holds no layer conv1/7x7_s2"]),
        ({"mit1003": "DIR/duts"}, ["--mit1003: DIR/duts/STIMULI: no such folder"]),
        ({"duts": "DIR/caltech"}, ["--duts: DIR/caltech/DUTS-TR-Image: no such folder"]),
        ({"output": "DIR/init.npz"}, ["DIR/init.npz: is a file; name a folder"]),
        (
            {"duts": "DIR/no", "scenes": "DIR/none", "teacher": "DIR/x.npz", "leave_out": "DIR/y"},
            ["--teacher DIR/x.npz: cannot", "--duts DIR/no: no such", "--scenes DIR/none: no", "--leave-out DIR/y"],
        ),
    ],
)
def test_each_problem_is_a_line_and_nothing_is_begun(
    sets: Path, changes: dict[str, str], said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    changes = {name: value and value.replace("DIR", str(sets)) for name, value in changes.items()}
    assert saliency.main(words(sets, **changes)) == OptionError.exit_status
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(said)
    for line, part in zip(lines, said, strict=True):
        assert line.startswith("train.saliency: ") and part.replace("DIR", str(sets)) in line
    assert not (sets / "run").exists()


def test_what_another_run_left_is_told_before(sets: Path) -> None:
    inputs, _ = gather(sets)
    assert inputs is not None
    rows = features.plan(inputs.samples, inputs.recipe.cached_views)
    known = features.identity(rows, inputs.recipe, inputs.layers)
    (sets / "run" / "features").mkdir()
    (sets / "run" / "features" / features.PROGRESS).write_text(json.dumps(known | {"done": 3}))
    assert gather(sets)[1] == []
    np.savez(sets / "init.npz", **INIT, more=np.ones(2))  # other layers, other features
    assert "holds features of other photos or another recipe" in gather(sets)[1][0]
    np.savez(sets / "run" / checkpoints.FILE, recipe=json.dumps({"name": "other"}))
    assert "was made by another recipe" in gather(sets)[1][0]
    (sets / "run" / checkpoints.FILE).write_bytes(b"torn")
    assert "cannot be read" in gather(sets)[1][0]


def test_smoke_needs_nothing_but_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "LIBRARIES", ())
    options = saliency._arguments().parse_args(["--recipe", "smoke", "--output", str(tmp_path / "run")])
    inputs, problems = given.gather(options)
    assert problems == [] and inputs is not None
    assert inputs.class_names == [Path(name).stem for name in datasets.SCIKIT_IMAGES]
    assert inputs.recipe.architecture.n_classes == len(inputs.class_names) and inputs.recipe.losses.teacher == 0
    assert all(sample.path.is_file() for members in inputs.samples.values() for sample in members)
    assert recipes.find("smoke").losses.teacher > 0  # with a teacher given it listens to it


def test_keras_is_not_loaded_for_help_or_a_wrong_word(tmp_path: Path) -> None:
    code = (
        "import sys; from train.saliency import __main__ as saliency\n"
        "try: status = saliency.main(sys.argv[1:])\n"
        "except SystemExit as stop: status = stop.code\n"
        "print(status, sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    for words_given, status in ((["--help"], 0), (["--recipe", "two-cores", "--output", str(tmp_path / "run")], 2)):
        done = subprocess.run([sys.executable, "-c", code, *words_given], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == f"{status} []"
