"""The published shape: five scales from 1/4 to 1/64, depthwise convolutions, layer norm, GELU. For a GPU.

    pixels -> 4 -> 8 -> 16 -> 32 -> 64                                              encoder, features at each stride
              |    |     |     |     |
    pixels <- 4 <- 8 <-- 16 <- 32 <- learnt start      top down; at each stride but 4 some latents are coded, each with
                                                       prior and posterior from what is there and gamma

After Duan, Lu, Ma, Zhu, "QARV: Quantization-aware ResNet VAE for lossy image compression", IEEE TPAMI 46(1) 2024, which
Song and others take over; widths and counts are theirs as far as the text gives them, the rest is our reading. Gamma
scales and shifts behind each layer norm. The distribution is the logistic one of `autoencoder`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from msroi.codecs.neural.vae.autoencoder import Autoencoder, Coder, scale_of
from msroi.codecs.neural.vae.gamma import PUBLISHED, Weighting
from msroi.codecs.neural.vae.layers import conv, pixels_of

STRIDES = (4, 8, 16, 32, 64)
LAYER_SCALE = 1e-6
"""What a block's result is multiplied by at first."""


@dataclass(frozen=True)
class PublishedArchitecture:
    """By stride, from 4 to 64. widths: of features. blocks: of the encoder. latents: how many are coded, of so many
    channels each. embedding: of gamma."""

    widths: tuple[int, ...] = (192, 384, 512, 512, 512)
    blocks: tuple[int, ...] = (6, 6, 6, 4, 4)
    latents: tuple[int, ...] = (0, 3, 3, 2, 1)
    channels: tuple[int, ...] = (0, 8, 96, 32, 32)
    synthesis: int = 8
    embedding: int = 256
    weighting: Weighting = PUBLISHED


FULL = PublishedArchitecture()


class GammaBlock(layers.Layer):
    """x + scale * MLP(norm(depthwise(x)) * (1 + a) + b), a and b from gamma; Liu and others, "ConvNeXt", CVPR 2022."""

    def __init__(self, channels: int, name: str, kernel: int = 7) -> None:
        super().__init__(name=name)
        self.channels = channels
        self.depthwise = layers.DepthwiseConv2D(kernel, padding="same", name="depthwise")
        self.norm = layers.LayerNormalization(epsilon=1e-6, center=False, scale=False, name="norm")
        self.steered = conv(2 * channels, 1, "gamma")
        self.widen, self.narrow = conv(2 * channels, 1, "widen"), conv(channels, 1, "narrow")

    def build(self, x_shape: Any, steering_shape: Any) -> None:
        self.depthwise.build(x_shape)
        self.norm.build(x_shape)
        self.steered.build(steering_shape)
        self.widen.build(x_shape)
        self.narrow.build((*x_shape[:-1], 2 * self.channels))
        small = keras.initializers.Constant(LAYER_SCALE)
        self.scale = self.add_weight(shape=(self.channels,), initializer=small, name="scale")

    def call(self, x: Any, steering: Any) -> Any:
        times, plus = ops.split(self.steered(ops.gelu(steering)), 2, axis=-1)
        inner = self.norm(self.depthwise(x)) * (1 + times) + plus
        return x + self.scale * self.narrow(ops.gelu(self.widen(inner)))


class LatentBlock(layers.Layer):
    """One coded latent: its prior from the features, its posterior from them and the encoder's, and what it adds."""

    def __init__(self, channels: int, coded: int, name: str) -> None:
        super().__init__(name=name)
        self.look = GammaBlock(channels, "look")
        self.prior = conv(2 * coded, 1, "prior")
        self.join, self.see = conv(channels, 1, "join"), GammaBlock(channels, "see")
        self.posterior, self.take = conv(coded, 3, "posterior"), conv(channels, 3, "take")
        self.after = GammaBlock(channels, "after")

    def build(self, x_shape: Any, steering_shape: Any) -> None:
        for block in (self.look, self.see, self.after):
            block.build(x_shape, steering_shape)
        self.prior.build(x_shape)
        self.join.build((*x_shape[:-1], 2 * x_shape[-1]))
        self.posterior.build(x_shape)
        self.take.build((*x_shape[:-1], self.posterior.filters))

    def call(self, x: Any, steering: Any, seen: Any = None, code: Coder | None = None) -> Any:
        """`code` is always given: Keras wants what is no array by its name. `seen`: None where there is no encoder."""
        assert code is not None
        x = self.look(x, steering)
        mean, log_scale = ops.split(self.prior(x), 2, axis=-1)
        y = None
        if seen is not None:
            y = self.posterior(self.see(self.join(ops.concatenate([x, seen], -1)), steering))
        value = code(self.name, y, mean, scale_of(log_scale), None)
        return self.after(x + self.take(value), steering)


