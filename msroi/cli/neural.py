"""Neural codecs: pictures to files of their own kind (.msn), which follow the same maps, and back.

A research path beside the JPEG one: these files are decoded by msroi alone, with the very network that made them.
Needs the extra `keras`. Each verb has its own help: msroi neural encode --help
"""

from __future__ import annotations

import argparse
import importlib

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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="neural_verb", metavar="VERB", title="verbs", required=True)
    for name, line in VERBS.items():
        module = importlib.import_module(f"msroi.cli.neural_{name}")
        verb_parser = verbs.add_parser(name, help=line, description=module.__doc__, epilog=module.EXAMPLES)
        module.add_arguments(verb_parser)
        verb_parser.set_defaults(parser=verb_parser)


def run(arguments: argparse.Namespace) -> int:
    status: int = importlib.import_module(f"msroi.cli.neural_{arguments.neural_verb}").run(arguments)
    return status
