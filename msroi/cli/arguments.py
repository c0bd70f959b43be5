"""Pieces of the parsers that several verbs share: types, groups of options, the parser itself.

Options whose default belongs to the library are left out of the namespace unless given
(`argparse.SUPPRESS`), so every default has one home; the help texts name them and a test compares.
"""

from __future__ import annotations

import argparse
import difflib
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from msroi import options
from msroi.cli.output import escape
from msroi.errors import OptionError

if TYPE_CHECKING:
    from msroi.saliency.sources import Sources


class VerbParser(argparse.ArgumentParser):
    """A parser that answers wrong usage with one line and status 2, and takes no abbreviations."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("formatter_class", _HelpFormatter)
        settings["allow_abbrev"] = False
        super().__init__(**settings)

    def error(self, message: str) -> NoReturn:
        self.exit(2, escape(f"{self.prog}: {message}; see {self.prog} --help") + "\n")

    def refuse_unknown(self, unknown: list[str]) -> NoReturn:
        """End with status 2, naming the first unknown word and the option that it resembles."""
        word = unknown[0].split("=")[0]
        if not word.startswith("-"):
            self.error(f"unexpected argument {word}")
        known = [name for action in self._actions for name in action.option_strings]
        near = difflib.get_close_matches(word, known, n=1)
        hint = f", did you mean {near[0]}?" if near else ""
        self.error(f"unknown option {word}{hint}")


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the line breaks of description and examples; a narrow column for the options' names."""

    def __init__(self, prog: str, **settings: Any) -> None:
        super().__init__(prog, max_help_position=26, **settings)


# --- types -------------------------------------------------------------------------------------


def whole_number(lowest: int, highest: int | None = None) -> Any:
    """A type for argparse: an integer in [lowest, highest]."""
    bounds = f"from {lowest} to {highest}" if highest is not None else f"of at least {lowest}"

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = lowest - 1
        if value < lowest or (highest is not None and value > highest):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {bounds}")
        return value

    return parse


def positive_number(text: str) -> float:
    """A finite number above 0."""
    return _number(text, lambda value: value > 0, "a number above 0")


def percentage(text: str) -> float:
    """A number from 0 to 100."""
    return _number(text.removesuffix("%"), lambda value: 0 <= value <= 100, "a percentage from 0 to 100")


