"""CONTRIBUTING's blocks of Python: each is an addition that a test makes, as a program of one's own would."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

GUIDE = Path(__file__).parents[1] / "CONTRIBUTING.md"


def blocks() -> list[str]:
    """All of them, in their order."""
    return re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def block(word: str) -> str:
    """The one block that has this word."""
    (found,) = [code for code in blocks() if word in code]
    return found


def tables_written(code: str) -> list[str]:
    """The tables of msroi that a block writes a line into: what it touches beside its own text."""
    body = ast.parse(code).body
    return [
        ast.unparse(target.value)
        for statement in body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Subscript)
    ]


def added(word: str, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The block as the module `name` in a folder, imported anew; what it wrote into tables is the test's to undo."""
    (folder / f"{name}.py").write_text(block(word), encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module(name)
