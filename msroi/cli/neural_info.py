"""What a neural codec's file is: codec, size, network, sections, and what its codec knows. Needs no Keras."""

from __future__ import annotations

import argparse
from typing import Any

from msroi.cli.arguments import add_limits, add_running, limits_of
from msroi.cli.each import run_each
from msroi.cli.neural_options import SUFFIX, add_weights
from msroi.cli.output import Screen
from msroi.errors import about
from msroi.work.inputs import Input, expand

EXAMPLES = """\
examples:
  msroi neural info photo.msn
  msroi neural info coded --json                   an object a line for each file in a folder
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "inputs", nargs="+", metavar="FILE", help=f"coded files, and folders with {SUFFIX} in them; - is standard input"
    )
    add_weights(parser)
    add_limits(parser)
    add_running(parser, "one JSON object a line", threads=False)


def run(arguments: argparse.Namespace) -> int:
    screen = Screen(arguments)
    inputs, problems = expand(arguments.inputs, suffixes=frozenset({SUFFIX}))
    limits = limits_of(arguments)

    def tell(item: Input) -> None:
        from msroi.codecs.neural import file_facts

        with about(item.name):
            facts = file_facts(item.read(limits.max_bytes), arguments.weights, limits)
        others = {name: value for name, value in facts.items() if name != "n_bytes"}
        screen.record({"input": item.name, "input_bytes": facts["n_bytes"], **others})
        for line in (item.name, *_lines(facts)):
            screen.line(line)

    return run_each(inputs, problems, tell, screen)


def _lines(facts: dict[str, Any]) -> list[str]:
    from msroi.codecs.neural.registry import CODECS, find

    known = {True: "ours", False: "another than ours; give its file with --weights", None: "no network to compare with"}
    n_there = len(facts["sections"])
    whole = "" if facts["whole"] else f", {n_there} of {facts['n_sections']} sections: not whole"
    lines = [
        f"codec     {facts['codec']}",
        f"size      {facts['width']} x {facts['height']} pixels, {'grey' if facts['grey'] else 'colour'}",
        f"bytes     {facts['n_bytes']:,}, {facts['bits_per_pixel']:.4f} bits per pixel{whole}",
        f"network   {facts['network']}, {known[facts['network_is_ours']]}",
    ]
    lines += [f"section   {place:>3}  {one['name']:<11}  {one['n_bytes']:>9,}" for place, one in _numbered(facts)]
    return lines + (find(facts["codec"]).lines(facts) if facts["codec"] in CODECS else [])


def _numbered(facts: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    return list(enumerate(facts["sections"], 1))
