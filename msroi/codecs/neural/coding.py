"""From any image to a neural codec's file: reading, the map, the codec at what may be spent, the metadata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msroi.arrays import Saliency
from msroi.codecs.neural import attached, registry
from msroi.codecs.neural.contract import NeuralCodec, Progress
from msroi.errors import OptionError, TargetError, about
from msroi.images import Limits, Picture, read
from msroi.images import strip as stripped
from msroi.options import real_number, whole_number
from msroi.search.match import Match
from msroi.search.targets import largest

if TYPE_CHECKING:
    from msroi.options import Box, MapKind
    from msroi.saliency.sources import Sources
    from msroi.saliency.steering import Steering
    from msroi.search.session import Session

MAX_BPP = 1000.0
"""More than any picture needs, so that a size in bytes given as bits per pixel is noticed."""


@dataclass(frozen=True)
class Rate:
    """What may be spent on a picture: exactly one of these.

    bpp: bits of the whole file to a pixel. n_bytes: of the whole file. Errors: OptionError.
    """

    bpp: float | None = None
    n_bytes: int | None = None

    def __post_init__(self) -> None:
        if (self.bpp is None) == (self.n_bytes is None):
            raise OptionError(f"rate: got {'both' if self.bpp else 'nothing'}, allowed: exactly one of bpp, n_bytes")
        if self.bpp is not None:
            object.__setattr__(self, "bpp", real_number("bpp", self.bpp, 0, MAX_BPP, above=True))
        if self.n_bytes is not None:
            object.__setattr__(self, "n_bytes", whole_number("n_bytes", self.n_bytes, 1))

    def budget(self, height: int, width: int) -> int:
        """The bytes that a file of a picture of this size may have."""
        return int(self.bpp * height * width / 8) if self.n_bytes is None else self.n_bytes  # type: ignore[operator]


@dataclass(frozen=True, eq=False)
class Encoded:
    """A file, and how it came about.

    setting: of the codec's knob. saliency: float32 (height, width), the map that was followed, upright; None where none
    was. map_identity: "" without one. notices: what the user should know, each one line.
    """

    data: bytes
    setting: float
    saliency: Saliency | None
    map_identity: str
    notices: tuple[str, ...]


def compress(
    image: Any,
    *,
    bpp: float | None = None,
    n_bytes: int | None = None,
    codec: str = registry.DEFAULT,
    weights: Path | str | None = None,
    map_kind: MapKind = "ms-roi",
    saliency: Any = None,
    focus: Sequence[Box | str] | str = (),
    strip: bool = False,
    limits: Limits = Limits(),
    name: str | None = None,
    progress: Progress | None = None,
    **knob: float,
) -> bytes:
    """Code a picture with a neural codec that spends its bytes where people look.

    image: path, bytes, binary file, PIL image, or uint8 array (height, width[, 3 or 4]).
    bpp, n_bytes, knob: what may be spent on the whole file, at most one of them: see `msroi.codecs.neural.Rate`; or a
        setting of the codec's knob by its name, such as iterations=6. Without one the codec's default.
    codec: a name from `msroi.codecs.neural.CODECS`. weights: a network's file instead of the one that ships.
    map_kind, saliency, focus: the network's map by name, "none" for no map; a map of one's own instead (array of any
        size, path, or name of a kind); boxes x, y, width, height in pixels of the upright picture that matter as well.
    strip: leave out all metadata but artist, copyright and a profile other than sRGB.
    limits, name: of the input, as in `msroi.read`. progress: told the share that is done, rising from 0 to 1.
    Errors: ImageError, SaliencyError, OptionError, TargetError for a rate that cannot be reached, MissingExtraError
    without the codec's libraries; each with the input's name in front.
    """
    from msroi.saliency.sources import Sources

    target = _target(registry.find(codec), {"bpp": bpp, "n_bytes": n_bytes, **knob})
    coder = registry.load(codec, weights)
    picture = read(image, name=name, limits=limits)
    sources = Sources.of(saliency=saliency, map_kind=map_kind, focus=focus)
    return encode(coder, picture, sources, target, strip=strip, progress=progress).data


def _target(codec: type[NeuralCodec], options: dict[str, Any]) -> Rate | float | None:
    """What of the options is given: a rate, or a setting of the knob. Errors: OptionError."""
    given = {name: value for name, value in options.items() if value is not None}
    known = ("bpp", "n_bytes", codec.knob.name)
    if len(given) > 1 or not given.keys() <= set(known):
        raise OptionError(f"rate: got {', '.join(given)}, allowed with {codec.name}: one of {', '.join(known)}")
    setting: float | None = given.pop(codec.knob.name, None)
    return Rate(**given) if given else setting


def encode(
    coder: NeuralCodec,
    picture: Picture,
    sources: Sources,
    target: Rate | float | None = None,
    *,
    strip: bool = False,
    progress: Progress | None = None,
) -> Encoded:
    """Code a picture that has been read.

    target: a rate, or a setting of the codec's knob, None for its default. strip, progress, errors as in `compress`.
    """
    from msroi.saliency.steering import steer

    metadata = stripped(picture.metadata, 1) if strip else picture.metadata
    sections, notices = attached.carried(metadata)
    notices = (*picture.notices, *metadata.notices, *notices)
    with about(picture.source.name):
        steering = steer(sources, picture, coder.curve) if sources.steers else None
        upright = replace(picture, pixels=picture.upright, orientation=1, as_decoded=False)
        match = reach(coder, upright, steering, target, overhead=attached.n_bytes(sections), progress=progress)
    data = attached.attach(match.data, sections)
    if steering is None:
        return Encoded(data, match.setting, None, "", notices)
    notices = (*notices, steering.notice) if steering.notice else notices
    return Encoded(data, match.setting, steering.followed(), steering.identity, notices)


def reach(
    coder: NeuralCodec,
    picture: Picture,
    steering: Steering | None = None,
    target: Rate | float | None = None,
    *,
    overhead: int = 0,
    progress: Progress | None = None,
) -> Match:
    """A file of an upright picture at a setting of the codec's knob, or the largest one found within a rate.

    overhead: bytes of metadata, which come to every file and count. progress: rises from 0 to 1.
    Errors: TargetError that says how small a file can be; those of `NeuralCodec.start` and `NeuralSession.encode`.
    """
    told = Rising(progress or (lambda share: None), 0.5 if isinstance(target, Rate) else 1.0)
    session = coder.start(picture, steering, progress=told)
    if isinstance(target, Rate):
        match = _largest(session, target.budget(*picture.pixels.shape[:2]), overhead)
    else:
        setting = coder.default if target is None else target
        match = Match(session.encode(setting), setting, n_probes=1)
    told.end()
    return match


def _largest(session: Session, budget: int, overhead: int) -> Match:
    if 0 < budget <= overhead:
        raise TargetError(f"target {budget} bytes: the metadata alone take {overhead}; leave them out with `strip`")
    return largest(session, budget, overhead=overhead)


class Rising:
    """One share from 0 to 1 of a work whose files are each told from 0 to 1, and whose number nobody knows.

    Each file has `share` of what was left before it: half, where more may follow.
    """

    def __init__(self, tell: Progress, share: float) -> None:
        self._tell, self._share = tell, share
        self._begun, self._latest = 0.0, 0.0

    def __call__(self, share: float) -> None:
        if share < self._latest:  # the next file
            self._begun += self._share * (1 - self._begun)
        self._latest = share
        self._tell(self._begun + self._share * (1 - self._begun) * share)

    def end(self) -> None:
        """All is done."""
        self._tell(1.0)
