"""Pieces of the parsers that several verbs share: types, groups of options, the parser itself.

Options whose default belongs to the library are left out of the namespace unless given
(`argparse.SUPPRESS`), so every default has one home; the help texts name them and a test compares.
"""

from __future__ import annotations

import argparse
import difflib
import math
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from msroi import options
from msroi.cli.output import escape
from msroi.cli.spelling import spelled, spelling
from msroi.errors import OptionError
from msroi.fields import Anything, Boxes, Choice, Flag, Real, Size, Whole

if TYPE_CHECKING:
    from msroi.saliency.sources import Sources
    from msroi.settings import Option


class VerbParser(argparse.ArgumentParser):
    """A parser that answers wrong usage with one line and status 2, and takes no abbreviations."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("formatter_class", _HelpFormatter)
        settings["allow_abbrev"] = False
        super().__init__(**settings)

    def error(self, message: str) -> NoReturn:
        self.exit(2, escape(f"{self.prog}: {spelled(message)}; see {self.prog} --help") + "\n")

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


def real_number(domain: Real) -> Callable[[str], float]:
    """A type for argparse: a number of the domain, its unit behind it or not."""
    low = f"above {domain.low:g}" if domain.above else f"from {domain.low:g}"
    wanted = f"a {'percentage' if domain.unit == '%' else 'number'} {low} {'up ' * domain.above}to {domain.high:g}"

    def is_allowed(value: float) -> bool:
        return (domain.low < value if domain.above else domain.low <= value) and value <= domain.high

    return lambda text: _number(text.removesuffix(domain.unit), is_allowed, wanted)


def _number(text: str, allowed: Callable[[float], bool], wanted: str) -> float:
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


# Headings of the groups of options, as settings call them.
HEADINGS = {
    "targets": "targets",
    "map": "map (where people look)",
    "encoder": "encoder",
    "metadata": "metadata and colour (kept as they are by default)",
    "output": "output",
}

# Of each of these, one may be given.
_EXCLUSIVE = (("quality", "size", "bpp"), ("map_kind", "saliency"))


def add_settings(parser: argparse.ArgumentParser, *names: str, only: Collection[str] = ()) -> dict[str, Any]:
    """Options of the library, as `msroi.settings` declares them, under their headings. Returns the groups by name.

    names: of groups, in the order of the help page. only: of options, to leave out the others; all by default.
    """
    groups = {name: parser.add_argument_group(HEADINGS[name]) for name in names}
    add_options(groups, only)
    return groups


def add_options(groups: Mapping[str, Any], only: Collection[str] = ()) -> None:
    """Options of the library, into groups or parsers by the names of their groups; `only` as in `add_settings`."""
    from msroi.settings import options as all_options

    exclusive: dict[tuple[str, ...], Any] = {}
    for name, option in all_options().items():
        group = groups.get(option.declared.group)
        if group is None or (only and name not in only):
            continue
        several = next((names for names in _EXCLUSIVE if name in names), None)
        if several is not None:
            if several not in exclusive:
                exclusive[several] = group.add_mutually_exclusive_group()
            group = exclusive[several]
        _add_option(group, name, option)


def _add_option(group: Any, name: str, option: Option) -> None:
    domain = option.declared.domain
    words: dict[str, Any] = {"default": argparse.SUPPRESS, "dest": name, "help": _help(option)}
    if isinstance(domain, Flag):
        words["action"] = "store_false" if option.default else "store_true"
    else:
        words |= _TYPES[type(domain)](domain)
        if option.declared.metavar:
            words["metavar"] = option.declared.metavar
    group.add_argument(spelling(name, option), **words)


def _help(option: Option) -> str:
    """The line of help, with the words of a choice that a metavar hides, and the default where there is one to tell."""
    one = option.declared
    hidden = f": {', '.join(one.domain.allowed)}" if isinstance(one.domain, Choice) and one.metavar else ""
    default = one.by_default or ("" if option.default in (None, (), "default") else str(option.default))
    told = f"default {default}" if default and not isinstance(one.domain, Flag) else ""
    line = f"{one.help}{hidden}" + (f" ({told})" if told else "") if one.help else told
    return spelled(line).replace("%", "%%")


# What argparse is told of each domain.
_TYPES: dict[Any, Callable[[Any], dict[str, Any]]] = {
    Whole: lambda domain: {"type": whole_number(domain.low, domain.high)},
    Real: lambda domain: {"type": real_number(domain)},
    Choice: lambda domain: {"choices": list(domain.allowed)},
    Size: lambda domain: {"type": n_bytes},
    Boxes: lambda domain: {"type": box, "action": "append"},
    Anything: lambda domain: {},
}

MAP_OPTIONS = ("map_kind", "saliency", "focus", "map_quality", "face_model")


def add_map_options(parser: argparse.ArgumentParser, only: Collection[str] = MAP_OPTIONS) -> Any:
    """--map-kind, --map, --focus, --map-quality, --face-model, or some of them. Returns the group."""
    return add_settings(parser, "map", only=only)["map"]


def add_budgets(group: Any) -> None:
    """--size and --bpp, into a group of which one may be given."""
    from msroi.settings import options as all_options

    for name in ("size", "bpp"):
        _add_option(group, name, all_options()[name])


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


def fields_of(arguments: argparse.Namespace, *names: str) -> dict[str, Any]:
    """The options of the library that the user gave, as `msroi.compress` takes them; of `names`, if there are any."""
    from msroi.settings import options as all_options

    return given(arguments, *(names or all_options()))


def sources_of(arguments: argparse.Namespace) -> Sources:
    """What the map is made from. Errors: SaliencyError for a map of the user's own that cannot be one."""
    from msroi.saliency.sources import Sources

    return Sources.of(**fields_of(arguments, *MAP_OPTIONS))
