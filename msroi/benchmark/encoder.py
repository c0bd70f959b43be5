"""What an encoder of the benchmark is: one way to code pictures, on a surface that is the same for all.

What it needs beyond msroi is imported where it is used; where that is missing, the encoder is listed as absent with
what to install.
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from msroi.arrays import Pixels
from msroi.benchmark.subject import Subject
from msroi.codecs.contract import Coding
from msroi.codecs.jpeg import plain
from msroi.images import Limits, Picture
from msroi.saliency.steering import Steering
from msroi.search.knobs import Interval, Knob
from msroi.search.session import Session

# JPEG's qualities from the smallest file to the largest.
QUALITIES = plain.QUALITIES


@dataclass(frozen=True)
class Face:
    """How people are shown an encoder.

    meaning: what its name means to someone who did not start the run. colour (0 to 7, of page.css), dash and marker:
    together its own in charts; None and "" for what is free. rank: the page opens with that of ours with the highest.
    """

    meaning: str = ""
    colour: int | None = None
    dash: str = ""
    marker: str = ""
    rank: int = 0


@dataclass(frozen=True)
class Coder(Session):
    """One picture, ready to be coded: a session made of a function.

    encode_at: a setting -> a whole file without metadata; the same bytes for the same setting.
    knob: what may be tried, from the smallest file to the largest.
    estimate: about the bytes of a file, where that is known without making it.
    """

    encode_at: Callable[[Any], bytes]
    knob: Knob = plain.QualitySession.knob
    estimate: Callable[[Any], float] | None = None

    def encode(self, setting: Any) -> bytes:
        """The file at a setting."""
        return self.encode_at(setting)

    def rough_bytes(self, setting: Any) -> float:
        """About its bytes."""
        return super().rough_bytes(setting) if self.estimate is None else self.estimate(setting)


# Encoders of others whose settings are real numbers land nearer to the budget than ours do, so that nothing
# here comes from bytes left over. Ours come as `msroi compress` makes them.
_NEAR_ENOUGH, _TRIES = 0.0005, 12


def foreign_interval(name: str, low: float, high: float) -> Interval:
    """The knob of an encoder of others that takes real numbers."""
    return Interval(low, high, name, near_enough=_NEAR_ENOUGH, tries=_TRIES)


class Encoder:
    """One way to code pictures: what the table holds, a `msroi.codecs.contract.Coding` with a face.

    name: as on the command line and in the rows. suffix: of its files.
    face: on pages. module, install: what must be there to be imported, and the command that installs it.
    ours: whether msroi makes it. needs_mask: it codes by the masks that were given; follows_map: by the
        subject's own map.
    has_quality_numbers: its settings are 1 to 100 and mean quality.
    keeps_pixels: its files take long to decode, and no browser does, so pictures stand beside them.
    curve: what it follows of a map, see `msroi.saliency.curves`.
    """

    name: str
    suffix = ".jpg"
    face = Face()
    module = ""
    install = ""
    ours = False
    needs_mask = False
    follows_map = False
    has_quality_numbers = True
    keeps_pixels = False
    curve = ""

    def missing(self) -> str:
        """What is missing to run it, and what to do; "" if nothing is."""
        if self.module:
            try:
                importlib.import_module(self.module)
            except (ImportError, OSError):  # OSError: a wheel that finds no library of the system
                return f"{self.module} is not installed: {self.install}"
        return ""

    def version(self) -> str:
        """What makes the bytes, and of which version."""
        return pillow_version("jpg")

    def prepare(self) -> None:
        """Load what all pictures share; the seconds are nobody's."""

    def start(self, picture: Picture, steering: Steering | None, threads: int) -> Session:
        """Do what all settings share. A `Coder` is made of a function; any other session does as well."""
        raise NotImplementedError

    def begin(self, subject: Subject) -> Session:
        """`start` with what is known of a subject: the map that this encoder follows, if it follows one."""
        steering = None
        if self.needs_mask:
            steering = Steering.of(subject.soft_mask)
        elif self.follows_map:
            steering = subject.steering(self.curve)
        return self.start(subject.picture, steering, subject.threads)

    def decode(self, data: bytes, limits: Limits | None = None) -> Pixels:
        """Pixels of a file that it made: uint8 (height, width[, 3]). Errors: ImageError for one over the limits."""
        with Image.open(io.BytesIO(data)) as image:
            (limits or Limits()).check_size(*image.size)
            return np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))

    def facts(self, data: bytes) -> dict[str, Any]:
        """Format and size of a file that it made."""
        with Image.open(io.BytesIO(data)) as image:
            return {"format": image.format, "width": image.width, "height": image.height, "bytes": len(data)}

    def describe(self, setting: Any, data: bytes) -> str:
        """The setting of a file that it made, as words `name=value`, and its sampling."""
        return f"quality={setting:g} {sampling_of(data)}".strip()


_is_coding: type[Coding] = Encoder  # for the type checker


def pillow_version(feature: str) -> str:
    """Pillow's and that of the library behind one of its features."""
    from PIL import __version__ as pillow
    from PIL import features

    library = "libjpeg_turbo" if feature == "jpg" and features.check("libjpeg_turbo") else feature
    return f"Pillow {pillow}, {library} {features.version(library)}"


def sampling_of(data: bytes) -> str:
    """ "4:2:0" and "progressive" of a JPEG."""
    from msroi.images import jpeg_facts

    facts = jpeg_facts(data)
    return f"{facts.sampling or 'grey'} {facts.process}"
