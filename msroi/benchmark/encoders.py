"""Every encoder that the benchmark knows, on one surface; `ENCODERS` is the table.

To add one, write a class with `start` and add its line to the table: search, scores, report and command line
know nothing else of it. What it needs beyond msroi is imported where it is used; where that is missing, the
encoder is listed as absent with what to install.
"""

from __future__ import annotations

import functools
import importlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from msroi.benchmark.subject import Floats, Subject
from msroi.codecs.jpeg import make_codec, plain
from msroi.errors import MissingExtraError, SaliencyError
from msroi.search.knobs import Interval, Knob, Steps
from msroi.search.session import Session
from msroi.version import __version__

Pixels = npt.NDArray[np.uint8]

# JPEG's qualities from the smallest file to the largest.
QUALITIES = plain.QUALITIES


@dataclass(frozen=True)
class Coder(Session):
    """One picture, ready to be coded: a session made of a function.

    encode_at: a setting -> a whole file without metadata; the same bytes for the same setting.
    knob: what may be tried, from the smallest file to the largest.
    estimate: about the bytes of a file, where that is known without making it.
    """

    encode_at: Callable[[Any], bytes]
    knob: Knob = plain.QualityEncoder.knob
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
# A neural codec takes seconds a file.
_SLOW_NEAR_ENOUGH, _SLOW_TRIES = 0.006, 4


def foreign_interval(name: str, low: float, high: float) -> Interval:
    """The knob of an encoder of others that takes real numbers."""
    return Interval(low, high, name, near_enough=_NEAR_ENOUGH, tries=_TRIES)


class Encoder:
    """One way to code pictures: what the table holds.

    name: as on the command line and in the rows. suffix: of its files.
    module, install: what must be there to be imported, and the command that installs it.
    ours: whether msroi makes it. needs_mask: it codes by the masks that were given; follows_map: by the
        subject's own map.
    has_quality_numbers: its settings are 1 to 100 and mean quality. has_levels: its settings are the mean levels of
        a neural codec. keeps_pixels: its files take long to decode, and no browser does, so pictures stand beside them.
    """

    name: str
    suffix = ".jpg"
    module = ""
    install = ""
    ours = False
    needs_mask = False
    follows_map = False
    has_quality_numbers = True
    has_levels = False
    keeps_pixels = False

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
        return _pillow_version("jpg")

    def prepare(self) -> None:
        """Load what all pictures share; the seconds are nobody's."""

    def start(self, subject: Subject) -> Session:
        """Do what all settings share. A `Coder` is made of a function; any other session does as well."""
        raise NotImplementedError

    def decode(self, data: bytes) -> Pixels:
        """Pixels of a file that it made: uint8 (height, width[, 3])."""
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))

    def describe(self, setting: Any, data: bytes) -> str:
        """The setting of a file that it made, as words `name=value`, and its sampling."""
        return f"quality={setting:g} {_sampling(data)}".strip()


class PillowEncoder(Encoder):
    """A format that Pillow writes, at qualities."""

    def __init__(
        self,
        name: str,
        kind: str,
        suffix: str,
        options: Mapping[str, Any],
        *,
        feature: str = "jpg",
        settings: Sequence[float] = QUALITIES,
        sampling: str = "",
    ) -> None:
        self.name, self.suffix = name, suffix
        self._kind, self._options, self._feature = kind, options, feature
        self._settings, self._sampling = settings, sampling

    def missing(self) -> str:
        from PIL import features

        return "" if features.check(self._feature) else f"this Pillow has no {self._kind}: pip install -U pillow"

    def version(self) -> str:
        return _pillow_version(self._feature)

    def start(self, subject: Subject) -> Coder:
        return Coder(functools.partial(self._encode, subject.pixels), Steps("quality", self._settings))

    def _encode(self, pixels: Pixels, setting: float) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, self._kind, quality=setting, **self._options)
        return buffer.getvalue()

    def describe(self, setting: Any, data: bytes) -> str:
        return f"quality={setting:g} {self._sampling or _sampling(data)}".strip()


