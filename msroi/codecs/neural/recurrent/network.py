"""The recurrent network in Keras: encoder, binariser, decoder, one step an iteration (Wang, Han, Wang 2019).

    residual r_{t-1} -> A -> B -> C -> D -> binariser -> bits b_t in {-1, 0, 1}, 32 a cell of 16 x 16 pixels
    bits b_t -> E -> F -> G -> H -> what is added to the picture:   x_t = x_{t-1} + D_t(b_t),   r_t = x - x_t

The paper draws its units A to H in a figure and names its source, Toderici et al. 2017 (full resolution image
compression with recurrent networks). Our reading of both: A is that paper's first convolution (3 x 3, stride 2),
B, C and D its three recurrent units of the encoder (convolutional LSTM, 3 x 3, stride 2), E to H the four of the
decoder, each followed by depth to space; a 1 x 1 convolution before E and one after H. Widths, kernels of the hidden
states and the 32 bits are Toderici's; of the three ways to rebuild a picture it is the additive one, with LSTM units.
A cell whose level is reached sends zeros, and the network goes on running over it.

Needs the extra `keras`; runs on any Keras 3 backend.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from msroi import extras, threads
from msroi.codecs.neural.recurrent import context
from msroi.codecs.neural.recurrent.context import BITS
from msroi.errors import OptionError

try:
    import keras
    from keras import layers, ops
except ImportError as error:  # pragma: no cover - depends on what is installed
    raise extras.missing("the neural codecs need an extra; install it", "keras") from error

threads.bound_tensorflow()


RESIDUAL_GAIN = 5.0
"""Residuals come near the size that layers are drawn for."""


@dataclass(frozen=True)
class Architecture:
    """What of the network may vary. width: share of the published widths, which have 35.5 M weights."""

    width: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.width <= 2 or self.filters(64) < 4:
            raise OptionError(f"width {self.width}: must leave each unit four filters, and be at most 2")

    def filters(self, published: int) -> int:
        """The number of filters where the published network has `published`, a multiple of 4."""
        return 4 * round(published * self.width / 4)


@keras.saving.register_keras_serializable("msroi")
class ConvLstm(layers.Layer):
    """A convolutional LSTM that is stepped by its caller: x, hidden, cell -> hidden, cell."""

    def __init__(self, filters: int, stride: int = 1, hidden_kernel: int = 1, **options: Any) -> None:
        super().__init__(**options)
        self.filters = filters
        common = {"padding": "same", "dtype": self.dtype_policy}
        self.of_input = layers.Conv2D(4 * filters, 3, strides=stride, name="input", **common)
        self.of_hidden = layers.Conv2D(4 * filters, hidden_kernel, use_bias=False, name="hidden", **common)

    def build(self, x_shape: Any, hidden_shape: Any, cell_shape: Any) -> None:
        self.of_input.build(x_shape)
        self.of_hidden.build(hidden_shape)

    def call(self, x: Any, hidden: Any, cell: Any) -> Any:
        gates = self.of_input(x) + self.of_hidden(hidden)
        enter, keep, out, new = ops.split(gates, 4, axis=-1)
        # One more makes the unit remember at the start of training (Jozefowicz et al. 2015).
        cell = ops.sigmoid(keep + 1) * cell + ops.sigmoid(enter) * ops.tanh(new)
        return ops.sigmoid(out) * ops.tanh(cell), cell


@keras.saving.register_keras_serializable("msroi")
class DepthToSpace(layers.Layer):
    """(n, h, w, 4 c) to (n, 2 h, 2 w, c)."""

    def call(self, x: Any) -> Any:
        height, width, channels = ops.shape(x)[1], ops.shape(x)[2], x.shape[3]
        x = ops.reshape(x, (-1, height, width, 2, 2, channels // 4))
        return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, 2 * height, 2 * width, channels // 4))

    def compute_output_shape(self, input_shape: Any) -> Any:
        n, height, width, channels = input_shape
        return n, height and 2 * height, width and 2 * width, channels // 4


@dataclass(frozen=True)
class State:
    """Of one recurrent unit: pixels of the picture to one place of its state, and its filters."""

    stride: int
    filters: int


class Network:
    """The layers of one network, and one step of its encoder and decoder.

    Pictures and residuals are float (n, height, width, 3), sides multiples of 16, pixel values / 255 - 0.5.
    dtype: Keras's policy for the sums; weights are float32.
    """

    def __init__(self, architecture: Architecture, dtype: str = "float32") -> None:
        self.architecture, self.dtype = architecture, dtype
        f = architecture.filters
        self.first = layers.Conv2D(f(64), 3, strides=2, padding="same", dtype=dtype, name="A")
        self.encoder = [
            ConvLstm(f(256), stride=2, dtype=dtype, name="B"),
            ConvLstm(f(512), stride=2, dtype=dtype, name="C"),
            ConvLstm(f(512), stride=2, dtype=dtype, name="D"),
        ]
        self.binariser = layers.Conv2D(BITS, 1, activation="tanh", dtype=dtype, name="binariser")
        self.widening = layers.Conv2D(f(512), 1, dtype=dtype, name="widening")
        self.decoder = [
            ConvLstm(f(512), dtype=dtype, name="E"),
            ConvLstm(f(512), dtype=dtype, name="F"),
            ConvLstm(f(256), hidden_kernel=3, dtype=dtype, name="G"),
            ConvLstm(f(128), hidden_kernel=3, dtype=dtype, name="H"),
        ]
        self.enlarging = DepthToSpace(dtype=dtype, name="depth_to_space")
        self.last = layers.Conv2D(3, 1, dtype="float32", name="last")
        self.encoder_states = [State(4, f(256)), State(8, f(512)), State(16, f(512))]
        self.decoder_states = [State(16, f(512)), State(8, f(512)), State(4, f(256)), State(2, f(128))]

    @property
    def layers(self) -> list[Any]:
        return [self.first, *self.encoder, self.binariser, self.widening, *self.decoder, self.last]

    def encode(self, residual: Any, states: Sequence[Any]) -> tuple[Any, list[Any]]:
        """One iteration: what the binariser makes of the residual, in [-1, 1], before the sign; the new states."""
        x, after = self.first(RESIDUAL_GAIN * residual), []
        for i, unit in enumerate(self.encoder):
            x, cell = unit(x, states[2 * i], states[2 * i + 1])
            after += [x, cell]
        return self.binariser(x), after

    def decode(self, bits: Any, states: Sequence[Any]) -> tuple[Any, list[Any]]:
        """One iteration: what the bits (n, rows, columns, 32) add to the picture; the new states."""
        x, after = self.widening(bits), []
        for i, unit in enumerate(self.decoder):
            x, cell = unit(x, states[2 * i], states[2 * i + 1])
            after += [x, cell]
            x = self.enlarging(x)
        return self.last(x), after

    def blank(self, states: Sequence[State], n: int, height: int, width: int) -> list[np.ndarray]:
        """The states at the start: zeros, two of each unit."""
        shapes = [(n, height // s.stride, width // s.stride, s.filters) for s in states]
        return [np.zeros(shape, np.float32) for shape in shapes for _ in range(2)]

    def stepper(self, decoder: bool) -> keras.Model:
        """A model of one step of the encoder or decoder: [x, *states] -> [y, *states]."""
        states = self.decoder_states if decoder else self.encoder_states
        x = keras.Input((None, None, BITS if decoder else 3), name="x")
        before = [keras.Input((None, None, s.filters)) for s in states for _ in range(2)]
        y, after = (self.decode if decoder else self.encode)(x, before)
        return keras.Model([x, *before], [y, *after])

    def build(self) -> None:
        """Give all layers their weights."""
        if not self.first.built:
            self.stepper(False), self.stepper(True)

    def named_weights(self) -> Iterator[tuple[str, Any]]:
        """(name, variable) of every weight; names do not depend on Keras's counters."""
        self.build()
        for layer in self.layers:
            parts = [(layer.name, layer)]
            if isinstance(layer, ConvLstm):
                parts = [(f"{layer.name}/input", layer.of_input), (f"{layer.name}/hidden", layer.of_hidden)]
            for name, part in parts:
                yield f"{name}/kernel", part.kernel
                if part.use_bias:
                    yield f"{name}/bias", part.bias

    def assign(self, weights: Any) -> None:
        """Take the weights from a mapping by name."""
        for name, variable in self.named_weights():
            variable.assign(np.asarray(weights[name], np.float32))


def random_weights(path: Path, width: float = 1 / 16, seed: int = 0) -> None:
    """Write an untrained network and context model to `path`, for tests: they code any picture, badly."""
    keras.utils.set_random_seed(seed)
    network = Network(Architecture(width))
    arrays: dict[str, Any] = {n: keras.ops.convert_to_numpy(v).astype(np.float16) for n, v in network.named_weights()}
    np.savez(path, width=np.float32(width), **(arrays | context.random_weights(seed)))
