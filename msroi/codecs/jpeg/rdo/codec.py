"""The codec `rdo`: its options, and how a picture is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from msroi.arrays import Floats, Pixels
from msroi.codecs.jpeg.base import JpegCodec, check_order, q_high, q_low
from msroi.codecs.jpeg.coefficients import SAMPLINGS, Coefficients
from msroi.codecs.jpeg.plain import QualitySession
from msroi.codecs.jpeg.rdo import adaptive_quantisation
from msroi.codecs.jpeg.rdo.sampling import needs_full_chroma
from msroi.codecs.jpeg.rdo.session import RdoSession
from msroi.codecs.jpeg.rdo.tables import PRESETS
from msroi.codecs.jpeg.source import from_jpeg
from msroi.fields import Checked, Choice, Flag, declared
from msroi.saliency.curves import CONTRAST

if TYPE_CHECKING:
    from msroi.images import Picture
    from msroi.saliency.steering import Steering

# Samples of a huge picture.
_HUGE = 50_000_000


@dataclass(frozen=True)
class Rdo(JpegCodec, Checked):
    """The codec `rdo`.

    q_low, q_high: libjpeg qualities whose tolerated errors stand for a map of 0 and of 1; 1 to 100, q_low
        at most q_high (30 and 70: errors where the map is 1 weigh 7.7 times those where it is 0).
    chroma: "keep" samples as the JPEG source does and 4:2:0 otherwise; "auto" takes 4:4:4 where 4:2:0 visibly
        harms colours (see `sampling`), else as "keep"; or "420", "422", "444".
    tune: a name in tables.PRESETS. guard: hold SSIM where the map is low at plain's or above.
    baseline: one sequential scan instead of progressive ones.
    """

    name: ClassVar[str] = "rdo"
    version: ClassVar[str] = "7"
    uses_map: ClassVar[bool] = True
    curve: ClassVar[str] = CONTRAST
    is_yardstick: ClassVar[bool] = False
    quality_options: ClassVar[tuple[str, ...]] = ("q_low", "q_high")
    also_accepts: ClassVar[Mapping[str, tuple[object, ...]]] = {}

    q_low: int = q_low()
    q_high: int = q_high()
    chroma: str = declared(
        "keep",
        Choice(("keep", "auto", *SAMPLINGS)),
        "colour sampling; auto: the better of 420 and 444 on screens and drawings, elsewhere 444 where 420 "
        "visibly harms coloured text and edges, else as keep; two-pass and plain always have 420",
        group="encoder",
        by_default="keep: with method rdo that of a JPEG input, else 420",
    )
    tune: str = declared("default", Choice(tuple(PRESETS)), "what the encoder leans to (method rdo)", group="encoder")
    guard: bool = declared(
        True, Flag(), "follow the map at full strength, whatever happens outside (method rdo)", group="map"
    )
    baseline: bool = declared(
        False,
        Flag(),
        "sequential JPEG instead of progressive, for very old decoders; of a progressive input it may be larger",
        group="encoder",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_order(self.q_low, self.q_high)

    def start(self, picture: Picture, steering: Steering | None, threads: int) -> RdoSession | QualitySession:
        """Transform the picture; the session returned codes it at any real setting.

        steering: the map, which lies in memory in full for its block means alone; None: all alike.
        A huge picture of one colour is coded as plain JPEG: there is nothing to weigh, and some hundred
        kilobytes can declare one whose transform would fill gigabytes.
        Errors: SaliencyError for a map of another shape.
        """
        if picture.pixels.size > _HUGE and _one_colour(picture.pixels):
            return QualitySession(picture.pixels)
        weights = self._weights(picture, steering, threads)
        source = self._lattice(picture, threads)
        return RdoSession.of(
            picture.pixels,
            PRESETS[self.tune],
            sampling="" if source else self._sampling(picture, threads),
            source=source,
            weights=weights,
            guarded=self.guard,
            baseline=self.baseline,
            threads=threads,
        )

    def _weights(self, picture: Picture, steering: Steering | None, threads: int) -> Floats | None:
        if steering is None:
            return None
        steering.check_fits(picture, self.name)
        if steering.is_flat or self.q_low == self.q_high:
            return None
        return adaptive_quantisation.from_map(steering.followed(picture.orientation), self.q_low, self.q_high, threads)

    def _lattice(self, picture: Picture, threads: int) -> Coefficients | None:
        """The coefficients of a JPEG source, if it has the sampling asked for.

        "auto" takes it as it is: what was halved once gains nothing in full.
        """
        source = from_jpeg(picture, threads)
        if source is None or len(source.planes) == 1 or self.chroma not in SAMPLINGS:
            return source
        return source if source.samplings[0] == SAMPLINGS[self.chroma] else None

    def _sampling(self, picture: Picture, threads: int) -> str:
        if self.chroma in SAMPLINGS:
            return self.chroma
        if self.chroma == "auto" and needs_full_chroma(picture.pixels, PRESETS[self.tune].steps, threads):
            return "444"
        if picture.source.format != "JPEG" or picture.source.data is None:
            return "420"
        from msroi.metadata import jpeg_facts

        facts = jpeg_facts(picture.source.data)
        return {"4:4:4": "444", "4:2:2": "422"}.get(facts.sampling or "", "420")


def _one_colour(pixels: Pixels) -> bool:
    return all(np.ptp(plane) == 0 for plane in np.atleast_3d(pixels).transpose(2, 0, 1))
