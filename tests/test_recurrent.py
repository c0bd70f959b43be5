"""The recurrent codec's parts: network, context model, training. The contract that all codecs keep is elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("constriction", reason="needs the keras extra")

import neural_made

from msroi.codecs.neural import container
from msroi.codecs.neural.recurrent import allocation, context
from msroi.codecs.neural.recurrent.codec import Recurrent
from msroi.codecs.neural.recurrent.context import BITS, INPUTS, PAST, ContextModel
from msroi.entropy import BIT_TABLES
from msroi.errors import BitstreamError
from msroi.images import read
from msroi.saliency.steering import Steering

KODAK_CELLS = 48 * 32


@pytest.fixture(scope="module")
def model() -> ContextModel:
    return ContextModel.of(context.random_weights(1))


def some_bits(seed: int, rows: int = 5, columns: int = 7, silent: float = 0.3) -> np.ndarray:
    random = np.random.default_rng(seed)
    bits = random.choice(np.array([-1, 1], np.int8), (rows, columns, BITS))
    bits[random.random((rows, columns)) < silent] = 0
    return bits


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (5, 7), (8, 8)])
@pytest.mark.parametrize("silent", [0.0, 0.4, 1.0])
def test_an_iteration_decodes_to_its_bits(model: ContextModel, shape: tuple[int, int], silent: float) -> None:
    bits = some_bits(1, *shape, silent)
    past = np.stack([some_bits(2, *shape, 0), some_bits(3, *shape, 0)])
    data = context.encode(model, bits, past, 3)
    assert np.array_equal(context.decode(model, data, bits[..., 0] != 0, past, 3), bits)


def test_silent_cells_cost_nothing(model: ContextModel) -> None:
    nothing = np.zeros((4, 4, BITS), np.int8)
    assert context.encode(model, nothing, np.zeros((PAST, 4, 4, BITS), np.int8), 0) == b""


def test_the_code_is_as_long_as_the_model_says(model: ContextModel) -> None:
    bits = some_bits(4, 24, 24, 0)
    past = np.stack([some_bits(5, 24, 24), some_bits(6, 24, 24)])
    expected = context.cost(model, bits, past, 7) / 8
    assert abs(len(context.encode(model, bits, past, 7)) - expected) < 0.01 * expected + 16


def test_sums_are_whole_numbers_and_the_same_in_any_order(model: ContextModel) -> None:
    random = np.random.default_rng(7)
    seen = random.integers(-1, 2, (50, INPUTS)).astype(np.int8)
    found = model.indices(model.sums(seen, 2), 1, 2)
    part = slice(2 * 8, 3 * 8)
    by_step = (model.by_iteration[2] + model.by_step[6]).astype(np.int64)
    hidden = seen.astype(np.int64) @ model.first.astype(np.int64) + by_step
    hidden = np.clip((2 * hidden * context.STEPS + context.WEIGHT_STEPS) // (2 * context.WEIGHT_STEPS), 0, context.MOST)
    hidden = hidden @ model.second.astype(np.int64) + model.second_bias.astype(np.int64)
    hidden = np.clip((2 * hidden + context.WEIGHT_STEPS) // (2 * context.WEIGHT_STEPS), 0, context.MOST)
    sums = hidden @ model.last[:, part].astype(np.int64) + model.last_bias[part].astype(np.int64)
    steps = context.WEIGHT_STEPS * context.STEPS // context.INDEX_STEPS
    middle = BIT_TABLES.n_tables // 2
    assert np.array_equal(found, np.clip((2 * sums + steps) // (2 * steps), -middle, middle) + middle)


def test_no_bit_is_predicted_by_itself_or_by_what_comes_later(model: ContextModel) -> None:
    """Turning the bits of one step changes no table of that step or of one before."""
    bits, past = some_bits(8, 6, 6, 0), np.zeros((PAST, 6, 6, BITS), np.int8)

    def tables(of: np.ndarray) -> list[np.ndarray]:
        found: list[np.ndarray] = []

        def note(index: np.ndarray, where: tuple[np.ndarray, ...]) -> np.ndarray:
            found.append(index)
            return np.asarray(of[where])

        context._walk(model, of != 0, past, 0, note)
        return found

    before = tables(bits)
    for i in (0, 5, 10, 15):
        group, part = divmod(i, context.PARTS)
        _, y, x = list(context.groups(bits[..., 0] != 0))[group]
        turned = bits.copy()
        turned[y, x, 8 * part : 8 * part + 8] *= -1
        after = tables(turned)
        assert all(np.array_equal(a, b) for a, b in zip(before[: i + 1], after[: i + 1], strict=True))
        assert i == 15 or any(not np.array_equal(a, b) for a, b in zip(before[i + 1 :], after[i + 1 :], strict=True))


class TestWithKeras:
    """What needs the extra `keras`."""

    @pytest.fixture(autouse=True)
    def _keras(self) -> None:
        pytest.importorskip("keras", reason="needs the keras extra")

    def test_the_published_widths_cost_what_was_published(self) -> None:
        """284 GMAC an iteration at Kodak's size: our reading of the units is of the published size."""
        from msroi.codecs.neural.recurrent.network import Architecture, Network

        network = Network(Architecture())
        strides = {"A": 2, "B": 4, "C": 8, "D": 16, "binariser": 16, "widening": 16, "E": 16, "F": 8, "G": 4, "H": 2}
        pixels = KODAK_CELLS * 256
        n_weights = n_products = 0
        for name, weight in network.named_weights():
            n_weights += int(np.prod(weight.shape))
            if name.endswith("kernel"):
                n_products += int(np.prod(weight.shape)) * pixels // strides.get(name.split("/")[0], 1) ** 2
        assert abs(n_products / 1e9 - 284) < 3
        assert abs(n_weights / 1e6 - 35.5) < 0.1

    def test_what_is_taught_is_what_is_seen_at_work(self) -> None:
        from train.recurrent.contexts import examples

        bits = np.stack([some_bits(i, 6, 5, 0) for i in range(4)])
        seen_at_work: dict[tuple[int, bytes], bytes] = {}
        for t in (0, 3):
            known = np.zeros((1 + PAST, 8, 7, BITS), np.int8)
            for age in range(1, 1 + PAST):
                if t >= age:
                    known[age, 1:-1, 1:-1] = bits[t - age]
            for group, y, x in context.groups(bits[t, ..., 0] != 0):
                for part in range(context.PARTS):
                    seen = context.neighbourhoods(known, y, x)
                    for one, true in zip(seen, bits[t, y, x], strict=True):
                        seen_at_work[group * context.PARTS + part, true.tobytes()] = one.tobytes()
                    own = slice(8 * part, 8 * part + 8)
                    known[0, y + 1, x + 1, own] = bits[t, y, x, own]
            for seen, step, true in zip(*examples(bits, t, 300, np.random.default_rng(0)), strict=True):
                assert seen_at_work[int(step), true.tobytes()] == seen.tobytes()
            seen_at_work.clear()

    def test_training_makes_a_file_that_codes(self, tmp_path: Path) -> None:
        """The two programs, a few steps each, on photos that the test makes; stopped and gone on with in between."""
        from PIL import Image

        from msroi.codecs.neural.recurrent.codec import Recurrent
        from msroi.images import read
        from train.recurrent import __main__ as recurrent
        from train.recurrent import contexts

        random = np.random.default_rng(0)
        for i in range(3):
            smooth = random.integers(0, 256, (6, 6, 3), np.uint8)
            Image.fromarray(smooth).resize((96, 80), Image.Resampling.BICUBIC).save(tmp_path / f"{i}.png")
        words = [
            "--photos",
            f"{tmp_path}=4",
            "--judges",
            str(tmp_path),
            "--output",
            str(tmp_path / "run"),
            "--every",
            "2",
        ]
        assert recurrent.main(["--recipe", "smoke", *words]) == 0
        assert recurrent.main(["--recipe", "smoke", *words]) == 0
        rows = [json.loads(line) for line in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
        assert [row["step"] for row in rows] == [2, 4]
        assert (tmp_path / "run" / "learning_curve.png").stat().st_size > 0
        words = [str(tmp_path / "run"), "--photos", str(tmp_path), "--judges", str(tmp_path), "--steps", "3"]
        assert contexts.main([*words, "--output", str(tmp_path / "out")]) == 0
        card = json.loads((tmp_path / "out" / "recurrent.json").read_text())
        codec = Recurrent(tmp_path / "out" / "recurrent.npz")
        assert card["sha256"] == codec.network_sha256
        picture = random.integers(0, 256, (33, 50, 3), np.uint8)
        assert codec.decode(codec.start(read(picture)).encode(2)).shape == picture.shape

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--recipe", "nothing"], "recipes are"),
            ([], "no photos to train on"),
            (["--photos", "DIR=x"], "FOLDER=N"),
            (["--photos", "DIR=3"], "no photos of 64 pixels"),
        ],
    )
    def test_wrong_words_are_one_line(
        self, words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from train.recurrent import __main__ as recurrent

        given = [word.replace("DIR", str(tmp_path)) for word in words]
        assert recurrent.main(["--output", str(tmp_path / "run"), *given]) != 0
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1

    def test_cifar_100_is_read(self, tmp_path: Path) -> None:
        from train.data import patches

        record = np.arange(patches.CIFAR_RECORD, dtype=np.uint32).astype(np.uint8)
        (tmp_path / "train.bin").write_bytes(record.tobytes() * 2)
        found = patches.cifar100(tmp_path / "train.bin")
        assert found.shape == (2, 32, 32, 3)
        assert found[1, 0, 1].tolist() == [record[3], record[3 + 1024], record[3 + 2048]]


class TestFiles:
    """What is this codec's own in its files: levels, and a search that makes few of them."""

    @pytest.fixture(scope="class")
    def codec(self, tmp_path_factory: pytest.TempPathFactory) -> Recurrent:
        pytest.importorskip("keras", reason="needs the keras extra")
        weights = tmp_path_factory.mktemp("recurrent") / "network.npz"
        neural_made.UNTRAINED["recurrent"](weights, 0)
        return Recurrent(weights)

    def test_a_map_moves_iterations_to_where_it_is_bright(self, codec: Recurrent) -> None:
        saliency = np.full((96, 128), 0.05, np.float32)
        saliency[:48, :64] = 1
        data = codec.start(read(neural_made.picture(96, 128)), Steering.of(saliency)).encode(3)
        levels = allocation.decode_levels(container.read(data)[1][0].payload, 6, 8)
        assert levels[:3, :4].min() >= 2 * levels[3:].max()
        assert levels.sum() == 3 * levels.size

    def test_levels_that_no_encoder_writes_are_refused(self, codec: Recurrent) -> None:
        header, sections = container.read(codec.start(read(neural_made.picture(33, 47))).encode(2))
        for level in (25, 200, 253):
            levels = container.Section(container.ALLOCATION, bytes([level]))
            hostile = container.write(header, [levels] + sections[-1:] * level)
            for decode in (codec.decode, codec.preview):
                with pytest.raises(BitstreamError):
                    decode(hostile)

    def test_settings_of_one_allocation_are_coded_once(self, codec: Recurrent, monkeypatch: pytest.MonkeyPatch) -> None:
        session = codec.start(read(neural_made.picture(33, 47)))  # 9 cells
        made = []
        true = session.code
        monkeypatch.setattr(session, "code", lambda setting: made.append(setting) or true(setting))
        assert session.encode(1.5) is session.encode(1.5 + 1e-6) is session.encode(13.9 / 9)
        assert session.encode(14 / 9) != session.encode(1.5)
        assert made == [1.5, 14 / 9]
