"""What all training programs share: a run that is stopped and gone on with is the run that was never stopped."""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from msroi.errors import MsroiError, OptionError
from train.common import command, files, history
from train.common.ahead import AHEAD, made_ahead


def test_what_is_made_ahead_comes_in_order_and_only_so_far() -> None:
    begun: list[int] = []

    def make(key: int) -> int:
        begun.append(key)
        return key * key

    pairs = made_ahead(make, range(9), threads=2)
    assert next(pairs) == (0, 0) and max(begun) <= AHEAD
    assert list(pairs) == [(key, key * key) for key in range(1, 9)]


def test_what_cannot_be_made_is_told_at_its_place() -> None:
    def make(key: int) -> int:
        assert threading.current_thread() is not threading.main_thread()
        if key == 3:
            raise OptionError("no third")
        return key

    found = []
    with pytest.raises(OptionError, match="no third"):
        for key, _ in made_ahead(make, range(9)):
            found.append(key)
    assert found == [0, 1, 2]


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    files.write_json(tmp_path / "run.json", {"a": 1})
    with pytest.raises(RuntimeError), files.replacing(tmp_path / "run.json") as beside:
        beside.write_text('{"a"')
        raise RuntimeError
    assert json.loads((tmp_path / "run.json").read_text()) == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_history_forgets_what_lies_behind_the_checkpoint(tmp_path: Path) -> None:
    assert history.read(tmp_path) == []
    for step in (2, 4, 6):
        history.append(tmp_path, {"step": step, "loss": 1 / step})
    with (tmp_path / history.FILE).open("a") as file:
        file.write('{"step": 8, "lo')  # killed in the middle of a line
    assert [row["step"] for row in history.read(tmp_path)] == [2, 4, 6]
    history.go_back(tmp_path, 4)
    assert [row["step"] for row in history.read(tmp_path)] == [2, 4]
    loss = history.Panel("loss", lambda row: {"loss": row["loss"]}, logarithmic=True)
    history.draw(tmp_path, [loss, history.Panel("nothing", lambda row: {}, limits=(0, 1))])
    assert (tmp_path / history.PICTURE).read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (command.InputsError(["one", "two"]), OptionError.exit_status, ["train.trial: one", "train.trial: two"]),
        (OptionError("one"), OptionError.exit_status, ["train.trial: one"]),
        (KeyboardInterrupt(), command.INTERRUPTED, ["train.trial: interrupted"]),
        (None, 0, []),
    ],
)
def test_an_error_is_a_line_and_a_status(
    error: BaseException | None, status: int, said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    def work(options: argparse.Namespace) -> None:
        if error:
            raise error

    parser = command.parser("train.trial", "Try it: `python -m train.trial`.\n\nMore.")
    assert "Try it" in parser.format_help() and "usage: python -m train.trial" in parser.format_help()
    assert command.run(parser, work, []) == status
    assert capsys.readouterr().err.splitlines() == said


STEPS = 6
RECIPE = {"name": "line", "rate": 0.05}


@pytest.fixture(scope="module")
def line() -> Any:
    """A network of one dense layer that learns a line, as a task: losses, a judge, a seed generator that goes on."""
    keras = pytest.importorskip("keras", reason="needs the keras extra")
    from train.common.loop import Task
    from train.common.optimisers import averaged, optimiser

    class Noisy(keras.layers.Layer):
        """What a variational network does: its draws are part of the run's state."""

        def build(self, shape: Any) -> None:
            self.random = keras.random.SeedGenerator(5)

        def call(self, x: Any) -> Any:
            return x + 0.01 * keras.random.normal(keras.ops.shape(x), seed=self.random)

    class Line(Task):
        def __init__(self, stop_at: int | None = None) -> None:
            keras.utils.set_random_seed(1)
            self.stop_at, self.kept = stop_at, 0
            self.trainer = keras.Sequential([keras.Input((3,)), Noisy(), keras.layers.Dense(2)])
            adam = optimiser(0.05, STEPS, weight_decay=0.01, clip_norm=0.5, average=0.5)
            self.trainer.compile(optimizer=adam, loss="mse")

        def batch(self, step: int) -> Any:
            if step == self.stop_at:
                raise KeyboardInterrupt
            x = np.random.default_rng((7, step)).normal(size=(4, 3)).astype(np.float32)
            return x, x[:, :2] * 3

        def learn(self, batch: Any) -> Mapping[str, float]:
            loss = float(np.ravel(self.trainer.train_on_batch(*batch))[0])
            self.trainer.reset_metrics()
            return {"loss": loss}

        def judge(self, done: int) -> Mapping[str, Any]:
            with averaged(self.trainer):
                return {"weight": float(self.trainer.layers[-1].get_weights()[0][0, 0])}

        def keep(self) -> None:
            self.kept += 1

        def weights(self) -> list[np.ndarray]:
            return [np.asarray(value) for value in self.trainer.get_weights()]

    return Line


def plan(folder: Path, **changes: Any) -> Any:
    from train.common.loop import Plan

    folder.mkdir(exist_ok=True)
    return Plan(folder, **({"recipe": RECIPE, "steps": STEPS, "every": 2} | changes))


class TestLoop:
    def test_a_killed_run_comes_to_the_same_weights(self, line: Any, tmp_path: Path) -> None:
        from train.common.loop import train

        whole, killed, resumed = line(), line(stop_at=5), line()
        assert train(whole, plan(tmp_path / "whole")) and whole.kept == 3
        with pytest.raises(KeyboardInterrupt):
            train(killed, plan(tmp_path / "killed"))
        assert [row["step"] for row in history.read(tmp_path / "killed")] == [2, 4]
        history.append(tmp_path / "killed", {"step": 6, "loss": 9.0})  # told, and killed before the checkpoint
        assert train(resumed, plan(tmp_path / "killed"))
        for one, other in zip(whole.weights(), resumed.weights(), strict=True):
            assert np.array_equal(one, other)
        assert history.read(tmp_path / "whole") == history.read(tmp_path / "killed")

    def test_time_that_is_up_stops_behind_a_checkpoint(
        self, line: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from train.common.loop import train

        steps = []
        while not train(line(), plan(tmp_path / "run", minutes=0, every=100)):
            steps.append(history.read(tmp_path / "run")[-1]["step"])
        assert steps == [1, 2, 3, 4, 5]
        said = capsys.readouterr().out
        assert "time is up after step 1 of 6; the same command goes on" in said and "going on from step 5" in said

    def test_averages_are_there_to_be_judged_and_gone_again(self, line: Any, tmp_path: Path) -> None:
        """Keras's average after each step: momentum x average + (1 - momentum) x weight, from the first weight on."""
        from train.common.optimisers import averaged

        task, expected = line(), None
        for step in range(4):
            task.learn(task.batch(step))
            now = task.weights()[-2]
            expected = now if expected is None else 0.5 * expected + 0.5 * now
        before = task.weights()
        with averaged(task.trainer):
            assert np.allclose(task.weights()[-2], expected, atol=1e-6)
            assert not np.allclose(task.weights()[-2], before[-2], atol=1e-4)
        for one, other in zip(before, task.weights(), strict=True):
            assert np.array_equal(one, other)

    def test_the_learning_rate_rises_and_falls_as_a_cosine(self) -> None:
        pytest.importorskip("keras", reason="needs the keras extra")
        from train.common.optimisers import optimiser

        rate = optimiser(0.1, 2000)._learning_rate
        found = [float(rate(step)) for step in (0, 100, 200, 1100, 2000)]
        assert found == pytest.approx([0, 0.05, 0.1, 0.05, 0], abs=1e-6)

    def test_a_loss_that_is_no_number_ends_the_run(self, line: Any, tmp_path: Path) -> None:
        from train.common.loop import train

        task = line()
        task.learn = lambda batch: {"loss": float("nan")}
        with pytest.raises(OptionError, match="loss is nan in step 1: the run diverges; give a lower learning rate"):
            train(task, plan(tmp_path / "run"))
        with pytest.raises(OptionError, match="every 0: must be at least 1"):
            plan(tmp_path / "run", every=0)

    def test_a_checkpoint_is_of_one_run(self, line: Any, tmp_path: Path) -> None:
        """The file as every version wrote it: `step`, `recipe` as JSON, the variables in their order by number."""
        import keras

        from train.common import checkpoints

        task = line()
        task.learn(task.batch(0))
        checkpoints.save(tmp_path, task.trainer, 3, RECIPE)
        with np.load(tmp_path / checkpoints.FILE) as stored:
            arrays = dict(stored)
        n = len(task.trainer.variables) + len(task.trainer.optimizer.variables)
        assert set(arrays) == {"step", "recipe", *(f"{i:04d}" for i in range(n))}
        assert json.loads(str(arrays["recipe"])) == RECIPE
        other = line()
        assert checkpoints.restore(tmp_path, other.trainer, RECIPE) == 3
        for one, two in zip(task.weights(), other.weights(), strict=True):
            assert np.array_equal(one, two)
        with pytest.raises(OptionError, match="was made by another recipe"):
            checkpoints.restore(tmp_path, other.trainer, RECIPE | {"rate": 1})
        small = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        small.compile(optimizer="adam", loss="mse")
        with pytest.raises(OptionError, match=r"holds \d+ arrays, the network and its optimiser have"):
            checkpoints.restore(tmp_path, small, RECIPE)
        np.savez(tmp_path / checkpoints.FILE, **(arrays | {"0001": np.zeros((7, 7))}))
        with pytest.raises(OptionError, match="is of a network of another shape"):
            checkpoints.restore(tmp_path, other.trainer, RECIPE)
        assert issubclass(OptionError, MsroiError) and "keras" in sys.modules