class Jpeg2000(Encoder):
    """JPEG 2000 by OpenJPEG: irreversible wavelet, told how many bytes it may take."""

    name = "jpeg2000"
    suffix = ".jp2"
    has_quality_numbers = False

    def missing(self) -> str:
        from PIL import features

        return "" if features.check("jpg_2000") else "this Pillow has no JPEG 2000: pip install -U pillow"

    def version(self) -> str:
        return _pillow_version("jpg_2000")

    def start(self, subject: Subject) -> Coder:
        """The knob is minus log2 of the rate of compression, which OpenJPEG meets within some per cent."""
        pixels = subject.pixels
        knob = foreign_interval("minus-log2-rate", -11.0, 0.0)
        return Coder(functools.partial(_save_jpeg2000, pixels), knob, lambda setting: float(pixels.size * 2**setting))

    def describe(self, setting: float, data: bytes) -> str:
        return f"rate={2**-setting:.4g}"


def _save_jpeg2000(pixels: Pixels, setting: float) -> bytes:
    buffer = io.BytesIO()
    options = {"mct": 1} if pixels.ndim == 3 else {}
    layers = [2**-setting]
    image = Image.fromarray(pixels)
    image.save(buffer, "JPEG2000", quality_mode="rates", quality_layers=layers, irreversible=True, **options)
    return buffer.getvalue()


class MozJpeg(Encoder):
    """mozjpeg by libvips: trellis, deringing, optimised scans, table 3."""

    name = "mozjpeg"
    module = "pyvips"
    install = 'pip install "pyvips[binary]"'

    def missing(self) -> str:
        return super().missing() or _missing_trellis()

    def version(self) -> str:
        import pyvips

        return "libvips " + ".".join(str(pyvips.version(part)) for part in range(3))

    def start(self, subject: Subject) -> Coder:
        return Coder(functools.partial(_save_mozjpeg, subject.pixels, True))


def _save_mozjpeg(pixels: Pixels, trellis: bool, quality: int) -> bytes:
    import pyvips

    data: bytes = pyvips.Image.new_from_array(pixels).jpegsave_buffer(
        Q=quality,
        optimize_coding=True,
        interlace=True,
        trellis_quant=trellis,
        overshoot_deringing=True,
        optimize_scans=True,
        quant_table=3,
        subsample_mode="on" if pixels.ndim == 3 else "auto",
        keep="none",
    )
    return data


