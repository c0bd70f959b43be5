"""The architecture: modules import from lower ranks only, and `import msroi` stays light."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import msroi

PACKAGE = Path(msroi.__file__).parent
RANKS = {
    "version": 0,
    "errors": 0,
    "options": 1,
    "threads": 1,
    "standard_error": 1,
    "arrays": 1,
    "extras": 1,
    "metadata": 1,
    "metrics": 2,
    "drawn": 2,
    "entropy": 2,
    "images": 2,
    "saliency": 3,
    "search": 3,
    "codecs": 4,
    "pipeline": 5,
    "comparison": 5,
    "report": 6,
    "work": 6,
    "benchmark": 7,
    "cli": 8,
}
HEAVY = {"constriction", "cv2", "keras", "matplotlib", "numpy", "onnxruntime"}
HEAVY |= {"PIL", "jinja2", "rich", "scipy", "skimage", "tensorflow"}
KERAS_HOMES = {
    "msroi/saliency/grad_cam.py",
    "msroi/saliency/keras_model.py",
    "msroi/codecs/neural/recurrent/network.py",
}
MODULES = sorted(p for p in PACKAGE.rglob("*.py"))


def imported_modules(path: Path) -> set[str]:
    """Full names of all modules that a file imports, at any depth of its code."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} line {node.lineno}: relative import; write the full name"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def part(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down_the_ranks(path: Path) -> None:
    own = part(path)
    if own in ("__init__", "__main__"):
        return
    assert own in RANKS, f"{own} has no rank: add it here and in CONTRIBUTING"
    for name in imported_modules(path):
        pieces = name.split(".")
        if pieces[0] == "train":
            pytest.fail(f"{path}: the package imports {name}; train/ imports msroi, never the reverse")
        if pieces[0] != "msroi" or len(pieces) == 1 or pieces[1] == own or name == "msroi.__version__":
            continue
        assert RANKS[pieces[1]] < RANKS[own], f"{own} (rank {RANKS[own]}) imports {name}"


TRAIN = PACKAGE.parent / "train"
ROOMS = {"data": 0, "common": 0, "saliency": 1, "recurrent": 1, "encoder": 1, "studies": 2}


@pytest.mark.parametrize("room", sorted(p.name for p in TRAIN.iterdir() if (p / "__init__.py").exists()))
def test_rooms_of_train_know_no_equal(room: str) -> None:
    """What loads a network's room loads no other's; `data` and `common` load neither each other's nor any."""
    assert room in ROOMS, f"train/{room} has no rank: add it here and in CONTRIBUTING"
    for path in sorted((TRAIN / room).rglob("*.py")):
        for name in imported_modules(path):
            pieces = name.split(".")
            if pieces[0] == "train" and len(pieces) > 1 and pieces[1] != room:
                assert ROOMS[pieces[1]] < ROOMS[room], f"{path} imports {name}"


def test_keras_stays_where_it_belongs() -> None:
    homes = {
        str(path.relative_to(PACKAGE.parent))
        for path in MODULES
        if any(name.split(".")[0] in ("keras", "tensorflow") for name in imported_modules(path))
    }
    assert homes == KERAS_HOMES


def test_import_is_light() -> None:
    code = "import sys, json, msroi; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    loaded = set(json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout))
    assert "msroi" in loaded
    assert not loaded & HEAVY


def test_only_pages_load_the_template_engine(tmp_path: Path, photo: np.ndarray) -> None:
    Image.fromarray(photo[:64, :64]).save(tmp_path / "a.png")
    code = "import sys; from msroi import cli; s = cli.main(sys.argv[1:]); print('jinja2' in sys.modules); sys.exit(s)"
    for words, loaded in (
        (["compress", "a.png", "--quiet"], False),
        (["compare", "a.png", "a.msroi.jpg", "--quiet"], False),
        (["compare", "a.png", "a.msroi.jpg", "--quiet", "--html", "page.html"], True),
    ):
        done = subprocess.run([sys.executable, "-c", code, *words], cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode, done.stdout.split()[-1]) == (0, str(loaded)), done.stderr


def test_exported_names_exist() -> None:
    assert sorted(msroi.__all__) == msroi.__all__
    for name in msroi.__all__:
        assert getattr(msroi, name) is not None
    assert set(dir(msroi)) == set(msroi.__all__)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'compres'"):
        msroi.compres  # noqa: B018
