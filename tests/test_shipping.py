"""What ships is replaced by a flag, after both cards' figures, by an answer, and by something better."""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from msroi.errors import OptionError
from train.common import shipping

FIGURES = (
    shipping.Figure("top-1", lambda card: card["accuracy"]["top1"]),
    shipping.Figure("error", lambda card: card["error"], higher_is_better=False),
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    write(folder, 0.75, 8.0)
    return folder


def write(folder: Path, top1: float, error: float) -> None:
    card: dict[str, Any] = {"accuracy": {"top1": top1}, "error": error}
    (folder / "net.json").write_text(json.dumps(card))
    (folder / "net.onnx").write_bytes(f"{top1} {error}".encode())


def run(shipped: Path, words: list[str], top1: float = 0.8, error: float = 7.0) -> Path:
    """A program that writes a network with these figures. Returns the folder it wrote to."""
    parser = argparse.ArgumentParser()
    shipping.add_place(parser, shipped)
    with shipping.place(parser.parse_args(words), "net", FIGURES) as folder:
        write(folder, top1, error)
    return folder


def test_a_place_must_be_named(shipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(shipped, [])
    assert "one of the arguments --output --replace-shipped is required" in capsys.readouterr().err


def test_a_folder_gets_the_files_and_the_package_stays(shipped: Path, tmp_path: Path) -> None:
    assert run(shipped, ["--output", str(tmp_path / "out")]) == tmp_path / "out"
    assert (tmp_path / "out" / "net.onnx").read_bytes() == b"0.8 7.0"
    assert (shipped / "net.onnx").read_bytes() == b"0.75 8.0"


def test_the_package_is_no_folder_like_others(shipped: Path) -> None:
    with pytest.raises(OptionError, match="holds what ships; another folder, or --replace-shipped"):
        run(shipped, ["--output", str(shipped / ".." / shipped.name)])


def test_without_a_terminal_only_an_explicit_answer_replaces(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("new\n"))
    with pytest.raises(OptionError, match="answer it with --yes"):
        run(shipped, ["--replace-shipped"])
    assert (shipped / "net.onnx").read_bytes() == b"0.75 8.0"
    run(shipped, ["--replace-shipped", "--yes"])
    assert (shipped / "net.onnx").read_bytes() == b"0.8 7.0"
    assert sorted(path.name for path in shipped.iterdir()) == ["net.json", "net.onnx"]


@pytest.mark.parametrize(("answer", "replaced"), [("new\n", True), ("\n", False), ("yes\n", False)])
def test_both_cards_figures_are_shown_before_the_question(
    shipped: Path, answer: str, replaced: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    if replaced:
        run(shipped, ["--replace-shipped"])
    else:
        with pytest.raises(OptionError, match="not replaced"):
            run(shipped, ["--replace-shipped"])
    assert ((shipped / "net.onnx").read_bytes() == b"0.8 7.0") == replaced
    out = capsys.readouterr().out
    assert re.search(r"top-1 +0\.75 +0\.8\n", out) and re.search(r"error +8 +7\n", out)


@pytest.mark.parametrize(("top1", "error", "said"), [(0.7, 7, "top-1"), (0.8, 9, "error"), (float("nan"), 7, "top-1")])
def test_a_worse_one_needs_to_be_called_so(
    shipped: Path, top1: float, error: float, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(OptionError, match=f"behind in {said}; what ships stays"):
        run(shipped, ["--replace-shipped", "--yes"], top1, error)
    assert (shipped / "net.onnx").read_bytes() == b"0.75 8.0"
    assert "worse" in capsys.readouterr().out
    run(shipped, ["--replace-shipped", "--yes", "--even-if-worse"], top1, error)
    assert (shipped / "net.onnx").read_bytes() != b"0.75 8.0"
