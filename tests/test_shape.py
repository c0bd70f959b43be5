"""The shape of the code: modules that can be read at a sitting, functions that fit a screen. The kernels' headers are
in test_building.py."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from test_imports import PACKAGE, RANKS, ROOMS

ROOT = PACKAGE.parent
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 400, 60
MODULES = sorted(path for folder in ("msroi", "train", "building") for path in (ROOT / folder).rglob("*.py"))
REASON = re.compile(r"^\s*Long: \S.{20,}", re.MULTILINE)
"""In the docstring of a function that is longer than a screen: a line that says why."""


def long_functions(text: str) -> list[str]:
    """Functions of a module with more lines than a screen, decorators and docstring included, and no reason."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            n_lines = (node.end_lineno or first) - first + 1
            if n_lines > MOST_LINES_OF_A_FUNCTION and not REASON.search(ast.get_docstring(node) or ""):
                found.append(f"{node.name} ({n_lines} lines)")
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_are_short_and_functions_fit_a_screen(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES, f"{path}: split it"
    assert not long_functions(text), f"{path}: split it, or say why in its docstring, in a line that begins `Long: `"


def test_a_long_function_needs_a_reason() -> None:
    body = "\n".join(f"    x = {i}" for i in range(59))
    assert long_functions(f"def f():\n    x = 0\n{body}\n") == ["f (61 lines)"]
    assert long_functions(f"@d\ndef f():\n{body}\n") == ["f (61 lines)"]
    assert not long_functions(f"def f():\n{body}\n")
    assert long_functions(f'def f():\n    """One. Long: no."""\n    x = 0\n{body}\n')
    assert not long_functions(
        f'def f():\n    """One.\n\n    Long: the table of a standard, in its order.\n    """\n{body}\n'
    )


def test_the_guide_has_every_part_by_its_rank() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found = {}
    for rank, parts in re.findall(r"^\| (\d+) \| ([^|]+) \|", guide, re.MULTILINE):
        found |= {part: int(rank) for part in re.findall(r"`(\w+)/?`", parts)}
    assert found == RANKS
    for part in RANKS:
        assert (PACKAGE / part).is_dir() == (f"`{part}/`" in guide), part
    for room in ROOMS:
        assert f"`{room}`" in guide, f"train/{room} is not in CONTRIBUTING"


def test_texts_name_what_is_there() -> None:
    """Every path in backquotes that has a folder: in CONTRIBUTING all, elsewhere those that begin with a room."""
    homes = (ROOT, PACKAGE, PACKAGE / "codecs", PACKAGE / "codecs" / "jpeg", PACKAGE / "benchmark")
    rooms = ("msroi/", "train/", "tests/", "docs/", "examples/", "building/")
    for path in (ROOT / "CONTRIBUTING.md", ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
        named = {name for name in re.findall(r"`([\w./-]+)`", text) if "/" in name and "TARGET" not in name}
        if path.name == "CONTRIBUTING.md":
            assert len(named) > 25
        else:
            named = {name for name in named if name.startswith(rooms)}
        missing = {name for name in named if not any((home / name).exists() for home in homes)}
        assert not missing, path.name
