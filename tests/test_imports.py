"""The architecture: modules import from lower ranks only, in no circle, what is declared; importing msroi is light."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
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
    "fields": 2,
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
    "settings": 5,
    "pipeline": 6,
    "comparison": 6,
    "report": 7,
    "work": 7,
    "benchmark": 8,
    "cli": 9,
}
HEAVY = {"constriction", "cv2", "keras", "matplotlib", "numpy", "onnxruntime"}
HEAVY |= {"PIL", "jinja2", "rich", "scipy", "skimage", "tensorflow"}
KERAS_HOMES = {
    "msroi/saliency/grad_cam.py",
    "msroi/saliency/keras_model.py",
    "msroi/codecs/neural/recurrent/network.py",
    "msroi/codecs/neural/vae/autoencoder.py",
    "msroi/codecs/neural/vae/layers.py",
    "msroi/codecs/neural/vae/network.py",
    "msroi/codecs/neural/vae/published.py",
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


INNER_RANKS = {
    "codecs": {"contract": 0, "jpeg": 1, "neural": 1},
    "codecs/neural": {
        "container": 0,
        "attached": 1,
        "facts": 2,
        "weights": 2,
        "contract": 3,
        "registry": 4,
        "coding": 5,
    },
    "pipeline": {"request": 0, "result": 0, "job": 1, "equal_quality": 1, "original": 2, "encoding": 3},
    "work": {"memory": 0, "threads": 0, "processes": 0, "inputs": 0, "outputs": 1, "standing": 1},
}
"""Of a part's modules and folders, where an order among them means something. Its `__init__` stands above them."""

CODECS_OF_THEIR_OWN = {"codecs/neural": ("recurrent", "vae", "deepsic")}
"""Folders of a part that no module but their own imports by name, nor they each other: the registry finds them."""


@pytest.mark.parametrize("room", INNER_RANKS)
def test_imports_go_down_the_ranks_inside_a_part(room: str) -> None:
    ranks, place = INNER_RANKS[room], PACKAGE / room
    above = ("msroi", *room.split("/"))
    apart = CODECS_OF_THEIR_OWN.get(room, ())
    for path in sorted(place.rglob("*.py")):
        own = path.relative_to(place).parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        assert own in ranks or own in apart, f"{room}/{own} has no rank: add it here"
        for name in imported_modules(path):
            pieces = tuple(name.split("."))
            if len(pieces) == len(above) or pieces[: len(above)] != above or pieces[len(above)] == own:
                continue
            other = pieces[len(above)]
            assert other not in apart, f"{path} imports {name}"
            if own in ranks and other in ranks:
                assert ranks[other] < ranks[own], f"{room}/{own} (rank {ranks[own]}) imports {name}"


def module_name(path: Path) -> str:
    parts = ("msroi", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_no_modules_import_each_other() -> None:
    """In no circle, however long, at any depth of the code, for type checkers included."""
    compiled = {module_name(path) for path in PACKAGE.rglob("*.pyi")}
    known = {module_name(path) for path in MODULES} | compiled
    graph = {module_name(path): direct_imports(path, known) - {module_name(path)} for path in MODULES}
    graph |= {name: set() for name in compiled}
    while ends := {name for name, others in graph.items() if not others}:
        graph = {name: others - ends for name, others in graph.items() if name not in ends}
    assert not graph, "in circles, or above one: " + "; ".join(f"{name} -> {sorted(graph[name])}" for name in graph)


def direct_imports(path: Path, known: set[str]) -> set[str]:
    """Those modules of ours that a file imports: of `from a import b`, a.b if that is a module, else a."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in known else node.module for name in names}
    return found & known


DISTRIBUTIONS = {"PIL": "pillow", "cv2": "opencv-python-headless", "skimage": "scikit-image"}
"""Where the name of what is imported is not that of what is installed."""


def foreign_imports(path: Path) -> set[str]:
    """Top names of what a file imports from elsewhere, by statement or by `import_module`."""
    found = {name.split(".")[0] for name in imported_modules(path)}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "importlib.import_module":
            word = node.args[0].values[0] if isinstance(node.args[0], ast.JoinedStr) else node.args[0]
            if isinstance(word, ast.Constant):
                found.add(word.value.split(".")[0])
    return {name for name in found if name not in sys.stdlib_module_names and name != "msroi"}


def test_what_is_imported_is_declared() -> None:
    """As a dependency or in an extra: what comes along with another package may stay away one day."""
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    declared = {re.split(r"[^\w-]", line)[0].lower().replace("_", "-") for line in lines}
    imported = {name for path in MODULES for name in foreign_imports(path)}
    assert {"numpy", "scipy", "keras"} <= imported
    assert {DISTRIBUTIONS.get(name, name).lower().replace("_", "-") for name in imported} <= declared


TRAIN = PACKAGE.parent / "train"
ROOMS = {"data": 0, "common": 0, "saliency": 1, "recurrent": 1, "vae": 1, "encoder": 1, "studies": 2}


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


LIGHT = {"msroi", "msroi.errors", "msroi.version"}


def test_import_is_light() -> None:
    """What it loads decides how long it takes: three modules of ours, and nothing that is not Python's own."""
    code = "import sys; before = set(sys.modules); import msroi; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {name for name in loaded if name.split(".")[0] == "msroi"} == LIGHT
    assert not {name.split(".")[0] for name in loaded} - {"msroi"} - sys.stdlib_module_names


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_the_command_alone_loads_nothing_heavy(word: str) -> None:
    code = "import sys; from msroi.cli import main\ntry: main(sys.argv[1:])\nfinally: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, word], capture_output=True, text=True)
    loaded = {name.split(".")[0] for name in done.stdout.split("\n")[-2].split()}
    assert "msroi" in loaded and not loaded & HEAVY


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


def test_types_of_arrays_are_said_once() -> None:
    """What `Pixels`, `Saliency` and `Floats` are stands in msroi/arrays.py."""
    names = {"Pixels", "Saliency", "Floats"}
    homes = [
        str(path)
        for path in [*MODULES, *TRAIN.rglob("*.py")]
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign)
        and {target.id for target in node.targets if isinstance(target, ast.Name)} & names
    ]
    assert set(homes) == {str(PACKAGE / "arrays.py")}
