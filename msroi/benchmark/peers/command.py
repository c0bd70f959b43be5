"""Any command line as an encoder: `NAME=cmd {input} {output} {q}`.

    pixels -> {input} -> command, at {q} -> {output} -> Pillow, or the command with {decoded} -> pixels

No shell runs: the words are split as a shell would, `&&` parts commands that run one after the other.

    {input} {input.ppm}       the picture, as PNG or as the type named
    {output} {output.jxl}     where its file goes, a JPEG or the type named
    {q} {q:63:0}              the quality: whole numbers from 1 to 100, or from the one that gives the smallest
                              file to the one that gives the largest
    {decoded} {decoded.ppm}   in a command of its own: the decoder, which reads {output}

    jxl=cjxl {input} {output.jxl} -q {q} && djxl {output.jxl} {decoded.png}
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tempfile
import weakref
from pathlib import Path
from typing import Any

from PIL import Image

from msroi.arrays import Pixels
from msroi.benchmark.encoder import QUALITIES, Encoder
from msroi.benchmark.encoders import ENCODERS
from msroi.errors import MsroiError, OptionError
from msroi.images import Limits, Picture, read
from msroi.saliency.steering import Steering
from msroi.search.knobs import Steps
from msroi.search.session import Session

# A command that takes longer is ended: nothing here may hang.
TIME_LIMIT_SECONDS = 300

# Of a failing command's words on standard error, so many of the last letters are shown.
_MESSAGE_LETTERS = 400

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)
_PLACE = re.compile(r"\{(input|output|decoded)(\.[A-Za-z0-9]{1,8})?\}|\{q(?::(\d{1,5}):(\d{1,5}))?\}", re.ASCII)
_INPUT_SUFFIXES = (".png", ".ppm", ".pgm", ".pnm", ".bmp", ".tif", ".tiff", ".jpg", ".webp")


class CommandError(MsroiError):
    """An external command failed; the message is its own."""


class CommandEncoder(Encoder):
    """An encoder that is a program. Errors: OptionError for a template that cannot be one."""

    def __init__(self, template: str) -> None:
        name, equals, text = template.partition("=")
        self.name, self._template = name.strip(), text.strip()
        if not equals or not _NAME.fullmatch(self.name) or self.name in ENCODERS:
            raise OptionError(
                f"--against {template!r:.120}: give 'NAME=command {{input}} {{output}} {{q}}', "
                "NAME of letters, digits, '.', '_' and '-' and not that of another encoder"
            )
        try:
            commands = _split(self._template)
        except ValueError as error:
            raise OptionError(f"--against {self.name}: {error}") from None
        self._encoders = [words for words in commands if not _holds(words, "decoded")]
        self._decoders = [words for words in commands if _holds(words, "decoded")]
        if not _holds([word for words in self._encoders for word in words], "input", "output"):
            raise OptionError(f"--against {self.name}: the command needs both {{input}} and {{output}}")
        self.suffix = self._suffix("output", ".jpg")
        self._input_suffix = self._suffix("input", ".png")
        if self._input_suffix not in _INPUT_SUFFIXES:
            raise OptionError(f"--against {self.name}: {{input}} can be {', '.join(_INPUT_SUFFIXES)}")
        self._settings = self._read_settings()
        self.has_quality_numbers = self._settings == list(QUALITIES)

    def missing(self) -> str:
        """The first program that is not there."""
        for words in (*self._encoders, *self._decoders):
            if shutil.which(words[0]) is None:
                return f"no program {words[0]}: install it, or give its path"
        return ""

    def version(self) -> str:
        """The template: what it runs is all that is known of it."""
        return self._template

    def start(self, picture: Picture, steering: Steering | None, threads: int) -> _Run:
        return _Run(self, picture.pixels)

    def decode(self, data: bytes, limits: Limits | None = None) -> Pixels:
        if not self._decoders:
            return read(data, name=self.name, limits=limits or Limits()).upright
        with tempfile.TemporaryDirectory(prefix="msroi-") as folder:
            places = self.places(Path(folder), None)
            Path(places["output"]).write_bytes(data)
            for words in self._decoders:
                run(words, places)
            decoded = _written(Path(places["decoded"]), self._decoders[-1])
            return read(decoded, name=self.name, limits=limits or Limits()).upright

    def facts(self, data: bytes) -> dict[str, Any]:
        """Its bytes: what else the file says, its own programs know."""
        return {"bytes": len(data)}

    def describe(self, setting: Any, data: bytes) -> str:
        return "" if setting is None else f"q={setting}"

    @property
    def settings(self) -> list[Any]:
        """All values of {q}, from the smallest file to the largest."""
        return self._settings

    def encode(self, folder: Path, setting: Any) -> bytes:
        """The file at a setting; the input lies in `folder`."""
        places = self.places(folder, setting)
        output = Path(places["output"])
        output.unlink(missing_ok=True)
        for words in self._encoders:
            run(words, places)
        return _written(output, self._encoders[-1]).read_bytes()

    def places(self, folder: Path, setting: Any) -> dict[str, str]:
        """What stands for each placeholder."""
        return {
            "input": str(folder / f"input{self._input_suffix}"),
            "output": str(folder / f"output{self.suffix}"),
            "decoded": str(folder / f"decoded{self._suffix('decoded', '.png')}"),
            "q": str(setting),
        }

    def _suffix(self, place: str, default: str) -> str:
        found = {match[2] for match in _PLACE.finditer(self._template) if match[1] == place and match[2]}
        if len(found) > 1:
            raise OptionError(f"--against {self.name}: {{{place}}} with two endings: {', '.join(sorted(found))}")
        return found.pop() if found else default

    def _read_settings(self) -> list[Any]:
        ranges = {(match[3], match[4]) for match in _PLACE.finditer(self._template) if match[1] is None}
        if not ranges:
            return [None]
        if len(ranges) > 1:
            raise OptionError(f"--against {self.name}: {{q}} with two ranges")
        first, last = ranges.pop()
        if first is None:
            return list(QUALITIES)
        low, high = int(first), int(last)
        return list(range(low, high + 1)) if low <= high else list(range(low, high - 1, -1))


class _Run(Session):
    """The session: the picture lies in a folder of its own as long as this lives."""

    def __init__(self, encoder: CommandEncoder, pixels: Pixels) -> None:
        self._encoder, self._knob = encoder, Steps("q", encoder.settings)
        self._folder = Path(tempfile.mkdtemp(prefix="msroi-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        Image.fromarray(pixels).save(encoder.places(self._folder, None)["input"])

    @property
    def knob(self) -> Steps:
        return self._knob

    def encode(self, setting: Any) -> bytes:
        return self._encoder.encode(self._folder, setting)


def run(words: list[str], places: dict[str, str]) -> None:
    """One command. Errors: CommandError with what it said on standard error."""
    command = [_PLACE.sub(lambda match: places[match[1] or "q"], word) for word in words]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIME_LIMIT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise CommandError(f"{words[0]}: took longer than {TIME_LIMIT_SECONDS} seconds") from None
    except OSError as error:
        raise CommandError(f"{words[0]}: {error.strerror or error}") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip() or done.stdout.decode(errors="replace").strip()
        ended = f"signal {-done.returncode}" if done.returncode < 0 else f"status {done.returncode}"
        raise CommandError(f"{words[0]} ended with {ended}: {said[-_MESSAGE_LETTERS:] or 'it said nothing'}")


def _split(text: str) -> list[list[str]]:
    """The commands of a template, in words."""
    commands: list[list[str]] = [[]]
    for word in shlex.split(text):
        if word == "&&":
            commands.append([])
        else:
            commands[-1].append(word)
    if not all(commands):
        raise ValueError("an empty command")
    return commands


def _holds(words: list[str], *places: str) -> bool:
    found = {match[1] for word in words for match in _PLACE.finditer(word)}
    return set(places) <= found


def _written(path: Path, words: list[str]) -> Path:
    if not path.is_file() or not path.stat().st_size:
        raise CommandError(f"{words[0]}: ended well but wrote no {path.name}")
    return path
