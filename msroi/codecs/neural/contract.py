"""The contract of neural codecs: what `msroi.codecs.contract` asks of all codecs, and what a network brings with it.

    picture, map --start--> session --encode(setting of the knob)--> file of `container`
    file --read--> symbols --draw--> pixels

A codec writes three things: `NeuralSession.code`, symbols and sections of a picture at a setting of its knob; `read`,
the symbols of sections; `draw`, the picture of symbols. The rest is here and the same for all: files and their headers,
limits, previews, facts, the reading back of each file before it is handed out. tests/test_neural_contract.py holds it.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from msroi.arrays import Pixels, Saliency
from msroi.codecs.neural import container
from msroi.codecs.neural.container import Header, Section
from msroi.codecs.neural.facts import container_facts
from msroi.codecs.neural.weights import NetworkFile
from msroi.errors import BitstreamError, ImageError, OptionError, SaliencyError
from msroi.options import real_number
from msroi.search.knobs import Interval, Knob
from msroi.search.session import Session

if TYPE_CHECKING:
    from msroi.images import Limits, Picture
    from msroi.saliency.steering import Steering

Progress = Callable[[float], None]

Symbols = Sequence[npt.NDArray[np.integer]]
"""All that is range coded, as whole numbers, in arrays of the codec's own shapes."""


class NeuralCodec(ABC):
    """A codec with a network's weights; a frozen dataclass whose one field `weights` is their file, None: as shipped.

    name: in the registry and in `container.CODEC_IDS`. bytes_version: raised whenever the bytes for a setting change.
    shipped: the file of weights that comes with msroi. knob: what the search may turn; default: where nothing is asked
    for; knob_help: what it is, for the command line. needs: libraries without which it does nothing. max_pixels: more
    are refused, coding and decoding.
    Errors: SaliencyError for weights that are missing or damaged, when they are first used.
    """

    name: ClassVar[str]
    bytes_version: ClassVar[str]
    shipped: ClassVar[Path]
    knob: ClassVar[Knob]
    default: ClassVar[float]
    knob_help: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ("keras", "constriction")
    max_pixels: ClassVar[int]
    uses_map: ClassVar[bool] = True
    curve: ClassVar[str] = ""
    is_yardstick: ClassVar[bool] = False
    quality_options: ClassVar[tuple[str, ...]] = ()
    also_accepts: ClassVar[Mapping[str, tuple[object, ...]]] = {}

    __dataclass_fields__: ClassVar[dict[str, Any]]

    weights: Path | None

    # What a codec writes.

    @abstractmethod
    def session(self, pixels: Pixels, saliency: Saliency | None, tell: Progress) -> NeuralSession:
        """What `start` returns; its arguments have been checked."""

    @abstractmethod
    def read(self, header: Header, sections: Sequence[Section], whole: bool) -> Symbols:
        """The symbols of a file's sections, metadata left out, at least one.

        whole: all of them must be there, else those of a beginning will do.
        Errors: BitstreamError for whatever the codec does not write.
        """

    @abstractmethod
    def draw(self, header: Header, symbols: Symbols) -> Pixels:
        """The picture: uint8 (height, width[, 3]); a coarser one where symbols of the end are missing."""

    def own_facts(self, header: Header, sections: Sequence[Section]) -> dict[str, Any]:
        """What `facts` adds of this codec: the knob's setting by its name, and whatever else, for JSON. It reads no
        network. sections: metadata left out; they may be those of a beginning. Errors: BitstreamError."""
        return {}

    @classmethod
    def lines(cls, facts: Mapping[str, Any]) -> list[str]:
        """What `own_facts` said, for people: lines of a name, padded to 10 characters, and what is to be said."""
        value = facts.get(cls.knob.name)
        return [] if value is None else [f"{cls.knob.name:<9} {value:g}"]

    # What all have.

    @functools.cached_property
    def network(self) -> NetworkFile:
        """The file of weights."""
        return NetworkFile.read(self.weights or self.shipped)

    @property
    def network_sha256(self) -> str:
        """Of the file of weights, 64 hexadecimal digits."""
        return self.network.sha256

    @property
    def version(self) -> str:
        """What makes the bytes: this codec, its network."""
        return f"{self.bytes_version}, network {self.network_sha256[: 2 * container.NETWORK_BYTES]}"

    def start(
        self, picture: Picture, steering: Steering | None = None, threads: int = 1, progress: Progress | None = None
    ) -> NeuralSession:
        """Do what all settings share. What is coded are the pixels as they are stored: turn a picture upright before.

        steering: the map, of which the followed one is the session's; None: a constant map. threads: the framework's
        are set for the whole process. progress: told of each file that is made, from 0 to 1.
        Errors: ImageError for more than `max_pixels`; SaliencyError for a map of another shape.
        """
        pixels = picture.pixels
        self._check_size(*pixels.shape[:2])
        if steering is None:
            return self.session(pixels, None, progress or (lambda share: None))
        steering.check_fits(picture, self.name)
        return self.session(pixels, steering.followed(picture.orientation), progress or (lambda share: None))

    def decode(self, data: bytes, limits: Limits | None = None) -> Pixels:
        """The picture of a whole file: uint8 (height, width[, 3]).

        Errors: BitstreamError for anything else, and for another network's file; ImageError over the limits.
        """
        header, sections = container.read(data, limits)
        self._check(header)
        return self.draw(header, self._symbols(header, sections))

    def preview(self, prefix: bytes, limits: Limits | None = None) -> Pixels:
        """The picture, in full size and coarser, by the whole sections of the beginning of a file.

        Errors: as `decode`; BitstreamError where there is not one section of the picture.
        """
        header, sections = container.read_prefix(prefix, limits)
        self._check(header)
        return self.draw(header, self._symbols(header, sections, whole=False))

    def facts(self, data: bytes, limits: Limits | None = None) -> dict[str, Any]:
        """What a file, or its beginning, says of itself: as `container_facts`, and what this codec adds.

        `network_is_ours` is None where the network that ships is not there. Errors: as `container.read_prefix`.
        """
        header, sections = container.read_prefix(data, limits)
        known = container_facts(header, sections, len(data)) | {"network_is_ours": self._is_ours(header)}
        return known | self.own_facts(header, container.coded(sections))

    def _is_ours(self, header: Header) -> bool | None:
        try:
            return self.network_sha256.startswith(header.network.hex())
        except SaliencyError:
            if self.weights is not None:
                raise
            return None

    def _check(self, header: Header) -> None:
        if header.codec != self.name:
            raise BitstreamError(f"the file was made by the codec {header.codec}, not {self.name}")
        container.check_network(header, self.network_sha256)
        self._check_size(header.height, header.width)

    def _check_size(self, height: int, width: int) -> None:
        if height * width > self.max_pixels:
            most = f"{self.max_pixels / 1e6:g} megapixels"
            raise ImageError(f"{width} x {height} pixels are more than this codec takes ({most}); reduce it first")

    def _symbols(self, header: Header, sections: Sequence[Section], whole: bool = True) -> Symbols:
        coded = container.coded(sections)
        if not coded:
            raise BitstreamError("the file has no section of a picture, or ends before the first one does")
        return self.read(header, coded, whole)

    def reads_as(self, data: bytes, symbols: Symbols) -> bool:
        """Whether a file that was made reads as what was coded. Errors: BitstreamError where it does not read."""
        back = self._symbols(*container.read(data))
        return len(back) == len(symbols) and all(map(np.array_equal, back, symbols))


