"""An option, declared once: its default, what it may be, and a line of help.

A dataclass whose fields are made by `declared` is checked at construction, when it derives from `Checked`. Command
line, keyword arguments, JSON and help texts are made from the same declarations: an option is one field.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msroi import options
from msroi.errors import OptionError


@dataclass(frozen=True)
class Whole:
    """A whole number from `low` to `high`."""

    low: int
    high: int | None = None

    def checked(self, name: str, value: object) -> int:
        """The value in its plain type. Errors: OptionError."""
        return options.whole_number(name, value, self.low, self.high)


@dataclass(frozen=True)
class Real:
    """A number from `low` to `high`, or above `low`. unit: what may stand behind it where it is text."""

    low: float
    high: float
    above: bool = False
    unit: str = ""

    def checked(self, name: str, value: object) -> float:
        """The value in its plain type. Errors: OptionError."""
        return options.real_number(name, value, self.low, self.high, above=self.above)


@dataclass(frozen=True)
class Choice:
    """One of some words. words: these, or what tells them, where a table may grow."""

    words: Sequence[str] | Callable[[], Sequence[str]]

    @property
    def allowed(self) -> tuple[str, ...]:
        """The words."""
        return tuple(self.words() if callable(self.words) else self.words)

    def checked(self, name: str, value: object) -> str:
        """The value, if it is one of them. Errors: OptionError."""
        return options.one_of(name, value, self.allowed)


@dataclass(frozen=True)
class Flag:
    """True or False."""

    def checked(self, name: str, value: object) -> bool:
        """The value, if it is one of the two. Errors: OptionError."""
        return options.flag(name, value)


@dataclass(frozen=True)
class Size:
    """A number of bytes, also as text: "500 KB"."""

    def checked(self, name: str, value: object) -> int:
        """The bytes. Errors: OptionError."""
        return options.n_bytes(name, value)


@dataclass(frozen=True)
class Boxes:
    """One box or several, in pixels or in percent of the upright picture."""

    def checked(self, name: str, value: object) -> tuple[options.Box, ...]:
        """All of them. Errors: OptionError."""
        return tuple(options.boxes(name, value))


@dataclass(frozen=True)
class Anything:
    """What another part checks. check: of the name and the value, the value as it is kept."""

    check: Callable[[str, Any], Any] = lambda name, value: value

    def checked(self, name: str, value: object) -> Any:
        """The value as it is kept. Errors: those of the check."""
        return self.check(name, value)


Domain = Whole | Real | Choice | Flag | Size | Boxes | Anything


@dataclass(frozen=True)
class Declared:
    """What is known of an option beside its name and default.

    domain: what it may be. help: a line for users. group: the heading that it stands under. metavar: what stands for
    its value in help texts. spelling: on the command line, where that is not the name. by_default: what
    happens by default, in words, where the default does not say it.
    """

    domain: Domain
    help: str
    group: str = ""
    metavar: str = ""
    spelling: str = ""
    by_default: str = ""


def declared(default: Any, domain: Domain, help: str, **rest: str) -> Any:
    """A dataclass field with its declaration; `rest` as the fields of `Declared`. A default of None allows None."""
    return dataclasses.field(default=default, metadata={"declared": Declared(domain, help, **rest)})


def declarations(owner: Any) -> Mapping[str, Declared]:
    """Name -> declaration of the fields of a dataclass, or of one of its values, that have one."""
    fields = dataclasses.fields(owner)
    return {field.name: field.metadata["declared"] for field in fields if "declared" in field.metadata}


def defaults(owner: Any) -> Mapping[str, Any]:
    """Name -> default of the declared fields."""
    fields = dataclasses.fields(owner)
    return {field.name: field.default for field in fields if "declared" in field.metadata}


class Checked:
    """A frozen dataclass whose declared fields are checked at construction, each on its own."""

    def __post_init__(self) -> None:
        """Errors: OptionError, which names the option, what it got and what is allowed."""
        own: Any = self
        standard = defaults(own)
        for name, one in declarations(own).items():
            value = getattr(self, name)
            if value is None and standard[name] is None:
                continue
            object.__setattr__(self, name, one.domain.checked(name, value))


def refuse_unknown(given: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Errors: OptionError for the first name that no option has."""
    for name in given:
        if name not in known:
            raise OptionError(f"{name}: no such option; known: {', '.join(known)}")