@functools.cache
def _missing_trellis() -> str:
    """A libvips without mozjpeg writes JPEG too and passes over its options."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    if _save_mozjpeg(noise, True, 50) == _save_mozjpeg(noise, False, 50):
        return f"this libvips has no mozjpeg: {MozJpeg.install}"
    return ""


class Jpegli(Encoder):
    """jpegli, 4:2:0: its distance by ajpegli, or whole qualities by pyjpegli where that is not to be had."""

    name = "jpegli"
    install = "pip install ajpegli (or pyjpegli, which knows whole qualities only)"

    def missing(self) -> str:
        return "" if self._module() else f"neither ajpegli nor pyjpegli is installed: {self.install}"

    @property
    def has_quality_numbers(self) -> bool:  # type: ignore[override]
        return self._module() == "pyjpegli"

    def version(self) -> str:
        from importlib import metadata

        return f"{self._module()} {metadata.version(self._module())}"

    def start(self, subject: Subject) -> Coder:
        if self._module() == "pyjpegli":
            return Coder(functools.partial(_save_pyjpegli, subject.pixels))
        knob = foreign_interval("minus-log2-distance", -4.6, 4.0)
        return Coder(functools.partial(_save_ajpegli, subject.pixels), knob)

    def describe(self, setting: float, data: bytes) -> str:
        if self._module() == "pyjpegli":
            return super().describe(setting, data)
        return f"distance={2**-setting:.4f} {_sampling(data)}".strip()

    @staticmethod
    def _module() -> str:
        for name in ("ajpegli", "pyjpegli"):
            try:
                importlib.import_module(name)
            except (ImportError, OSError):
                continue
            return name
        return ""


def _save_ajpegli(pixels: Pixels, setting: float) -> bytes:
    """The setting is minus log2 of the distance."""
    import ajpegli

    options = {"subsampling": "420"} if pixels.ndim == 3 else {}
    data: bytes = ajpegli.encode(pixels, distance=2.0**-setting, **options)
    return data


def _save_pyjpegli(pixels: Pixels, quality: int) -> bytes:
    import pyjpegli

    colour = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    height, width = colour.shape[:2]
    data: bytes = pyjpegli.encode(np.ascontiguousarray(colour), width, height, quality=quality)
    return data


class Heic(Encoder):
    """HEVC's still pictures (HEIC) by x265, 4:2:0. Every second quality: libheif knows no finer steps."""

    name = "heic"
    suffix = ".heic"
    module = "pillow_heif"
    install = "pip install pillow-heif"

    def version(self) -> str:
        import pillow_heif

        facts = pillow_heif.libheif_info()
        return f"pillow-heif {pillow_heif.__version__}, libheif {facts['libheif']}, {facts['HEIF']}"

    def start(self, subject: Subject) -> Coder:
        import pillow_heif

        def encode(quality: int) -> bytes:
            buffer = io.BytesIO()
            image = pillow_heif.from_pillow(Image.fromarray(subject.pixels))
            image.save(buffer, quality=quality, chroma=420)
            return buffer.getvalue()

        return Coder(encode, Steps("quality", range(0, 101, 2)))

    def decode(self, data: bytes) -> Pixels:
        import pillow_heif

        return np.asarray(pillow_heif.open_heif(data))

    def describe(self, setting: Any, data: bytes) -> str:
        return f"quality={setting} 4:2:0"


class Msroi(Encoder):
    """An encoder of this package. by: "map" (the one that was given, or the network's), "mask" or "" (no map)."""

    ours = True

    def __init__(self, name: str, method: str, by: str, **options: Any) -> None:
        self.name = name
        self._codec, self._options = make_codec(method, options), options
        self.needs_mask, self.follows_map = by == "mask", by == "map"
        self.has_quality_numbers = method == "two-pass"

    def version(self) -> str:
        return f"msroi {__version__}, {self._codec.name} {self._codec.version}"

    def start(self, subject: Subject) -> Session:
        return self._codec.start(subject.picture, self._map(subject), subject.threads)

    def _map(self, subject: Subject) -> Floats | None:
        if self.needs_mask:
            return subject.soft_mask
        return subject.saliency if self.follows_map else None

    def describe(self, setting: float, data: bytes) -> str:
        options = [f"{option}={value}" for option, value in self._options.items()]
        own = f"setting={setting:.6f}" if isinstance(setting, float) else f"q_final={setting}"
        if self._codec.name == "two-pass":
            options += [f"{name}={getattr(self._codec, name)}" for name in ("q_low", "q_high", "levels")]
        return " ".join([own, *options, _sampling(data)]).strip()


