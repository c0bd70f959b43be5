"""The optimiser of a run: Adam or AdamW, its learning rate, clipped gradients, averaged weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

WARM_UP = 200
"""Steps over which the learning rate rises from 0; a tenth of the run where that is shorter."""

NOT_DECAYED = ["bias", "gamma", "beta", "scale", "offset"]
"""Names of weights that decay would only pull off their place."""


def optimiser(
    learning_rate: float,
    steps: int,
    *,
    cosine: bool = True,
    cycle: int | None = None,
    weight_decay: float = 0.0,
    clip_norm: float | None = None,
    average: float | None = None,
) -> keras.optimizers.Optimizer:
    """Adam, or AdamW where weights decay.

    learning_rate: the peak, after a linear warm-up, falling to 0 as a cosine over `steps`; constant without `cosine`.
    cycle: the fall takes so many steps, then begins again from four fifths of its peak and takes twice as long: a run
    whose end nobody knows has weights at rest now and then. None: one fall.
    clip_norm: the largest norm of all gradients together; None: as they are. average: the momentum of the moving
    average of each weight (.999: over about a thousand steps), which `averaged` puts in the weights' place; None: none.
    Averages and moments are variables of the optimiser, so that a checkpoint holds them.
    """
    rate: Any = learning_rate
    if cosine:
        warm_up = min(WARM_UP, max(1, (cycle or steps) // 10))
        if cycle:
            rate = Restarting(learning_rate, cycle, warm_up)
        else:
            rate = keras.optimizers.schedules.CosineDecay(
                0.0, max(1, steps - warm_up), warmup_target=learning_rate, warmup_steps=warm_up
            )
    options: dict[str, Any] = {"global_clipnorm": clip_norm}
    if average is not None:
        options |= {"use_ema": True, "ema_momentum": average}
    if not weight_decay:
        return keras.optimizers.Adam(rate, **options)
    made = keras.optimizers.AdamW(rate, weight_decay=weight_decay, **options)
    made.exclude_from_weight_decay(var_names=NOT_DECAYED)
    return made


class Restarting(keras.optimizers.schedules.LearningRateSchedule):
    """A cosine over `cycle` steps, then over twice as many from .8 of its peak, and so on; each rises in `warm_up`.

    Loshchilov, Hutter, "SGDR", ICLR 2017.
    """

    def __init__(self, peak: float, cycle: int, warm_up: int) -> None:
        self.peak, self.cycle, self.warm_up = peak, cycle, warm_up

    def __call__(self, step: Any) -> Any:
        ops = keras.ops
        step = ops.cast(step, "float32")
        # Cycle i begins at step cycle * (2^i - 1). The small number keeps a first step from the cycle before.
        number = ops.floor(ops.log2(step / self.cycle + 1) + 1e-6)
        length = self.cycle * 2.0**number
        place = step - self.cycle * (2.0**number - 1)
        rising = ops.minimum(1.0, (place + 1) / self.warm_up)
        falling = (1 + ops.cos(math.pi * ops.clip(place / length, 0, 1))) / 2
        return self.peak * 0.8**number * rising * falling

    def get_config(self) -> dict[str, Any]:
        return {"peak": self.peak, "cycle": self.cycle, "warm_up": self.warm_up}


@contextmanager
def averaged(trainer: keras.Model) -> Iterator[None]:
    """Within, the trained weights are their moving averages: what is judged and shipped; behind, what they were."""
    weights = trainer.trainable_variables
    if not trainer.optimizer.use_ema or not trainer.optimizer.built:
        yield
        return
    kept = [keras.ops.convert_to_numpy(weight).copy() for weight in weights]
    trainer.optimizer.finalize_variable_values(weights)
    try:
        yield
    finally:
        for weight, value in zip(weights, kept, strict=True):
            weight.assign(value)