class PublishedNetwork(Autoencoder):
    """See the module's docstring."""

    stride = 64

    def __init__(self, architecture: PublishedArchitecture = FULL, name: str = "vae") -> None:
        super().__init__(name=name)
        self.architecture = a = architecture
        self.weighting = a.weighting
        self.embed_first = conv(a.embedding, 1, "embed_first")
        self.embed_second = conv(a.embedding, 1, "embed_second")
        self.downs, self.encoder, self.ups, self.coded = [], [], [], []
        for i, (stride, width) in enumerate(zip(STRIDES, a.widths, strict=True)):
            factor = 4 if i == 0 else 2
            self.downs.append(conv(width, factor, f"down{stride}", stride=factor))
            self.encoder.append([GammaBlock(width, f"see{stride}_{k}") for k in range(a.blocks[i])])
            self.ups.append(conv(factor**2 * (a.widths[i - 1] if i else 3), 1, f"up{stride}"))
            self.coded.append([LatentBlock(width, a.channels[i], f"{stride}.{k}") for k in range(a.latents[i])])
        self.synthesis = [GammaBlock(a.widths[0], f"synthesis{k}") for k in range(a.synthesis)]
        self.start = self.add_weight(shape=(1, 1, 1, a.widths[-1]), initializer="zeros", name="start")

    def latents(self) -> list[tuple[str, int, int]]:
        """See `Autoencoder`."""
        a = self.architecture
        return [(f"{STRIDES[i]}.{k}", STRIDES[i], a.channels[i]) for i in (4, 3, 2, 1) for k in range(a.latents[i])]

    def multiplications(self) -> float:
        """See `Autoencoder`."""
        total = 0.0
        for stride, down, blocks, up, coded in zip(
            STRIDES, self.downs, self.encoder, self.ups, self.coded, strict=True
        ):
            for one in [down, *blocks, up, *coded, *(self.synthesis if stride == 4 else [])]:
                total += sum(float(w.shape.num_elements()) for w in one.weights if len(w.shape) == 4) / stride**2
        return total

    def steering(self, gamma: Any) -> list[Any]:
        """What gamma becomes at each stride."""
        at_8 = self.embed_second(ops.gelu(self.embed_first(gamma)))
        found = [ops.repeat(ops.repeat(at_8, 2, axis=1), 2, axis=2), at_8]
        for _ in STRIDES[2:]:
            found.append(ops.average_pool(found[-1], 2, 2))
        return found

    def analyse(self, pictures: Any, gamma: Any) -> list[Any]:
        """Features at each stride."""
        found, x = [], pictures
        for down, blocks, steering in zip(self.downs, self.encoder, self.steering(gamma), strict=True):
            x = down(x)
            for block in blocks:
                x = block(x, steering)
            found.append(x)
        return found

    def forward(self, code: Coder, pictures: Any, gamma: Any) -> Any:
        """See `Autoencoder`."""
        return self.decode(code, gamma, self.analyse(pictures, gamma))

    def decode(self, code: Coder, gamma: Any, seen: list[Any] | None = None) -> Any:
        """The pictures, latents coming from `code`; `seen` is what the encoder knows, None where there is none."""
        steering = self.steering(gamma)
        x = self.start + 0 * steering[-1][..., :1]
        for i in (4, 3, 2, 1, 0):
            for block in self.coded[i]:
                x = block(x, steering[i], seen=None if seen is None else seen[i], code=code)
            for block in self.synthesis if i == 0 else []:
                x = block(x, steering[0])
            x = pixels_of(self.ups[i](x), 4 if i == 0 else 2)
        return x
