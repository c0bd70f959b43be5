"""One picture, ready to be coded at any real setting: what a search sees of rdo."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from msroi.arrays import Floats, Pixels
from msroi.codecs.jpeg import _kernels
from msroi.codecs.jpeg.coefficients import Coefficients, Table
from msroi.codecs.jpeg.rdo import adaptive_quantisation, guard
from msroi.codecs.jpeg.rdo.costs import Levels
from msroi.codecs.jpeg.rdo.files import write
from msroi.codecs.jpeg.rdo.guard import Guard
from msroi.codecs.jpeg.rdo.operating_point import OperatingPoint, exact_scale
from msroi.codecs.jpeg.rdo.quantisation import Quantiser
from msroi.codecs.jpeg.rdo.signal import Signal
from msroi.codecs.jpeg.rdo.tables import DEFAULT, FOR_FEWEST, SSIM, Preset
from msroi.codecs.jpeg.rdo.weighting import Components, Weighting, times
from msroi.codecs.jpeg.source import strips
from msroi.search.knobs import Interval
from msroi.search.session import Session

# Strengths below which a file that loses too much outside the map lets it go.
LEAST_STRENGTH = 0.25

# Settings this near have the same strength in a search for a quality.
_ALIKE = 0.025

# Pixels of a picture whose files are as quickly made as estimated.
_TINY = 30_000


@dataclass(frozen=True, eq=False)
class RdoSession(Session):
    """A signal with weights at an operating point, from setting 0 (smallest file) to 1 (largest).

    guard: looks for the strength of the map that leaves the background as good as plain's; None: it is followed in
    full. unprepared: what `near` started from. The same setting gives the same bytes, on any number of threads.
    """

    signal: Signal
    weighting: Weighting
    guard: Guard | None
    point: OperatingPoint = OperatingPoint()
    unprepared: RdoSession | None = None
    # What the guard looks at of the latest files: the file, levels and tables.
    _judged: list[tuple[bytes, list[Levels], list[Table]]] = field(default_factory=list, init=False)

    knob = Interval(0.0, 1.0)
    has_variants = True

    @classmethod
    def of(
        cls,
        pixels: Pixels,
        preset: Preset,
        *,
        sampling: str = "420",
        source: Coefficients | None = None,
        weights: Floats | None = None,
        guarded: bool = True,
        baseline: bool = False,
        threads: int = 1,
    ) -> RdoSession:
        """A session of pixels, uint8 (height, width[, 3]).

        source: their coefficients, of a JPEG source with its tables: ours are then multiples of them. None: pixels are
        transformed here, with chroma sampled by `sampling`. weights: float32, one per luma block, geometric mean 1,
        of the map at full strength; None: all alike.
        """
        signal = Signal.of(pixels, preset, sampling=sampling, source=source, baseline=baseline, threads=threads)
        own = None if weights is None or not guarded else Guard(pixels, weights, signal.coefficients, threads)
        return cls(signal, Weighting.of(signal, preset, weights), own)

    @cached_property
    def quantiser(self) -> Quantiser:
        """What makes levels and estimates."""
        return Quantiser(self.signal, self.weighting, self.point)

    @property
    def strength(self) -> float:
        """Of the map, 0 to 1."""
        return self.weighting.strength

    # --- the surface ----------------------------------------------------------------------------------

    def encode(self, setting: float) -> bytes:
        """The JPEG at `setting`."""
        tables, lagrangian = self.quantiser.tables_and_lambda(setting)
        samples = self.quantiser.samples(setting)
        rows = None if self.guard is None else self.guard.judged_rows
        judged: list[Levels] = []

        def made(index: int) -> Levels:
            levels = self.quantiser.levels(index, tables[index], lagrangian, samples[index].prices)
            if rows is not None:
                judged.append(guard.strip_blocks(levels, index, self.signal.coefficients.samplings[0][1], rows))
            return levels

        data = write(made, tables, self.signal)
        if rows is not None:
            self._judged[:] = [*self._judged[-1:], (data, judged, tables)]
        return data

    def rough_bytes(self, setting: float) -> float:
        """About how many bytes `encode` would give, from a part of the picture; of a tiny one from all."""
        if self.signal.n_pixels <= _TINY:
            return len(self.encode(setting))
        return self.quantiser.rough_bytes(setting)

    def near(self, setting: float, n_bytes: float | None = None) -> RdoSession:
        """This session prepared for settings around `setting`, for a file of `n_bytes` if that is known.

        It keeps the tables and moves lambda alone, so that sizes are steady; its weights have the guard's
        strength and know what an encode here lost.
        """
        return self._at_safe_strength(setting, n_bytes).prepared(setting)

    def part(self, rows: npt.NDArray[np.intp]) -> RdoSession:
        """This session as it is prepared, for some rows of pixels, whole MCUs each: same tables, weights and prices."""
        signal = self.signal.rows(rows)
        return replace(self, signal=signal, weighting=self.weighting.rows(self.signal, signal, rows), guard=None)

    def variant(self, metric: str) -> RdoSession | None:
        """A session of the same picture that spends more on "psnr" or "ssim"; None where the user chose."""
        return self._with_preset(FOR_FEWEST[metric]) if self.weighting.preset is DEFAULT else None

    def revised(self, data: bytes, setting: float, n_bytes: float | None = None) -> tuple[RdoSession | None, str]:
        """A more cautious session where a file loses too much outside the map, and what is to be known of it.

        The strength is halved, then the map is let go, then the preset that leans to structure is taken.
        """
        if self.guard is None:
            return None, ""
        shortfall = self.guard.shortfall(data, n_bytes, self._strips_of(data))
        cautious = self._more_cautious() if shortfall else None
        if cautious is None:
            return None, self._note(shortfall)
        # Of this session it is known how far estimates are from files.
        usual = self.quantiser.rough_bytes(setting)
        prepared = cautious.prepared(setting)
        prepared = prepared.at(prepared.point.shifted(prepared.quantiser.rough_bytes(setting), usual))
        return prepared, self._note(shortfall)

    # --- preparation ----------------------------------------------------------------------------------

    def at(self, point: OperatingPoint) -> RdoSession:
        """The same at another operating point."""
        return replace(self, point=point)

    def prepared(self, setting: float) -> RdoSession:
        """This session with what an encode at `setting` lost in its weights, its tables and prices settled."""
        base, truth = self._with_feedback(setting)
        tuned = replace(self, weighting=self.weighting.prepared(base), unprepared=self)
        samples, usual = tuned.quantiser.samples(setting), self.quantiser.rough_bytes(setting)
        point = tuned.point.shifted(truth * tuned.quantiser.rough_bytes(setting), usual)
        prices, scale = tuple(sample.prices for sample in samples), exact_scale(setting + point.shift)
        tuned = tuned.at(replace(point, prices=prices, scale=scale))
        if self.signal.coefficients.tables is not None:  # its tables move in jumps, and sizes with them
            tuned = tuned.at(tuned.point.shifted(truth * tuned.quantiser.rough_bytes(setting), usual))
        return tuned

    def _with_preset(self, preset: Preset) -> RdoSession:
        weighting = Weighting.of(self.signal, preset, self.weighting.map_weights, self.strength)
        return replace(self, weighting=weighting)

    def _with_strength(self, strength: float) -> RdoSession:
        return replace(self, weighting=self.weighting.with_strength(strength))

    def _with_feedback(self, setting: float) -> tuple[Components, float]:
        """The components with more weight where an encode at `setting` loses structure.

        That encode knows nothing of the map: else what the map takes from the background came back to it.
        Second: how many times the bits that a sample promised that encode has.
        """
        preset, signal, unweighted = self.weighting.preset, self.signal, self.weighting.unweighted
        if not preset.feedback:
            return unweighted, 1.0
        levels, table, truth = Quantiser(signal, self.weighting.without_map(), self.point).luma(setting)
        # In this order, because levels of a large picture are much of what lies in memory.
        floor = None
        if preset.texture > 1:
            luma = signal.coefficients.planes[0]
            floor = adaptive_quantisation.texture_floor(luma, levels, table, preset, signal.threads)
        decoded = _kernels.inverse_dct_half(levels, table, signal.height, signal.width, signal.threads)
        del levels
        lost = adaptive_quantisation.feedback(signal.coefficients.half, decoded, preset, signal.threads)
        del decoded
        lost = lost if floor is None else lost * floor
        return times(unweighted, lost), truth

    # --- the guard ------------------------------------------------------------------------------------

    def _at_safe_strength(self, setting: float, n_bytes: float | None) -> RdoSession:
        """This session, following the map as far as the guard lets it.

        Where that is not at all, the preset that leans to structure often holds the background and can follow.
        """
        if self.guard is None:
            return self
        tuned = self._with_strength(self._safe_strength(setting, n_bytes))
        if not tuned.strength and self.weighting.preset is DEFAULT:
            other = self._with_preset(SSIM)
            other = other._with_strength(other._safe_strength(setting, n_bytes))
            if other.strength:
                return other
        return tuned

    def _safe_strength(self, setting: float, n_bytes: float | None = None) -> float:
        """What the guard's trials found; without a size in bytes what they found nearby holds."""
        strengths = self.weighting.strengths
        known = None if n_bytes else min(strengths, key=lambda other: abs(other - setting), default=None)
        if known is not None and abs(known - setting) < _ALIKE:
            return strengths[known]
        strength = self._tried_strength(setting, n_bytes)
        if not n_bytes:
            strengths[setting] = strength
        return strength

    def _tried_strength(self, setting: float, n_bytes: float | None) -> float:
        assert self.guard is not None
        part = self._of_sample() if self.guard.is_sampled else self
        usual = part.rough_bytes(setting)
        if n_bytes is not None and part is not self:
            n_bytes *= usual / self.rough_bytes(setting)
        base = part._with_feedback(setting)[0]

        def trial(strength: float) -> bytes:
            tried = replace(part, weighting=part.weighting.with_strength(strength).prepared(base))
            return tried.at(tried.point.shifted(tried.rough_bytes(setting), usual)).encode(setting)

        return self.guard.strength(trial, n_bytes)

    def _of_sample(self) -> RdoSession:
        """A session of the strips that the guard's trials are made of."""
        assert self.guard is not None
        source, whole = None, self.signal.coefficients
        if whole.tables is not None:
            source = strips(whole, guard.sampled_rows(*self.signal.pixels.shape[:2]))
        preset, sampling, weights = self.weighting.preset, self.signal.sampling, self.guard.weights
        pixels, threads = self.guard.pixels, self.signal.threads
        return RdoSession.of(
            pixels, preset, sampling=sampling, source=source, weights=weights, guarded=False, threads=threads
        )

    def _strips_of(self, data: bytes) -> bytes | None:
        """What the guard looks at of a large file that was just made, as a file; None if it is not known any more."""
        for made, levels, tables in self._judged:
            if made is data:
                samplings, height = self.signal.coefficients.samplings, 8 * len(levels[0])
                return _kernels.write_jpeg(
                    levels, tables, samplings, height, self.signal.width, False, self.signal.threads
                )
        return None

    def _more_cautious(self) -> RdoSession | None:
        before = self.unprepared or self
        if self.strength:
            return before._with_strength(self.strength / 2 if self.strength > LEAST_STRENGTH else 0.0)
        return before._with_preset(SSIM) if self.weighting.preset is DEFAULT else None

    def _note(self, shortfall: float) -> str:
        """How far the map was followed, and what is lost outside it."""
        if shortfall:
            followed = f"followed at {100 * self.strength:.0f} %" if self.strength else "not followed"
            return f"map {followed}, and yet SSIM outside it is {shortfall:.4f} below plain's"
        if self.strength == 1:
            return ""
        followed = f"followed at {100 * self.strength:.0f} % of its strength" if self.strength else "not followed"
        return f"map {followed}, or SSIM outside would fall below plain's"
