"""What ships with the package is replaced on purpose or not at all.

    a program of train/ -> --output DIR          a folder that is not the package's
                        -> --replace-shipped     made aside, both model cards' figures shown; by an answer moved in

A network of six steps in the place of the one that ships makes noise of every later map, and nothing says so.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msroi.errors import OptionError

Card = Mapping[str, Any]


@dataclass(frozen=True)
class Figure:
    """One figure of a model card: what it is called, how to take it, None where there is none; which way is better."""

    name: str
    take: Callable[[Card], float | None]
    higher_is_better: bool = True

    def of(self, card: Card) -> float | None:
        """The figure of a card; None where the card has none, or none that is a number."""
        try:
            value = self.take(card)
        except (KeyError, IndexError, TypeError):
            return None
        return value if isinstance(value, (int, float)) and math.isfinite(value) else None

    def worse(self, made: Card, shipped: Card) -> bool:
        """Whether `made` is behind `shipped`, or has no figure where that one has."""
        new, old = self.of(made), self.of(shipped)
        if old is None:
            return False
        return new is None or (new < old if self.higher_is_better else new > old)


def add_place(parser: argparse.ArgumentParser, shipped: Path) -> None:
    """The options that say where the result goes; `checked` looks at them, `place` carries them out."""
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--output", type=Path, metavar="DIR", help="folder for the files")
    where.add_argument(
        "--replace-shipped",
        action="store_true",
        help="put them in the place of those that ship with the package, after a look at both cards' figures",
    )
    parser.add_argument("--yes", action="store_true", help="answer the question of --replace-shipped: take the new one")
    parser.add_argument("--even-if-worse", action="store_true", help="also where a figure is behind the shipped one's")
    parser.set_defaults(shipped=shipped)


def check(options: argparse.Namespace) -> None:
    """Before anything is computed. Errors: OptionError where nobody could answer, or DIR is the package's own."""
    if options.replace_shipped:
        if not (options.yes or sys.stdin.isatty()):
            raise OptionError("--replace-shipped asks a question and this is no terminal; answer it with --yes")
    elif options.output.resolve() == options.shipped.resolve():
        raise OptionError(f"--output {options.output}: holds what ships; another folder, or --replace-shipped")


@contextmanager
def place(options: argparse.Namespace, name: str, figures: Sequence[Figure]) -> Iterator[Path]:
    """The folder to write NAME.json and the files of that name into; leaving it puts them where they belong.

    Errors: OptionError where what ships stays, because it is better or the answer was no; nothing is kept then.
    """
    check(options)
    if not options.replace_shipped:
        options.output.mkdir(parents=True, exist_ok=True)
        yield options.output
        return
    with tempfile.TemporaryDirectory(prefix="msroi-") as folder:
        made = Path(folder)
        yield made
        _agree(options, _card(made / f"{name}.json"), _card(options.shipped / f"{name}.json"), figures)
        for path in sorted(made.glob(f"{name}.*")):
            _move(path, options.shipped / path.name)


def comparison(made: Card, shipped: Card, figures: Sequence[Figure]) -> list[str]:
    """Both cards' figures as a table's lines, what is worse marked."""
    lines = [f"{'':<34}{'shipped':>12}{'new':>12}"]
    for figure in figures:
        old, new = (figure.of(card) for card in (shipped, made))
        if old is not None or new is not None:
            mark = "  worse" if figure.worse(made, shipped) else ""
            lines.append(f"{figure.name:<34}{_text(old):>12}{_text(new):>12}{mark}")
    return lines


def _agree(options: argparse.Namespace, made: Card, shipped: Card, figures: Sequence[Figure]) -> None:
    for line in comparison(made, shipped, figures):
        print(line)
    behind = [figure.name for figure in figures if figure.worse(made, shipped)]
    if behind and not options.even_if_worse:
        raise OptionError(f"behind in {', '.join(behind)}; what ships stays (--even-if-worse replaces it all the same)")
    if options.yes:
        return
    answer = input("Replace what ships? Type 'new' to take the new one: ")
    if answer.strip().lower() != "new":
        raise OptionError("not replaced; what ships stays")


def _card(path: Path) -> Card:
    """A model card; empty where nothing of that name ships yet."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def _move(source: Path, target: Path) -> None:
    """As a whole or not at all: beside the target first, then in its place."""
    beside = target.with_name(f".{target.name}.new")
    shutil.copyfile(source, beside)
    beside.replace(target)


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
