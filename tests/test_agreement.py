"""How maps are measured: known maps with known scores, the program end to end on two photos."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from msroi.saliency import make_map, network, read_outs
from train.saliency.measures import max_f
from train.studies import agreement, baselines, maps, people, steering

CORNER = np.array([(0, 0), (19, 0), (19, 9), (0, 9)])


@pytest.fixture
def sets(photo: np.ndarray, tmp_path: Path) -> dict[str, Path]:
    """Two photos with masks, two with fixations, one with faces, one with words."""
    folders = {name: tmp_path / name for name in ("ecssd", "osie", "faces", "text")}
    small = np.ascontiguousarray(photo[::2, ::2])
    height, width = small.shape[:2]
    for folder in folders.values():
        (folder / "image").mkdir(parents=True)
        for name, pixels in (("a", small), ("b", small[:, ::-1])):
            Image.fromarray(pixels).save(folder / "image" / f"{name}.jpg", quality=95)
    (folders["ecssd"] / "mask").mkdir()
    for name in ("a", "b"):
        mask = np.zeros((height, width), np.uint8)
        mask[height // 4 : height // 2, width // 4 : width // 2] = 255
        Image.fromarray(mask).save(folders["ecssd"] / "mask" / f"{name}.png")
    looked = {"fixations": [[width * x, height * 0.3] for x in (0.4, 0.5, 0.55)]}
    (folders["osie"] / "fixations.json").write_text(json.dumps({"a.jpg": looked, "b.jpg": looked}))
    face = {"box": [width * 0.4, height * 0.1, 50, 50], "back": 0}
    backs = {"box": [1, 1, 40, 40], "back": 1}, {"box": [1, 1, 40, 20], "back": 0}
    (folders["faces"] / "faces.json").write_text(json.dumps({"a.jpg": {"faces": [face, *backs]}}))
    quads = [{"quad": [0, 0, 30, 0, 30, 12, 0, 12], "word": word} for word in ("LAUNCH", "###")]
    (folders["text"] / "words.json").write_text(json.dumps({"b.jpg": {"words": quads}}))
    return folders


def test_a_flat_map_says_nothing() -> None:
    flat = np.full((60, 80), 0.5, np.float32)
    assert people.auc_judd(flat, flat[::7, ::9].ravel()) == pytest.approx(0.5)
    assert people.in_upper_third(flat, [CORNER]) == [False]


def test_auc_of_a_map_that_ranks_all_hits_first_is_one() -> None:
    saliency = np.zeros((50, 50))
    saliency[10, 10:15] = np.arange(1, 6)
    assert people.auc_judd(saliency, saliency[10, 10:15]) == pytest.approx(1, abs=0.01)
    assert people.auc_judd(-saliency, -saliency[10, 10:15]) <= 0.11  # a triangle up to the first hit


def test_the_upper_third_is_of_area_whatever_the_curve() -> None:
    """A ramp over 60 rows: its upper third are the last 20, also when the ramp is squared."""
    ramp = np.repeat(np.linspace(0, 1, 60)[:, None], 40, axis=1)
    bands = [CORNER + (3, top) for top in (0, 20, 35, 45, 50)]
    expected = [False, False, False, True, True]
    assert people.in_upper_third(ramp, bands) == expected
    assert people.in_upper_third(ramp**4, bands) == expected
    outside = CORNER + 500
    assert people.in_upper_third(ramp, [outside]) == [False]


def test_largest_f_is_over_all_thresholds() -> None:
    random = np.random.default_rng(3)
    maps = np.round(random.random((4, 30, 30)) * 1024) / 1024
    truth = (maps + random.random(maps.shape) > 1.1).astype(float)
    best = 0.0
    for threshold in np.arange(1, 256) / 256:
        found = maps >= threshold
        both = (found & (truth > 0)).sum((1, 2))
        precision, recall = (both / np.maximum(n.sum((1, 2)), 1) for n in (found, truth))
        p, r = precision.mean(), recall.mean()
        best = max(best, 1.3 * p * r / max(0.3 * p + r, 1e-12))
    assert max_f(maps, truth) == pytest.approx(best, abs=1e-12)


def test_baselines_are_maps(photo: np.ndarray) -> None:
    for pixels in (photo, photo[..., 0], np.full((3, 5), 7, np.uint8)):
        for baseline in (baselines.centre_blob, baselines.spectral_residual):
            saliency = baseline(pixels)
            assert saliency.shape == pixels.shape[:2] and saliency.dtype == np.float32
            assert saliency.min() >= 0 and saliency.max() <= 1
    odd = np.random.default_rng(1).integers(100, 140, (200, 300), dtype=np.uint8)
    odd[80:100, 140:160] = 250
    y, x = np.unravel_index(baselines.spectral_residual(odd).argmax(), odd.shape)
    assert 70 <= y < 110 and 130 <= x < 170


def test_other_classes_make_other_maps(photo: np.ndarray) -> None:
    net = network.load()
    best = agreement.map_of_network(net, "objects")(photo)
    assert np.array_equal(best, make_map(photo, "objects"))
    random, again = (agreement.map_of_network(net, "objects", agreement.RandomClasses()) for _ in range(2))
    first = random(photo)
    assert np.array_equal(first, again(photo)) and not np.allclose(first, best, atol=0.05)
    shared = agreement.all_classes(net.look(net.see(photo)))
    assert np.ptp(shared.object_maps, axis=0).max() == 0


def test_the_program_prints_scores_and_draws_the_cases(
    sets: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word for name, folder in sets.items() for word in (f"--{name}", folder)]
    words += ["--kinds", "ms-roi", "--ablation", "--float", network.WEIGHTS]
    words += ["--sheet", tmp_path / "sheet.png", "--json", tmp_path / "rows.json"]
    assert agreement.main(list(map(str, words))) == 0
    told = capsys.readouterr().out
    assert "| map | max-F | MAE | AUC-Judd | NSS | CC | faces | words |" in told
    assert "ms-roi: 8 bits against 32, correlation 1.0000" in told  # the same file on both sides
    rows = {row["map"]: row for row in json.loads((tmp_path / "rows.json").read_text())}
    others = {"ms-roi, five random classes", "ms-roi, all classes", "ms-roi, 32 bits"}
    assert set(rows) == {"centre", "spectral residual x centre", "ms-roi", *others}
    assert rows["ms-roi"]["faces"] == 1 and rows["ms-roi"]["words"] == 0
    assert rows["ms-roi"]["MAE"] == pytest.approx(rows["ms-roi, 32 bits"]["MAE"])
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.format == "PNG" and sheet.width > 1000


def test_missing_sets_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert agreement.main(["--ecssd", str(tmp_path / "none"), "--kinds", "gaze"]) == 2
    assert "no such folder" in capsys.readouterr().err


def test_the_study_of_steering_follows_what_msroi_follows(photo: np.ndarray) -> None:
    objects, gaze = make_map(photo, "objects"), make_map(photo, "gaze")
    followed = steering.followed(objects, gaze, (0.5, read_outs.BACKGROUND, read_outs.SUBJECT))
    assert np.abs(followed - maps.networks_map(photo, "ms-roi", "fast")).max() < 0.02
    assert np.array_equal(steering.followed(objects, gaze, (1.0, 0.0, 1.0)), objects)


def test_the_study_of_steering_prints_what_is_gained(
    photo: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A photo whose name is among those held back, with a mask and with fixations; a map that cannot be is refused."""
    name = next(f"{i}.jpg" for i in range(999) if zlib.crc32(f"{i}.jpg".encode()) % 20 == 0)
    for part in ("image", "mask"):
        (tmp_path / part).mkdir()
    height, width = photo.shape[:2]
    Image.fromarray(photo).save(tmp_path / "image" / name, quality=95)
    mask = np.zeros((height, width), np.uint8)
    mask[: height // 2, width // 4 : width // 2] = 255
    Image.fromarray(mask).save(tmp_path / "mask" / name.replace("jpg", "png"))
    looked = {name: {"fixations": [[width * 0.4, height * 0.2], [width * 0.45, height * 0.3]]}}
    (tmp_path / "fixations.json").write_text(json.dumps(looked))
    words = ["--duts", str(tmp_path), "--mit1003", str(tmp_path), "--follow", "1,.1,.5", "0,0,1"]
    assert steering.main(words) == 0
    told = capsys.readouterr().out
    assert told.count("1 photos") == 3 and told.count("  1,0.1,0.5 ") == told.count("  0,0,1 ") == 3
    assert "  people         100.0 % 100.0 % | 100 %" in told
    with pytest.raises(SystemExit):
        steering.main(["--follow", ".5,.6,.2"])
    assert steering.main(["--duts", str(tmp_path / "none")]) == 2