class Neural(Encoder):
    """A neural codec of this package whose settings are mean levels of iterations, 1 to 24.

    weights: its network's file, None for the one that ships.
    """

    suffix = ".msn"
    ours = True
    has_quality_numbers = False
    has_levels = True
    keeps_pixels = True

    def __init__(self, name: str, codec: str, by: str, weights: Path | None = None) -> None:
        self.name, self._codec_name, self._by, self._weights = name, codec, by, weights
        self.follows_map = by == "map"

    def with_weights(self, weights: Path | None) -> Neural:
        """The same with another network."""
        return Neural(self.name, self._codec_name, self._by, weights)

    @functools.cached_property
    def _codec(self) -> Any:
        from msroi.codecs.neural import load

        return load(self._codec_name, self._weights)

    def missing(self) -> str:
        try:
            self._codec.network_sha256  # noqa: B018 - reads the network's file
        except (MissingExtraError, SaliencyError) as error:
            return str(error)
        return ""

    def version(self) -> str:
        return f"msroi {__version__}, {self._codec_name}, network {self._codec.network_sha256[:16]}"

    def prepare(self) -> None:
        from msroi.codecs.neural import Rate
        from msroi.codecs.neural.quiet import import_keras

        import_keras()
        self._codec.compress(np.zeros((1, 1), np.uint8), None, Rate(level=1))

    def start(self, subject: Subject) -> Coder:
        """A file takes seconds, so sizes are guessed and not tried: uncoded, an iteration of a cell takes 4 bytes."""
        from msroi.codecs.neural import Rate
        from msroi.codecs.neural.allocation import CELL, MOST

        pixels, saliency = subject.pixels, subject.neural_saliency if self.follows_map else None
        n_cells = -(-pixels.shape[0] // CELL) * -(-pixels.shape[1] // CELL)

        def encode(level: float) -> bytes:
            data: bytes = self._codec.compress(pixels, saliency, Rate(level=level))
            return data

        knob = Interval(1.0, float(MOST), "level", near_enough=_SLOW_NEAR_ENOUGH, tries=_SLOW_TRIES)
        return Coder(encode, knob, lambda level: 4 * n_cells * level)

    def decode(self, data: bytes) -> Pixels:
        pixels: Pixels = self._codec.decompress(data)
        return pixels

    def describe(self, setting: float, data: bytes) -> str:
        return f"level={setting:.4f}"


def _pillow_version(feature: str) -> str:
    from PIL import __version__ as pillow
    from PIL import features

    library = "libjpeg_turbo" if feature == "jpg" and features.check("libjpeg_turbo") else feature
    return f"Pillow {pillow}, {library} {features.version(library)}"


def _sampling(data: bytes) -> str:
    """ "4:2:0" and "progressive" of a JPEG."""
    from msroi.images import jpeg_facts

    facts = jpeg_facts(data)
    return f"{facts.sampling or 'grey'} {facts.process}"


# Half steps: libwebp's quality is a real number.
_HALVES = [step / 2 for step in range(201)]

_ALL: tuple[Encoder, ...] = (
    PillowEncoder("pillow", "JPEG", ".jpg", {}),
    PillowEncoder("pillow-progressive", "JPEG", ".jpg", {"optimize": True, "progressive": True}),
    Msroi("two-pass", "two-pass", "map"),
    Msroi("rdo", "rdo", "map"),
    Msroi("rdo-constant", "rdo", ""),
    Msroi("rdo-masks", "rdo", "mask"),
    MozJpeg(),
    Jpegli(),
    Jpeg2000(),
    PillowEncoder("webp", "WEBP", ".webp", {"method": 6}, feature="webp", settings=_HALVES, sampling="4:2:0"),
    PillowEncoder(
        "avif",
        "AVIF",
        ".avif",
        {"speed": 6, "subsampling": "4:2:0", "max_threads": 1},
        feature="avif",
        settings=range(101),
        sampling="4:2:0",
    ),
    Heic(),
    # By name only.
    Msroi("rdo-no-guard", "rdo", "map", guard=False),
    Msroi("rdo-masks-no-guard", "rdo", "mask", guard=False),
    Msroi("rdo-constant-psnr", "rdo", "", tune="psnr"),
    Msroi("rdo-constant-ssim", "rdo", "", tune="ssim"),
    Msroi("rdo-masks-psnr", "rdo", "mask", tune="psnr", guard=False),
    # Seconds an iteration.
    Neural("recurrent", "recurrent", "map"),
    Neural("recurrent-constant", "recurrent", ""),
)

# The one table: name on the command line -> encoder.
ENCODERS: dict[str, Encoder] = {encoder.name: encoder for encoder in _ALL}

# What runs where nothing is asked for; `rdo-masks` where there are masks.
DEFAULT_ENCODERS = tuple(ENCODERS)[: tuple(ENCODERS).index("heic") + 1]

# The yardstick: its bytes are the budget of a target that is a quality.
YARDSTICK = "pillow"