def _number(text: str, allowed: Any, wanted: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or not allowed(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
    return value


def n_bytes(text: str) -> int:
    """A size in bytes as `msroi.options.n_bytes` takes it: 120000, 120k, 500 KB, 1.5M, 500KiB."""
    return int(_checked(options.n_bytes, text))


def _checked(check: Callable[[str, object], Any], text: str) -> Any:
    """A check of the library as a type for argparse, which names the option itself."""
    try:
        return check("", text)
    except OptionError as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix(": ")) from None


def box(text: str) -> options.Box:
    """x,y,w,h: the left top corner and the size of a box, in pixels or percent of the upright picture."""
    found: options.Box = _checked(options.box, text)
    return found


# --- groups of options -------------------------------------------------------------------------


def add_inputs(parser: argparse.ArgumentParser, *, at_least_one: bool = True) -> None:
    parser.add_argument(
        "inputs",
        nargs="+" if at_least_one else "*",
        metavar="IN",
        help="picture files and folders (with what is in them, also further down); - is standard input",
    )


def add_map_options(parser: argparse.ArgumentParser, *, with_focus: bool = True, with_looks: bool = True) -> Any:
    """--map-kind, --map, --focus, --map-quality, --face-model. Returns the group. Kinds come from `msroi.saliency`."""
    from msroi.saliency import KINDS, QUALITIES

    group = parser.add_argument_group("map (where people look)")
    source = group.add_mutually_exclusive_group()
    source.add_argument(
        "--map-kind",
        choices=list(KINDS),
        metavar="KIND",
        default=argparse.SUPPRESS,
        help=f"which map: {', '.join(KINDS)} (default ms-roi)",
    )
    source.add_argument(
        "--map",
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="a map of your own, upright, of any size: a grey picture (white matters) or .npy, 0 to 1",
    )
    if with_focus:
        group.add_argument(
            "--focus",
            metavar="X,Y,W,H",
            type=box,
            action="append",
            default=argparse.SUPPRESS,
            help="a box that matters, in pixels of the upright picture or in percent of it (40%%,30%%,20%%,20%%); "
            "may be repeated",
        )
    if with_looks:
        group.add_argument(
            "--map-quality",
            choices=list(QUALITIES),
            default=argparse.SUPPRESS,
            help="high looks four times and closer, which takes seven times as long (default fast)",
        )
        group.add_argument(
            "--face-model",
            metavar="FILE",
            default=argparse.SUPPRESS,
            help="YuNet's ONNX file, with which OpenCV finds faces that matter as well",
        )
    return group


def add_budgets(group: Any) -> None:
    """--size and --bpp."""
    group.add_argument(
        "--size",
        metavar="BYTES",
        type=n_bytes,
        default=argparse.SUPPRESS,
        help="at most this many bytes, metadata included; 120k or 120 KB is 120,000, 1.5M is 1,500,000, "
        "500KiB is 512,000",
    )
    group.add_argument(
        "--bpp",
        metavar="X",
        type=positive_number,
        default=argparse.SUPPRESS,
        help="at most this many bits per pixel, metadata included",
    )


def add_limits(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("limits (larger inputs are refused before they are decoded)")
    group.add_argument(
        "--limit-megapixels", type=positive_number, metavar="N", default=argparse.SUPPRESS, help="default 150"
    )
    group.add_argument(
        "--limit-side",
        type=whole_number(1, 65_500),
        metavar="N",
        default=argparse.SUPPRESS,
        help="pixels, default 65500, the most a JPEG can have",
    )
    group.add_argument(
        "--limit-bytes",
        type=n_bytes,
        metavar="SIZE",
        default=argparse.SUPPRESS,
        help="size of an input file, default 256M",
    )


def add_running(parser: argparse.ArgumentParser, json_help: str, *, threads: bool | str = True) -> Any:
    """--json, --quiet, --threads, --debug. threads: a word on them, False for none. Returns the group."""
    group = parser.add_argument_group("running")
    group.add_argument("--json", action="store_true", help=json_help)
    group.add_argument("--quiet", action="store_true", help="print errors only")
    if threads:
        whose = f" {threads}" if isinstance(threads, str) else ""
        group.add_argument(
            "--threads",
            type=whole_number(1, 1024),
            metavar="N",
            default=argparse.SUPPRESS,
            help=f"threads to use{whose} (default: one a core); the result is the same on any number",
        )
    add_debug(group)
    return group


def add_debug(parser: Any) -> None:
    parser.add_argument(
        "--debug", action="store_true", default=argparse.SUPPRESS, help="show the traceback of an error"
    )


# --- from the namespace to keyword arguments ---------------------------------------------------


def given(arguments: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Those of the named options that the user gave, as keyword arguments."""
    return {name: getattr(arguments, name) for name in names if hasattr(arguments, name)}


def limits_of(arguments: argparse.Namespace) -> Any:
    """`images.Limits` with what was given."""
    from msroi.images import Limits

    names = {"limit_megapixels": "max_megapixels", "limit_side": "max_side", "limit_bytes": "max_bytes"}
    return Limits(**{field: getattr(arguments, name) for name, field in names.items() if hasattr(arguments, name)})


def map_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """`map_kind`, `map_quality`, `saliency`, `focus` and `face_model` as `msroi.compress` takes them."""
    found = given(arguments, "map_kind", "map_quality", "focus", "face_model")
    if hasattr(arguments, "map"):
        found["saliency"] = arguments.map
    if "focus" in found:
        found["focus"] = tuple(found["focus"])
    return found


def sources_of(arguments: argparse.Namespace) -> Sources:
    """What the map is made from. Errors: SaliencyError for a map of the user's own that cannot be one."""
    from msroi.saliency.sources import Sources

    return Sources.of(**map_of(arguments))
