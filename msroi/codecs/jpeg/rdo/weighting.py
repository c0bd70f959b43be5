"""What errors weigh, block by block: masking by the picture, the map at a strength, what a first encode lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from msroi.arrays import Floats
from msroi.codecs.jpeg.coefficients import Parts
from msroi.codecs.jpeg.rdo import adaptive_quantisation
from msroi.codecs.jpeg.rdo.signal import Signal
from msroi.codecs.jpeg.rdo.tables import Preset, Shape
from msroi.codecs.jpeg.source import rows_of_blocks, seen_shares


@dataclass(frozen=True, eq=False)
class Component:
    """Coefficients of one component and what their errors weigh.

    coefficients: a plane as in `Coefficients`. low, high: float32 (rows, columns), weights of coarse and of
    fine errors. sampling: (horizontal, vertical).
    """

    coefficients: Parts
    low: Floats
    high: Floats
    sampling: tuple[int, int]


Components = tuple[Component, ...]


@dataclass(frozen=True, eq=False)
class Weighting:
    """The weights of a picture's blocks.

    unweighted: by masking alone. map_weights: float32, one per luma block, geometric mean 1, of the map at full
    strength; None: all alike. strength: of the map, 0 to 1, that a preparation is to follow. components: with all that
    is known by now, which before a preparation is the map at full strength.
    strengths: by setting, that the guard found with this preset. latest: what was measured of these components last
    (see `quantisation`).
    """

    preset: Preset
    unweighted: Components
    map_weights: Floats | None
    strength: float
    components: Components
    strengths: dict[float, float] = field(default_factory=dict)
    latest: dict[Any, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, signal: Signal, preset: Preset, map_weights: Floats | None, strength: float | None = None) -> Weighting:
        """The weights of a signal, following the map at a strength, in full by default."""
        unweighted = _masked(signal, preset)
        full = 0.0 if map_weights is None else 1.0
        own = full if strength is None else strength
        components = times(unweighted, _map_factor(map_weights, own))
        return cls(preset, unweighted, map_weights, own, components)

    @cached_property
    def shapes(self) -> Sequence[Shape]:
        """Shapes of the tables, by the preset and the sampling."""
        return self.preset.shapes_for(self.unweighted[0].sampling)

    def with_strength(self, strength: float) -> Weighting:
        """The same, to be prepared with the map at another strength."""
        return replace(self, strength=strength)

    def prepared(self, base: Components) -> Weighting:
        """The map at its strength, over components that know what a first encode lost."""
        return self._with(times(base, _map_factor(self.map_weights, self.strength)))

    def without_map(self) -> Weighting:
        """By masking alone."""
        return self._with(self.unweighted)

    def rows(self, whole: Signal, part: Signal, rows: npt.NDArray[np.intp]) -> Weighting:
        """The weights of some rows of pixels, whole MCUs each. part: the signal of these rows."""

        def cut(components: Components) -> Components:
            result = []
            for index, component in enumerate(components):
                own = rows_of_blocks(rows, index, whole.coefficients.samplings[0][1])
                low, high = component.low[own], component.high[own]
                result.append(Component(part.coefficients.planes[index], low, high, component.sampling))
            return tuple(result)

        weights = None if self.map_weights is None else np.ascontiguousarray(self.map_weights[rows[::8] // 8])
        known = replace(self, unweighted=cut(self.unweighted), map_weights=weights, strengths={})
        return known._with(cut(self.components))

    def _with(self, components: Components) -> Weighting:
        return replace(self, components=components, latest={})


def times(components: Components, factor: Floats | None) -> Components:
    """The components with the weights of their blocks multiplied by those of luma's blocks."""
    if factor is None:
        return components
    shapes = [component.low.shape for component in components[1:]]
    reduced = [adaptive_quantisation.reduced(factor, shape, components[0].sampling) for shape in shapes]
    return _times_each(components, [factor, *reduced])


def _map_factor(map_weights: Floats | None, strength: float) -> Floats | None:
    return None if map_weights is None or not strength else map_weights ** np.float32(strength)


def _masked(signal: Signal, preset: Preset) -> Components:
    """The picture's components with the weights of masking."""
    source = signal.coefficients
    low, high = adaptive_quantisation.masking(source.half, source.planes[0], preset, signal.threads)
    factors = source.samplings[0]
    components = [Component(source.planes[0], low, high, factors)]
    for plane, sampling in zip(source.planes[1:], source.samplings[1:], strict=True):
        own_low, own_high = (adaptive_quantisation.reduced(own, plane.shape[:2], factors) for own in (low, high))
        components.append(Component(plane, own_low, own_high, sampling))
    return tuple(components) if source.tables is None else _as_far_as_seen(signal, tuple(components))


def _as_far_as_seen(signal: Signal, components: Components) -> Components:
    """A JPEG source's components with less weight where the border cuts blocks.

    What our own transform puts beyond the border costs next to nothing; what another encoder put there is
    in the file.
    """
    horizontal, vertical = components[0].sampling
    seen: list[Floats] = []
    for component in components:
        height = -(-signal.height * component.sampling[1] // vertical)
        width = -(-signal.width * component.sampling[0] // horizontal)
        is_same = seen and component.sampling == (horizontal, vertical)
        seen.append(seen[0] if is_same else seen_shares(height, width))
    return _times_each(components, seen)


def _times_each(components: Components, factors: list[Floats]) -> Components:
    """The components with weights multiplied by a factor each, float32 (rows, columns).

    With 4:4:4 all have the same weights and factors: the product is made once, for it lies in memory.
    """
    result: list[Component] = []
    for component, factor in zip(components, factors, strict=True):
        if result and factor is factors[0] and component.low is components[0].low:
            low, high = result[0].low, result[0].high
        else:
            low, high = component.low * factor, component.high * factor
        result.append(replace(component, low=low, high=high))
    return tuple(result)
