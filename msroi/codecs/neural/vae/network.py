"""The variational autoencoder in Keras: a lapped transform codec whose every part may learn better.

    pixels -> lapped KLT, stride 8 -> y = gain(gamma) (coefficients + correction)        features -> stride 16 -> 32
                                      |                                                               |       |
    latents, top down:                y in groups, each predicted from      <- up <- latents at 16 <- up <- at 32
                                      |  what is there already
    pixels <- post-filter <- inverse <- (y + correction) / gain

A latent is coded as round(y - mean) with a logistic distribution of the predicted scale: the range coder needs of the
network the scales' indices alone. All nonlinear branches start at 0, so that the network starts as the transform codec.
In training uniform noise stands for rounding. Hierarchy and gamma's embedding: Duan, Lu, Ma, Zhu, "QARV", IEEE TPAMI
46(1) 2024; Song and others. No layer stands above stride 8 but the post-filter's, at stride 2: DESIGN, "What two cores
can train".

Needs the extra `keras`; runs on any Keras 3 backend.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import ops

from msroi.codecs.neural.vae import lapped
from msroi.codecs.neural.vae.autoencoder import DEVIATION, Autoencoder, Coder, scale_of
from msroi.codecs.neural.vae.gamma import Weighting
from msroi.codecs.neural.vae.layers import Bottleneck, Lapped, Transform, activate, cells, conv, pixels_of
from msroi.errors import OptionError

STEP = 5.1
"""Root of lambda * step^2 where a finer step costs as many bits as it saves of error: 18 / ln 2, for three colours."""


@dataclass(frozen=True)
class Architecture:
    """What of the network may vary.

    groups: channels at stride 8, in the order they are coded; together the components kept of 192. checkered: so many
    groups from the front are coded in two passes, white cells then black. fine, middle, coarse: channels of features
    at strides 8, 16, 32. blocks: of the encoder, at these strides. latents: channels at strides 16, 32. embedding:
    channels of what gamma becomes. post: of the post-filter, 0 for none.
    """

    groups: tuple[int, ...] = (8, 24, 32, 64)
    checkered: int = 2
    fine: int = 128
    middle: int = 160
    coarse: int = 160
    blocks: tuple[int, int, int] = (3, 3, 2)
    latents: tuple[int, int] = (32, 24)
    embedding: int = 32
    post: int = 24
    weighting: Weighting = field(default_factory=Weighting)

    def __post_init__(self) -> None:
        if not 1 <= sum(self.groups) <= lapped.SIZE or min(self.groups) < 1:
            raise OptionError(f"groups {self.groups}: must have 1 to {lapped.SIZE} channels together")
        if not 0 <= self.checkered <= len(self.groups):
            raise OptionError(f"checkered {self.checkered}: there are {len(self.groups)} groups")

    @property
    def passes(self) -> list[tuple[int, int | None]]:
        """(group, colour of the cells or None for all) in the order of coding."""
        passes: list[tuple[int, int | None]] = []
        for group in range(len(self.groups)):
            passes += [(group, 0), (group, 1)] if group < self.checkered else [(group, None)]
        return passes


PRESETS = {
    "small": Architecture((8, 24, 32), 1, 64, 96, 96, (2, 2, 1), (16, 16), 16, 0),
    "base": Architecture(),
}
"""`small`: for tests and trials. `base`: what two cores train. The published shape is in `published.py`."""


@dataclass(frozen=True)
class Analysis:
    """What the encoder makes of a picture: coefficients before the gain, features for the latents at 16 and 32."""

    coefficients: Any
    middle: Any
    coarse: Any


class Network(Autoencoder):
    """See the module's docstring."""

    stride = 32

    def __init__(self, architecture: Architecture, basis: lapped.Basis | None = None, name: str = "vae") -> None:
        super().__init__(name=name)
        self.architecture = a = architecture
        self.weighting = a.weighting
        n = sum(a.groups)
        basis = basis or lapped.basis(lapped.smooth_covariance(), n)
        if basis.axes.shape != (lapped.SIZE, n):
            raise OptionError(f"the transform has {basis.axes.shape[1]} components, the architecture {n}")
        before, after = lapped.border_matrices()
        self.lap, self.unlap = Lapped(before, False, "lap"), Lapped(after, True, "unlap")
        self.analyse_linear = Transform(basis.axes, "analysis")
        self.synthesise_linear = Transform(basis.axes.T, "synthesis")
        self.embed_first = conv(a.embedding, 1, "embed_first")
        self.embed_second = conv(a.embedding, 1, "embed_second")
        self.make_encoder()
        self.make_decoder()
        self.step = self.add_weight(shape=(n,), name="step", trainable=False)
        self.deviation = self.add_weight(shape=(n,), name="deviation", trainable=False)
        self.step.assign(STEP / 255 / basis.norms)
        self.deviation.assign(basis.deviations)

    def make_encoder(self) -> None:
        """The layers from coefficients to posteriors."""
        a = self.architecture
        self.enter = conv(a.fine, 1, "enter")
        self.fine = [Bottleneck(a.fine, f"fine{i}") for i in range(a.blocks[0])]
        self.correct = conv(sum(a.groups), 1, "correct", zero=True)
        self.to_middle = conv(a.middle, 2, "to_middle", stride=2)
        self.middle = [Bottleneck(a.middle, f"middle{i}") for i in range(a.blocks[1])]
        self.to_coarse = conv(a.coarse, 2, "to_coarse", stride=2)
        self.coarse = [Bottleneck(a.coarse, f"coarse{i}") for i in range(a.blocks[2])]
        narrow = keras.initializers.RandomNormal(stddev=0.004)
        self.posterior16 = conv(a.latents[0], 1, "posterior16", kernel_initializer=narrow)
        self.posterior32 = conv(a.latents[1], 1, "posterior32", kernel_initializer=narrow)

    def make_decoder(self) -> None:
        """The layers from latents to pixels."""
        a, n = self.architecture, sum(self.architecture.groups)
        self.gain = conv(n, 1, "gain", zero=True)
        self.gain16 = conv(a.latents[0], 1, "gain16", zero=True)
        self.gain32 = conv(a.latents[1], 1, "gain32", zero=True)
        self.prior32 = conv(2 * a.latents[1], 1, "prior32", zero=True)
        self.take32 = conv(a.coarse, 1, "take32")
        self.down32 = [Bottleneck(a.coarse, f"down32_{i}") for i in range(2)]
        self.up16 = conv(4 * a.middle, 1, "up16")
        self.prior16 = conv(2 * a.latents[0], 1, "prior16", zero=True)
        self.mix16 = conv(a.middle, 1, "mix16")
        self.take16 = conv(a.middle, 1, "take16")
        self.down16 = [Bottleneck(a.middle, f"down16_{i}") for i in range(2)]
        self.up8 = conv(4 * a.fine, 1, "up8")
        passes = a.passes
        self.think = [Bottleneck(a.fine, f"think{i}") for i in range(len(passes))]
        self.heads = [conv(2 * a.groups[group], 1, f"head{i}", zero=True) for i, (group, _) in enumerate(passes)]
        self.takes = [conv(a.fine, 3, f"take{i}") for i in range(len(passes))]
        self.last = Bottleneck(a.fine, "last")
        self.refine = conv(n, 1, "refine", zero=True)
        if a.post:
            self.post = [conv(a.post, 3, "post0"), conv(a.post, 3, "post1"), conv(12, 3, "post2", zero=True)]

    def forward(self, code: Coder, pictures: Any, gamma: Any) -> Any:
        """See `Autoencoder`."""
        return self.decode(code, gamma, self.analyse(pictures, gamma))

    def latents(self) -> list[tuple[str, int, int]]:
        """See `Autoencoder`."""
        a = self.architecture
        fine = [(f"8.{i}", 8, a.groups[group]) for i, (group, _) in enumerate(a.passes)]
        return [("32", 32, a.latents[1]), ("16", 16, a.latents[0]), *fine]

    def multiplications(self) -> float:
        """See `Autoencoder`."""
        total = 0.0
        for layer in self._flatten_layers(include_self=False):
            if isinstance(layer, keras.layers.Conv2D):
                total += float(np.prod(layer.kernel.shape)) / self._stride_of(layer.path) ** 2
            elif isinstance(layer, Transform):
                total += float(np.prod(layer.start.shape)) / 8**2
        return total

    @staticmethod
    def _stride_of(path: str) -> int:
        """Pixels from one place of a layer's output to the next, by its name."""
        name = path.split("/")[1]
        if name.startswith("post") and not name.startswith("posterior"):
            return 2
        if name.startswith("middle") or name.endswith("16") or "16_" in name or name in ("to_middle", "up8"):
            return 16
        if name.startswith("coarse") or name.endswith("32") or "32_" in name or name in ("to_coarse", "up16"):
            return 32
        return 8

    def steering(self, gamma: Any) -> list[Any]:
        """What gamma becomes at strides 8, 16, 32."""
        fine = activate(self.embed_second(activate(self.embed_first(gamma))))
        middle = ops.average_pool(fine, 2, 2)
        return [fine, middle, ops.average_pool(middle, 2, 2)]

    def gains(self, gamma: Any, fine: Any) -> Any:
        """Steps to one unit of each coefficient, (n, rows, columns, components)."""
        weighting = self.architecture.weighting
        log_lambda = math.log(weighting.middle) + gamma * (3 * math.log(2) * weighting.power)
        return ops.exp(log_lambda / 2 + self.gain(fine)) / self.step

    def analyse(self, pictures: Any, gamma: Any) -> Analysis:
        """The encoder's side, before anything is coded."""
        steering = self.steering(gamma)
        linear = self.analyse_linear(self.lap(pictures))
        x = self.enter(linear / self.deviation)
        for block in self.fine:
            x = block(x, steering[0])
        coefficients = linear + self.deviation * self.correct(x)
        middle = activate(self.to_middle(x))
        for block in self.middle:
            middle = block(middle, steering[1])
        coarse = activate(self.to_coarse(middle))
        for block in self.coarse:
            coarse = block(coarse, steering[2])
        return Analysis(coefficients, middle, coarse)

    def decode(self, code: Coder, gamma: Any, seen: Analysis | None = None) -> Any:
        """The pictures, latents coming from `code`; `seen` is what the encoder knows, None where there is none."""
        steering = self.steering(gamma)
        x = self._from_coarse(code, steering, seen)
        gains = self.gains(gamma, steering[0])
        values, x = self._groups(code, steering[0], x, gains, None if seen is None else seen.coefficients * gains)
        x = self.last(x, steering[0])
        blocks = self.synthesise_linear((values + self.refine(x)) / gains)
        return self._post_filtered(self.unlap(blocks))

    def _from_coarse(self, code: Coder, steering: Sequence[Any], seen: Analysis | None) -> Any:
        """Features at stride 8 from the latents at strides 32 and 16."""
        gain = ops.exp(self.gain32(steering[2]))
        mean, log_scale = ops.split(self.prior32(steering[2]), 2, axis=-1)
        y = None if seen is None else gain * self.posterior32(seen.coarse)
        x = self.take32(code("32", y, mean, scale_of(log_scale - 1), None) / gain)
        for block in self.down32:
            x = block(x, steering[2])
        x = activate(pixels_of(self.up16(x), 2))
        gain = ops.exp(self.gain16(steering[1]))
        mean, log_scale = ops.split(self.prior16(x), 2, axis=-1)
        y = None
        if seen is not None:
            y = gain * self.posterior16(seen.middle + activate(self.mix16(x)))
        x = x + self.take16(code("16", y, mean, scale_of(log_scale - 1), None) / gain)
        for block in self.down16:
            x = block(x, steering[1])
        return activate(pixels_of(self.up8(x), 2))

    def _groups(self, code: Coder, steering: Any, x: Any, gains: Any, y: Any) -> tuple[Any, Any]:
        """The latents at stride 8, and the features after all of them: groups in turn, some in a checkerboard."""
        a = self.architecture
        starts = np.cumsum([0, *a.groups])
        white = checkerboard(x)
        values: list[Any] = []
        for i, (group, colour) in enumerate(a.passes):
            part = slice(int(starts[group]), int(starts[group + 1]))
            mask = None if colour is None else white if colour == 0 else 1 - white
            unit = gains[..., part] * self.deviation[part]
            x = self.think[i](x, steering)
            mean, log_scale = ops.split(self.heads[i](x), 2, axis=-1)
            target = None if y is None else y[..., part]
            value = code(f"8.{i}", target, mean * unit, scale_of(log_scale + ops.log(unit / DEVIATION)), mask)
            if mask is not None:
                value = value * mask
            x = x + self.takes[i](value / unit)
            if colour == 1:
                values[-1] = values[-1] + value
            else:
                values.append(value)
        return ops.concatenate(values, -1), x

    def _post_filtered(self, pictures: Any) -> Any:
        if not self.architecture.post:
            return pictures
        x = cells(pictures, 2)
        x = activate(self.post[0](x))
        x = activate(self.post[1](x))
        return pictures + pixels_of(self.post[2](x), 2)


def checkerboard(x: Any) -> Any:
    """(1, rows, columns, 1): 1 where row and column are together even."""
    _, rows, columns, _ = ops.shape(x)
    odd = (ops.arange(rows)[:, None] + ops.arange(columns)[None, :]) % 2
    return ops.cast(1 - odd, "float32")[None, :, :, None]