class NeuralSession(Session):
    """One picture with its map, ready to be coded.

    A codec writes `code`; and `rough_bytes`, since its files take long to make.
    """

    def __init__(self, codec: NeuralCodec, pixels: Pixels, saliency: Saliency | None, tell: Progress) -> None:
        self.codec, self.pixels, self.saliency, self.tell = codec, pixels, saliency, tell
        self._files: dict[Any, bytes] = {}

    @abstractmethod
    def code(self, setting: Any) -> tuple[Symbols, list[Section]]:
        """The picture at a setting of the knob: its symbols, and the sections that `read` makes them of.

        It may tell the share that is done.
        """

    def same_as(self, setting: Any) -> Any:
        """Settings with one file have one value here: it is made once."""
        return setting

    @property
    def knob(self) -> Knob:
        return self.codec.knob

    def encode(self, setting: Any) -> bytes:
        """A whole file, which has been read back. Errors: OptionError for a setting that the knob does not have."""
        setting = checked(self.knob, setting)
        key = self.same_as(setting)
        if key not in self._files:
            self.tell(0.0)
            self._files[key] = self.written(*self.code(setting))
            self.tell(1.0)
        return self._files[key]

    def written(self, symbols: Symbols, sections: Sequence[Section]) -> bytes:
        """The file of these sections, read back: one that is not what was coded never leaves the encoder."""
        height, width = self.pixels.shape[:2]
        network = bytes.fromhex(self.codec.network_sha256)
        data = container.write(Header(self.codec.name, width, height, self.pixels.ndim == 2, network), sections)
        if not self.codec.reads_as(data, symbols):
            raise BitstreamError("the file that was made does not decode to what was coded; please report this")
        return data


def checked(knob: Knob, setting: object) -> Any:
    """A setting as the knob has it. Errors: OptionError that names the knob and what it takes."""
    if isinstance(knob, Interval):
        return real_number(knob.name, setting, knob.low, knob.high)
    for value in knob.values:
        if value == setting and not isinstance(setting, bool):
            return value
    first, last = knob.values[0], knob.values[-1]
    raise OptionError(
        f"{knob.name}: got {setting!r:.80}, allowed: {min(first, last)} to {max(first, last)} in its steps"
    )


def grey(colour: Pixels) -> Pixels:
    """Luma by BT.601 of uint8 (height, width, 3)."""
    return np.floor(colour @ np.array([0.299, 0.587, 0.114]) + 0.5).clip(0, 255).astype(np.uint8)
