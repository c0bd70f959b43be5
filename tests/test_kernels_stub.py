"""_kernels.pyi against the compiled module: what type checkers and readers see is what there is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np
import pytest

from msroi.codecs.jpeg import _kernels

STUB = ast.parse(Path(_kernels.__file__).with_name("_kernels.pyi").read_text(encoding="utf-8"))
DECLARED = {node.name: node for node in STUB.body if isinstance(node, ast.FunctionDef)}
ALIASES = {
    target.id: ast.unparse(node.value)
    for node in STUB.body
    if isinstance(node, ast.Assign)
    for target in node.targets
    if isinstance(target, ast.Name)
}
COMPILED = [name for name in dir(_kernels) if not name.startswith("_")]


def compiled(name: str) -> ast.FunctionDef:
    """The signature that pybind11 wrote as the first line of the function's docstring."""
    signature = getattr(_kernels, name).__doc__.splitlines()[0]
    (function,) = ast.parse(f"def {signature}: ...").body
    assert isinstance(function, ast.FunctionDef)
    return function


def numbers(annotation: ast.expr | None) -> list[str]:
    """NumPy's types in an annotation, in their order."""
    assert annotation is not None
    text = re.sub(r"\b\w+\b", lambda word: ALIASES.get(word.group(), word.group()), ast.unparse(annotation))
    return re.findall(r"\b(?:np|numpy)\.(u?int\d+|float\d+)\b", text)


def test_every_function_is_declared_and_described() -> None:
    assert sorted(DECLARED) == COMPILED
    assert all(ast.get_docstring(function) for function in DECLARED.values())


@pytest.mark.parametrize("name", COMPILED)
def test_arguments_are_declared_as_compiled(name: str) -> None:
    ours, theirs = DECLARED[name], compiled(name)
    own, other = ours.args, theirs.args
    assert [argument.arg for argument in own.args] == [argument.arg for argument in other.args]
    assert [ast.unparse(value) for value in own.defaults] == [ast.unparse(value) for value in other.defaults]
    for declared, there in zip(own.args, other.args, strict=True):
        assert numbers(declared.annotation) == numbers(there.annotation), declared.arg
    assert numbers(ours.returns) == numbers(theirs.returns)


def file_of(levels: np.ndarray, table: np.ndarray) -> bytes:
    return _kernels.write_jpeg([levels], [table], [(1, 1)], 8, 8 * levels.shape[1], False)


def joined(dc: np.ndarray, table: np.ndarray, scan: object = b"") -> bytes:
    return _kernels.join_scans([dc], [[scan]], [table], [(1, 1)], 8, 8)  # type: ignore[list-item]


def test_arrays_in_lists_are_taken_as_strictly_as_others() -> None:
    levels, table = np.zeros((1, 2, 64), np.int16), np.ones(64, np.uint16)
    dc = np.zeros((1, 1), np.int16)
    assert file_of(levels, table).startswith(b"\xff\xd8")
    assert joined(dc, table).startswith(b"\xff\xd8")
    for wrong in (levels.astype(np.uint8), levels.astype(np.int32), np.zeros((1, 4, 64), np.int16)[:, ::2]):
        with pytest.raises(TypeError):
            file_of(wrong, table)
    for wrong in (table.astype(np.uint8), np.ones(128, np.uint16)[::2]):
        with pytest.raises(TypeError):
            file_of(levels, wrong)
        with pytest.raises(TypeError):
            joined(dc, wrong)
    with pytest.raises(TypeError):
        joined(dc.astype(np.int8), table)
    with pytest.raises(TypeError):
        joined(dc, table, "text")
