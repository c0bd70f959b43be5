"""The training loop: batches made ahead, reports, checkpoints, an end by steps or by the clock.

    task.batch(step) -> task.learn(batch) -> losses;  every so often: task.judge -> history.jsonl, checkpoint.npz

A run that is killed, or whose time is up, goes on from its last checkpoint when the same command is given again, and
comes to the same weights: a batch is a function of its step alone.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from msroi.errors import OptionError
from train.common import checkpoints, history
from train.common.ahead import made_ahead
from train.common.command import say

if TYPE_CHECKING:
    import keras

DIGITS = 5


@dataclass(frozen=True)
class Plan:
    """What a run is to do. folder: where it writes. recipe: what must be equal for a checkpoint to be gone on from.

    steps: of the whole run. every: steps from one report and checkpoint to the next. minutes: after so many, counted
    from where this process began, the run stops behind the step it is at; None: when its steps are done.
    """

    folder: Path
    recipe: dict[str, Any]
    steps: int
    every: int
    minutes: float | None = None

    def __post_init__(self) -> None:
        for name, value, least in (("steps", self.steps, 1), ("every", self.every, 1), ("minutes", self.minutes, 0)):
            if value is not None and value < least:
                raise OptionError(f"{name} {value}: must be at least {least}")


class Task(ABC):
    """What a network brings to the loop."""

    trainer: keras.Model
    """Compiled; its variables and its optimiser's are the state of the run."""

    @abstractmethod
    def batch(self, step: int) -> Any:
        """What step `step` (from 0) is taught with: a function of the step alone. Runs in another thread."""

    @abstractmethod
    def learn(self, batch: Any) -> Mapping[str, float]:
        """One step; its losses by name. History has their means over the steps from one report to the next."""

    def judge(self, done: int) -> Mapping[str, Any]:
        """After `done` steps, at a report: scores for the history, on what is not trained on."""
        return {}

    def keep(self) -> None:  # noqa: B027 - not every network has something to write
        """At a report, behind its checkpoint: write what others read."""


def train(task: Task, plan: Plan) -> bool:
    """Run the plan's steps from the last checkpoint on; whether all are done.

    Errors: OptionError for a checkpoint of another run, and for a loss that is no number: the last checkpoint stays.
    """
    first = checkpoints.restore(plan.folder, task.trainer, plan.recipe)
    history.go_back(plan.folder, first)
    say(f"going on from step {first}" if first else "starting")
    started = time.monotonic()
    losses: dict[str, list[float]] = {}
    for step, batch in made_ahead(task.batch, range(first, plan.steps)):
        _gather(losses, task.learn(batch), step)
        done, seconds = step + 1, time.monotonic() - started
        late = plan.minutes is not None and seconds >= 60 * plan.minutes
        if done % plan.every and done != plan.steps and not late:
            continue
        row = {"step": done} | {name: round(float(np.mean(values)), DIGITS) for name, values in losses.items()}
        losses = {}
        row |= task.judge(done)
        history.append(plan.folder, row)
        checkpoints.save(plan.folder, task.trainer, done, plan.recipe)
        task.keep()
        left = (plan.steps - done) * (time.monotonic() - started) / (done - first) / 60
        say(" ".join(f"{name} {value}" for name, value in row.items()) + f" | {left:.0f} minutes left")
        if late and done != plan.steps:
            say(f"time is up after step {done} of {plan.steps}; the same command goes on from there")
            return False
    return True


def _gather(losses: dict[str, list[float]], found: Mapping[str, float], step: int) -> None:
    for name, value in found.items():
        if not math.isfinite(value):
            raise OptionError(f"{name} is {value} in step {step + 1}: the run diverges; give a lower learning rate")
        losses.setdefault(name, []).append(value)
