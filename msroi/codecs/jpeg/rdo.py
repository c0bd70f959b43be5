"""rdo: one lattice, weighted rate-distortion optimisation (DESIGN 5.3).

    pixels --> Y, Cb, Cr --> chroma halved --> DCT --+
    map, masking, what a first encode lost --> w_b --+--> quantiser --> scans --> file
    setting --> tables T, lambda; prices of symbols --+

Per block, the quantiser takes the values q with the least sum of w_b v_k (c - T q)^2 + lambda * bits. What comes
out is an ordinary JPEG: a decoder sees tables and coefficients, and nothing of the weights.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from msroi.arrays import Floats, Pixels
from msroi.codecs.jpeg import _kernels, block_weights, guard, symbol_prices
from msroi.codecs.jpeg.base import JpegCodec, check_order, q_high, q_low
from msroi.codecs.jpeg.coefficients import BLACK_DC, SAMPLINGS, WHITE_DC, Coefficients, Parts, Table, from_pixels
from msroi.codecs.jpeg.dark import dark_blocks
from msroi.codecs.jpeg.plain import QualityEncoder
from msroi.codecs.jpeg.sampling import needs_full_chroma
from msroi.codecs.jpeg.source import for_source, from_jpeg, rows_of_blocks, seen_shares, strips
from msroi.codecs.jpeg.symbol_prices import Levels
from msroi.codecs.jpeg.tables import BLEND, DEFAULT, FOR_FEWEST, PRESETS, SSIM, Preset
from msroi.fields import Checked, Choice, Flag, declared
from msroi.saliency.curves import CONTRAST
from msroi.search.knobs import Interval
from msroi.search.session import Session

if TYPE_CHECKING:
    from msroi.images import Picture
    from msroi.saliency.steering import Steering


# A setting t in [0, 1] stands for the table scale s = COARSEST (FINEST / COARSEST)^t. At COARSEST all steps
# are 255 and blocks are blank, at FINEST all are 1.
COARSEST, FINEST = 400.0, 0.3

# A file's size goes with about the -.75th power of s (tables and lambda) and the -.18th of lambda alone
# (measured on CID22): where tables stay and the setting moves, lambda takes this power of the difference.
LAMBDA_POWER = 0.75 / 0.18

# What log size grows by over the whole range of settings.
GROWTH = 5.3

# Prices of symbols are measured on every SPARSE-th row of blocks, of small pictures on more, down to ROWS_ENOUGH
# rows, and of large ones on fewer, down to BLOCKS_ENOUGH blocks. Where nothing is known of them, on a part of that
# before, down to FIRST_BLOCKS.
SPARSE = 6
ROWS_ENOUGH = 16
BLOCKS_ENOUGH = 8192
FIRST_BLOCKS = 2048

# Strengths below which a file that loses too much outside the map lets it go.
LEAST_STRENGTH = 0.25

# How far a DC value may be moved, in steps; .5 is rounding. Flips near the middle save most of what a trellis over DC
# can; mozjpeg's, which goes further, drew lines in smooth areas.
DC_REACH = 0.6

# For estimates: markers and tables in bytes, of a file and of each of its components, and how many bytes stuffing makes
# of one.
_OVERHEAD, _OVERHEAD_EACH = 50, 250
_STUFFING = 1.004


@dataclass(frozen=True)
class Rdo(JpegCodec, Checked):
    """The codec `rdo`.

    q_low, q_high: libjpeg qualities whose tolerated errors stand for a map of 0 and of 1; 1 to 100, q_low
        at most q_high (30 and 70: errors where the map is 1 weigh 7.7 times those where it is 0).
    chroma: "keep" samples as the JPEG source does and 4:2:0 otherwise; "auto" takes 4:4:4 where 4:2:0 visibly
        harms colours (msroi.codecs.jpeg.sampling), else as "keep"; or "420", "422", "444".
    tune: a name in tables.PRESETS. guard: hold SSIM where the map is low at plain's or above.
    baseline: one sequential scan instead of progressive ones.
    """

    name: ClassVar[str] = "rdo"
    version: ClassVar[str] = "6"
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

    def start(self, picture: Picture, steering: Steering | None, threads: int) -> RdoEncoder | QualityEncoder:
        """Transform the picture; the encoder returned codes it at any real setting.

        steering: the map, which lies in memory in full for its block means alone; None: all alike.
        A huge picture of one colour is coded as plain JPEG: there is nothing to weigh, and some hundred
        kilobytes can declare one whose transform would fill gigabytes.
        Errors: SaliencyError for a map of another shape.
        """
        if picture.pixels.size > _HUGE and _one_colour(picture.pixels):
            return QualityEncoder(picture.pixels)
        weights = self._weights(picture, steering, threads)
        source = self._lattice(picture, threads)
        return RdoEncoder(
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
        return block_weights.from_map(steering.followed(picture.orientation), self.q_low, self.q_high, threads)

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


@dataclass(frozen=True)
class Component:
    """Coefficients of one component and what their errors weigh.

    coefficients: a plane as in `Coefficients`. low, high: float32 (rows, columns), weights of coarse and of
    fine errors. sampling: (horizontal, vertical).
    """

    coefficients: Parts
    low: Floats
    high: Floats
    sampling: tuple[int, int]


@dataclass(frozen=True)
class _Sample:
    """Quantised blocks: the prices of symbols by what occurs in them, their bits, and how many times as many blocks
    the component has."""

    prices: symbol_prices.Prices
    bits: float
    share: float = 1.0


class RdoEncoder(Session):
    """One picture, ready to be coded at any real setting from 0 (smallest file) to 1 (largest).

    pixels: uint8 (height, width[, 3]). source: their coefficients, of a JPEG source with its tables: ours are then
    multiples of them. None: pixels are transformed here, with chroma sampled by `sampling`.
    weights: float32, one per luma block, geometric mean 1, of the map at full strength; None: all alike.
    guarded: `near` looks for the strength that leaves the background as good as plain's; else it is full.
    The same setting gives the same bytes, on any number of threads.
    """

    knob = Interval(0.0, 1.0)
    has_variants = True

    def __init__(
        self,
        pixels: Pixels,
        preset: Preset,
        *,
        sampling: str = "420",
        source: Coefficients | None = None,
        weights: Floats | None = None,
        guarded: bool = True,
        baseline: bool = False,
        threads: int = 1,
    ) -> None:
        self._pixels, self._preset = pixels, preset
        self._baseline, self._threads = baseline, threads
        self._weights = weights
        self._scale: float | None = None  # of the tables, where it is settled
        self._strengths: dict[float, float] = {}  # by setting, of this preset, that the guard found
        self._shift = 0.0  # added to settings, so that other weights leave sizes where they were
        self._prices: list[symbol_prices.Prices] | None = None  # where they are known from settings nearby
        self._unprepared: RdoEncoder | None = None  # what `near` started from
        self._height, self._width = pixels.shape[:2]
        self._source = source or from_pixels(pixels, sampling, preset.steps, threads)
        self._guard = None if weights is None or not guarded else guard.Guard(pixels, weights, self._source, threads)
        self._judged: list[tuple[bytes, list[Levels], list[Table]]] = []  # what the guard looks at of the latest files
        self._latest: tuple[tuple[float | None, ...], tuple[object, ...], list[_Sample]] | None = None  # see _samples
        self._sampling = sampling
        self._dark, self._dc_steps = dark_blocks(self._source.planes[0], self._source.limits), dict[int, int]()
        self._shapes = preset.shapes_for(self._source.samplings[0])
        self.unweighted = self._masked()
        self.strength = 0.0 if weights is None else 1.0
        self.components = self._weighted(self.unweighted, self._map_factor(self.strength))

    # --- the surface ----------------------------------------------------------------------------------

    def encode(self, setting: float) -> bytes:
        """The JPEG at `setting`."""
        tables, lagrangian = self._tables_and_lambda(setting)
        samples = self._samples(setting)
        rows = None if self._guard is None else self._guard.judged_rows
        judged: list[Levels] = []

        def made(index: int) -> Levels:
            levels = self._levels(index, tables[index], lagrangian, samples[index].prices)
            if rows is not None:
                judged.append(guard.strip_blocks(levels, index, self.components[0].sampling[1], rows))
            return levels

        if self._height * self._width > _LARGE and not self._baseline:
            data = self._written_apart(made, tables)
        else:
            data = self._write([made(index) for index in range(len(tables))], tables)
        if rows is not None:
            self._judged = [*self._judged[-1:], (data, judged, tables)]
        return data

    def rough_bytes(self, setting: float) -> float:
        """About how many bytes `encode` would give, from a part of the picture; of a tiny one from all."""
        if self._height * self._width <= _TINY:
            return len(self.encode(setting))
        return self._bytes_of(self._samples(setting))

    def near(self, setting: float, n_bytes: float | None = None) -> RdoEncoder:
        """This encoder prepared for settings around `setting`, for a file of `n_bytes` if that is known.

        It keeps the tables and moves lambda alone, so that sizes are steady; its weights have the guard's
        strength and know what an encode here lost.
        """
        return self._at_safe_strength(setting, n_bytes)._prepared(setting)

    def part(self, rows: npt.NDArray[np.intp]) -> RdoEncoder:
        """This encoder as it is prepared, for some rows of pixels, whole MCUs each: same tables, weights and prices."""
        part = self._copy()
        part._source, part._height, part._guard = strips(self._source, rows), len(rows), None
        part.components = []
        for index, component in enumerate(self.components):
            own = rows_of_blocks(self._source, rows, index)
            low, high = component.low[own], component.high[own]
            part.components.append(Component(part._source.planes[index], low, high, component.sampling))
        return part

    def _prepared(self, setting: float) -> RdoEncoder:
        tuned = self._copy()
        tuned._unprepared = self
        base, truth = tuned._with_feedback(setting)
        tuned.components = self._weighted(base, self._map_factor(tuned.strength))
        samples, usual = tuned._samples(setting), self._bytes_of(self._samples(setting))
        tuned._shift += _setting_between(truth * tuned._bytes_of(samples), usual)
        tuned._prices = [sample.prices for sample in samples]
        tuned._scale = exact_scale(setting + tuned._shift)
        if self._source.tables is not None:  # its tables move in jumps, and sizes with them
            tuned._shift += _setting_between(truth * tuned._bytes_of(tuned._samples(setting)), usual)
        return tuned

    def variant(self, metric: str) -> RdoEncoder | None:
        """An encoder of the same picture that spends more on "psnr" or "ssim"; None where the user chose."""
        if self._preset is not DEFAULT:
            return None
        return self._with_preset(FOR_FEWEST[metric])

    def revised(self, data: bytes, setting: float, n_bytes: float | None = None) -> tuple[RdoEncoder | None, str]:
        """A more cautious encoder where a file loses too much outside the map, and what is to be known of it.

        The strength is halved, then the map is let go, then the preset that leans to structure is taken.
        """
        if self._guard is None:
            return None, ""
        shortfall = self._guard.shortfall(data, n_bytes, self._strips_of(data))
        cautious = self._more_cautious() if shortfall else None
        if cautious is None:
            return None, self._note(shortfall)
        # Of this encoder it is known how far estimates are from files.
        usual = self._bytes_of(self._samples(setting))
        prepared = cautious._prepared(setting)
        prepared._shift += _setting_between(prepared._bytes_of(prepared._samples(setting)), usual)
        return prepared, self._note(shortfall)

    def _strips_of(self, data: bytes) -> bytes | None:
        """What the guard looks at of a large file that was just made, as a file; None if it is not known any more."""
        for made, levels, tables in self._judged:
            if made is data:
                samplings, height = [component.sampling for component in self.components], 8 * len(levels[0])
                return _kernels.write_jpeg(levels, tables, samplings, height, self._width, False, self._threads)
        return None

    def _more_cautious(self) -> RdoEncoder | None:
        before = self._unprepared or self
        if self.strength:
            other = before._copy()
            other.strength = self.strength / 2 if self.strength > LEAST_STRENGTH else 0.0
            return other
        return before._with_preset(SSIM) if self._preset is DEFAULT else None

    def _note(self, shortfall: float) -> str:
        """How far the map was followed, and what is lost outside it."""
        if shortfall:
            followed = f"followed at {100 * self.strength:.0f} %" if self.strength else "not followed"
            return f"map {followed}, and yet SSIM outside it is {shortfall:.4f} below plain's"
        if self.strength == 1:
            return ""
        followed = f"followed at {100 * self.strength:.0f} % of its strength" if self.strength else "not followed"
        return f"map {followed}, or SSIM outside would fall below plain's"

    # --- weights --------------------------------------------------------------------------------------

    def _copy(self) -> RdoEncoder:
        other = object.__new__(RdoEncoder)
        other.__dict__.update(self.__dict__)
        other._judged = []
        return other

    def _with_preset(self, preset: Preset) -> RdoEncoder:
        other = self._copy()
        other._preset, other._strengths = preset, {}
        other._shapes = preset.shapes_for(self._source.samplings[0])
        other.unweighted = other._masked()
        other.components = other._weighted(other.unweighted, other._map_factor(other.strength))
        return other

    def _map_factor(self, strength: float) -> Floats | None:
        return None if self._weights is None or not strength else self._weights ** np.float32(strength)

    def _weighted(self, components: list[Component], factor: Floats | None) -> list[Component]:
        """The components with the weights of their blocks multiplied by those of luma's blocks."""
        if factor is None:
            return components
        shapes = [component.low.shape for component in components[1:]]
        reduced = [block_weights.reduced(factor, shape, components[0].sampling) for shape in shapes]
        return _times(components, [factor, *reduced])

    def _with_feedback(self, setting: float) -> tuple[list[Component], float]:
        """The components with more weight where an encode at `setting` loses structure.

        That encode knows nothing of the map: else what the map takes from the background came back to it.
        Second: how many times the bits that a sample promised that encode has.
        """
        if not self._preset.feedback:
            return self.unweighted, 1.0
        first = self._copy()
        first.components = self.unweighted
        tables, lagrangian = first._tables_and_lambda(setting)
        sample = first._sampled(0, tables[0], lagrangian)
        levels = first._quantised_rows(0, tables[0], lagrangian, sample.prices, 0, 1)
        truth = first._measured(0, levels).bits / (sample.share * sample.bits)
        decoded = _kernels.inverse_dct_half(levels, tables[0], self._height, self._width, self._threads)
        lost = block_weights.feedback(self._source.half, decoded, self._preset, self._threads)
        if self._preset.texture > 1:
            luma = self._source.planes[0]
            lost = lost * block_weights.texture_floor(luma, levels, tables[0], self._preset, self._threads)
        return self._weighted(self.unweighted, lost), truth

    def _at_safe_strength(self, setting: float, n_bytes: float | None) -> RdoEncoder:
        """This encoder, following the map as far as the guard lets it.

        Where that is not at all, the preset that leans to structure often holds the background and can follow.
        """
        tuned = self._copy()
        if self._guard is None:
            return tuned
        tuned.strength = self._safe_strength(setting, n_bytes)
        if not tuned.strength and self._preset is DEFAULT:
            other = self._with_preset(SSIM)
            other.strength = other._safe_strength(setting, n_bytes)
            if other.strength:
                return other
        return tuned

    def _safe_strength(self, setting: float, n_bytes: float | None = None) -> float:
        """What the guard's trials found; without a size in bytes what they found nearby holds."""
        known = None if n_bytes else min(self._strengths, key=lambda other: abs(other - setting), default=None)
        if known is not None and abs(known - setting) < _ALIKE:
            return self._strengths[known]
        strength = self._tried_strength(setting, n_bytes)
        if not n_bytes:
            self._strengths[setting] = strength
        return strength

    def _tried_strength(self, setting: float, n_bytes: float | None) -> float:
        assert self._guard is not None
        part = self
        if self._guard.is_sampled:
            source = None
            if self._source.tables is not None:
                source = strips(self._source, guard.sampled_rows(*self._pixels.shape[:2]))
            part = RdoEncoder(
                self._guard.pixels,
                self._preset,
                sampling=self._sampling,
                source=source,
                weights=self._guard.weights,
                guarded=False,
                threads=self._threads,
            )

        usual = part.rough_bytes(setting)
        if n_bytes is not None and part is not self:
            n_bytes *= usual / self.rough_bytes(setting)
        base = part._with_feedback(setting)[0]

        def trial(strength: float) -> bytes:
            tried = part._copy()
            tried.components = part._weighted(base, part._map_factor(strength))
            tried._shift += _setting_between(tried.rough_bytes(setting), usual)
            return tried.encode(setting)

        return self._guard.strength(trial, n_bytes)

    def _masked(self) -> list[Component]:
        """The picture's components with the weights of masking."""
        source = self._source
        low, high = block_weights.masking(source.half, source.planes[0], self._preset, self._threads)
        factors = source.samplings[0]
        components = [Component(source.planes[0], low, high, factors)]
        for plane, sampling in zip(source.planes[1:], source.samplings[1:], strict=True):
            own_low, own_high = (block_weights.reduced(own, plane.shape[:2], factors) for own in (low, high))
            components.append(Component(plane, own_low, own_high, sampling))
        return components if source.tables is None else self._as_far_as_seen(components)

    def _as_far_as_seen(self, components: list[Component]) -> list[Component]:
        """A JPEG source's components with less weight where the border cuts blocks.

        What our own transform puts beyond the border costs next to nothing; what another encoder put there is
        in the file.
        """
        horizontal, vertical = components[0].sampling
        seen: list[Floats] = []
        for component in components:
            height = -(-self._height * component.sampling[1] // vertical)
            width = -(-self._width * component.sampling[0] // horizontal)
            is_same = seen and component.sampling == (horizontal, vertical)
            seen.append(seen[0] if is_same else seen_shares(height, width))
        return _times(components, seen)

    # --- quantisation and file ------------------------------------------------------------------------

    def _tables_and_lambda(self, setting: float) -> tuple[list[Table], float]:
        setting += self._shift
        scale = self._scale or exact_scale(setting)
        tables = [shape.table(scale) for shape in self._shapes[: len(self.components)]]
        if self._source.tables is not None:
            tables = for_source(tables, self._source.tables)
        if self._source.tables is None or tables[0][0] % self._source.tables[0][0]:
            tables[0][0] = self._best_dc_step(int(tables[0][0]))
        return tables, lambda_at(setting, scale, self._preset.price)

    def _best_dc_step(self, step: int) -> int:
        if step not in self._dc_steps:
            self._dc_steps[step] = self._dark.best_step(step)
        return self._dc_steps[step]

    def _levels(self, index: int, table: Table, lagrangian: float, prices: symbol_prices.Prices) -> Levels:
        levels = self._quantised_rows(index, table, lagrangian, prices, 0, 1)
        self._settle_dc(index, levels, table, lagrangian)
        return levels

    def _settle_dc(self, index: int, levels: Levels, table: Table, lagrangian: float) -> None:
        """Move DC levels that lie between two steps to where their differences cost less.

        Black and white blocks get levels at their limit or beyond it: decoders clip, so that is no error, while a
        level short of it would make all of a black area grey.
        """
        component, step = self.components[index], np.float32(table[0])
        scale = float(self._shapes[index].weights()[0] * step * step)
        bits = symbol_prices.dc_prices(levels) * np.float32(lagrangian)
        limits, ends = None if index else self._source.limits, (BLACK_DC, WHITE_DC)
        _kernels.settle_dc(
            levels, component.coefficients, limits, component.low, scale, float(step), ends, DC_REACH, bits
        )

    def _samples(self, setting: float) -> list[_Sample]:
        """A sample of each component; those of the latest setting are kept, for they are asked for again."""
        numbers, parts = (setting, self._shift, self._scale), (self.components, self._prices, self._shapes)
        if self._latest is not None:
            known, of, samples = self._latest
            if known == numbers and all(one is other for one, other in zip(of, parts, strict=True)):
                return samples
        tables, lagrangian = self._tables_and_lambda(setting)
        samples = [self._sampled(index, table, lagrangian) for index, table in enumerate(tables)]
        self._latest = numbers, parts, samples
        return samples

    def _sampled(self, index: int, table: Table, lagrangian: float) -> _Sample:
        """A part of the rows, with the prices of symbols that settle there."""
        rows, columns = self.components[index].coefficients.shape[:2]
        step = max(1, min(max(SPARSE, rows * columns // BLOCKS_ENOUGH), rows // ROWS_ENOUGH))
        if self._prices is None:
            wide = max(step, min(rows * columns // FIRST_BLOCKS, rows // ROWS_ENOUGH))
            levels = self._quantised_rows(index, table, lagrangian, symbol_prices.START, wide // 2, wide)
            prices = self._priced(levels)
        else:
            prices = self._prices[index]
        levels = self._quantised_rows(index, table, lagrangian, prices, step // 2, step)
        return dataclasses.replace(self._measured(index, levels), share=rows / levels.shape[0])

    def _measured(self, index: int, levels: Levels) -> _Sample:
        prices = self._priced(levels)
        tall = self._baseline and self.components[index].sampling[1] > 1
        return _Sample(prices, prices.total + symbol_prices.dc_bits(levels, tall))

    def _priced(self, levels: Levels) -> symbol_prices.Prices:
        return symbol_prices.measure(levels, self._preset.blank, sequential=self._baseline, threads=self._threads)

    def _bytes_of(self, samples: list[_Sample]) -> float:
        """About what a file takes that is like samples of its components."""
        bits = sum(sample.share * sample.bits for sample in samples)
        return _STUFFING * bits / 8 + _OVERHEAD + _OVERHEAD_EACH * len(samples)

    def _quantised_rows(
        self,
        index: int,
        table: Table,
        lagrangian: float,
        prices: symbol_prices.Prices,
        first: int,
        step: int,
    ) -> Levels:
        component = self.components[index]
        return _kernels.quantise(
            component.coefficients,
            table,
            self._shapes[index].weights(),
            component.low,
            component.high,
            BLEND,
            lagrangian,
            prices.cut,
            prices.symbols,
            prices.ends,
            first,
            step,
            self._threads,
        )

    def _written_apart(self, made: Callable[[int], Levels], tables: list[Table]) -> bytes:
        """The progressive file, made component by component: levels of one at a time take memory."""
        dc, ac = [], []
        for index in range(len(tables)):
            levels = made(index)
            ac.append(_kernels.ac_scans(levels, index, self._threads))
            dc.append(np.ascontiguousarray(levels[..., 0]))
            del levels
        samplings = [component.sampling for component in self.components]
        return _kernels.join_scans(dc, ac, tables, samplings, self._height, self._width)

    def _write(self, levels: list[Levels], tables: list[Table]) -> bytes:
        """The file: progressive or sequential, whichever is smaller."""
        samplings = [component.sampling for component in self.components]
        size = (self._height, self._width)
        sequential = progressive = None
        # Only of small pictures is the sequential file ever the smaller one: fewer tables.
        if self._baseline or self._height * self._width <= _SMALL:
            sequential = _kernels.write_jpeg(levels, tables, samplings, *size, False, self._threads)
        if not self._baseline:
            progressive = _kernels.write_jpeg(levels, tables, samplings, *size, True, self._threads)
        return min((data for data in (progressive, sequential) if data is not None), key=len)


# Settings this near have the same strength in a search for a quality.
_ALIKE = 0.025

# Pixels of a picture whose files are as quickly made as estimated, and of which tables and markers are a large part; of
# a small one; of one whose file is made component by component; samples of a huge one.
_TINY = 30_000
_SMALL = 200_000
_LARGE = 12_000_000
_HUGE = 50_000_000


def _times(components: list[Component], factors: list[Floats]) -> list[Component]:
    """The components with weights multiplied by a factor each, float32 (rows, columns).

    With 4:4:4 all have the same weights and factors: the product is made once, for it lies in memory.
    """
    result: list[Component] = []
    for component, factor in zip(components, factors, strict=True):
        if result and factor is factors[0] and component.low is components[0].low:
            low, high = result[0].low, result[0].high
        else:
            low, high = component.low * factor, component.high * factor
        result.append(dataclasses.replace(component, low=low, high=high))
    return result


def _one_colour(pixels: Pixels) -> bool:
    return all(np.ptp(plane) == 0 for plane in np.atleast_3d(pixels).transpose(2, 0, 1))


def _setting_between(n_bytes: float, wanted: float) -> float:
    """What to add to a setting for files of `wanted` bytes in place of `n_bytes`."""
    return math.log(wanted / n_bytes) / GROWTH


def exact_scale(setting: float) -> float:
    """The table scale s that a setting stands for."""
    return COARSEST * math.exp(setting * math.log(FINEST / COARSEST))


def lambda_at(setting: float, scale: float, price: float) -> float:
    """Lambda that gives tables of another scale the size that the setting stands for; price: lambda / s^2."""
    exact = exact_scale(setting)
    return price * scale * scale * math.pow(exact / scale, LAMBDA_POWER)
