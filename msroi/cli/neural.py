"""Neural codecs: pictures to files of their own kind (.msn), which follow the same maps, and back.

A research path beside the JPEG one: these files are decoded by msroi alone, with the very network that made them.
Needs the extra `keras`. Each verb has its own help: msroi neural encode --help
"""

from __future__ import annotations

import argparse
import importlib
from typing import Any

from msroi.cli.arguments import VerbParser

VERBS = {
    "encode": "code pictures, the bytes where people look",
    "decode": "coded files back to pictures; also the beginning of one",
    "info": "what a coded file is",
    "evaluate": "the recurrent codec with and without the map, JPEG and HEIC: tables and curves",
}

EXAMPLES = """\
examples:
  msroi neural encode photo.png --bpp 0.5          photo.msn
  msroi neural decode photo.msn                    photo.decoded.png
  msroi neural info photo.msn
  msroi neural evaluate kodak -d out
"""


class _Verb(VerbParser):
    """The parser of one verb, whose module is imported when there is something to parse."""

    def __init__(self, *, module: str = "", **settings: Any) -> None:
        super().__init__(**settings)
        self._module = module

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self._module:
            module, self._module = importlib.import_module(self._module), ""
            self.description, self.epilog = module.__doc__, module.EXAMPLES
            module.add_arguments(self)
            self.set_defaults(parser=self)
        return super().parse_known_args(args, namespace)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="neural_verb", metavar="VERB", title="verbs", required=True, parser_class=_Verb)
    for name, line in VERBS.items():
        verbs.add_parser(name, help=line, module=f"msroi.cli.neural_{name}")


def run(arguments: argparse.Namespace) -> int:
    status: int = importlib.import_module(f"msroi.cli.neural_{arguments.neural_verb}").run(arguments)
    return status
