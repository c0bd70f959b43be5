"""The one bound for all pools of threads: the kernels', OpenCV's, ONNX Runtime's, TensorFlow's."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from files_made import encoded

from msroi import read, saliency_map
from msroi import threads as bounds
from msroi.cli import main
from msroi.saliency import network

COUNT = """
import sys, numpy as np, cv2, onnxruntime, rich.progress
from msroi.cli import main
import msroi
def n_threads():
    return int(next(line for line in open("/proc/self/status") if line.startswith("Threads:")).split()[1])
photo = np.load(sys.argv[1])
loaded = n_threads()
"""


def in_a_fresh_process(code: str, *words: object) -> str:
    """The last word that it prints. What NumPy and ONNX Runtime start when they are loaded is there before we come."""
    command = [sys.executable, "-c", COUNT + code, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


@pytest.fixture
def stored(photo: np.ndarray, tmp_path: Path) -> Path:
    np.save(tmp_path / "photo.npy", photo)
    return tmp_path / "photo.npy"


linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="threads are counted in /proc")


@linux
@pytest.mark.parametrize("method", ["rdo", "two-pass", "plain"])
def test_one_thread_is_one_thread(stored: Path, method: str) -> None:
    code = f"msroi.compress(photo, method={method!r}, threads=1, saliency='ms-roi'); print(n_threads() - loaded)"
    assert in_a_fresh_process(code, stored) == "0"


@linux
def test_one_thread_of_the_verb_map_is_one_thread(stored: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "photo.png"), np.load(stored)[..., ::-1])
    code = "assert main(['map', sys.argv[2], '--threads', '1']) == 0; print(n_threads() - loaded)"
    assert in_a_fresh_process(code, stored, tmp_path / "photo.png") == "0"
    assert (tmp_path / "photo.map.png").exists()


@pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="needs the keras extra")
def test_tensorflow_is_told_when_keras_is_loaded(stored: Path) -> None:
    code = """
from msroi import threads
threads.bound(3)
import msroi.codecs.neural.recurrent.network
import tensorflow
print(tensorflow.config.threading.get_intra_op_parallelism_threads())
"""
    assert in_a_fresh_process(code, stored) == "3"


def test_the_map_is_the_same_on_any_number(photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    seen: list[int] = []
    session = onnxruntime.InferenceSession

    def spy(data: bytes, options: Any, **more: Any) -> Any:
        seen.append(options.intra_op_num_threads)
        return session(data, options, **more)

    monkeypatch.setattr(onnxruntime, "InferenceSession", spy)
    network._load.cache_clear()
    maps = []
    for n_threads in (1, 2, 3):
        with bounds.bounded(n_threads):
            maps.append(saliency_map(photo))
    assert seen == sorted({min(n, bounds.processors()) for n in (1, 2, 3)})
    assert all(np.array_equal(one, maps[0]) for one in maps) and maps[0].std() > 0.05


@pytest.mark.parametrize("n_threads", [1, 2])
def test_decoders_with_threads_of_their_own_are_told(
    photo: np.ndarray, n_threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    avif = pytest.importorskip("PIL.AvifImagePlugin")
    decoder, own, seen = avif._avif.AvifDecoder, avif.DEFAULT_MAX_THREADS, []

    def spy(data: bytes, codec: str, most: int) -> Any:
        seen.append(most)
        return decoder(data, codec, most)

    data = encoded(photo, "AVIF")
    usual = read(data).pixels
    monkeypatch.setattr(avif._avif, "AvifDecoder", spy)
    with bounds.bounded(n_threads):
        assert np.array_equal(read(data).pixels, usual)
    assert seen == [min(n_threads, bounds.processors())] and own == avif.DEFAULT_MAX_THREADS


def test_a_bound_ends_with_its_block() -> None:
    before, opencv = bounds.most(), cv2.getNumThreads()
    with bounds.bounded(1):
        assert bounds.most() == cv2.getNumThreads() == 1
        with bounds.bounded(before + 3):
            assert bounds.most() == cv2.getNumThreads() == 1
    assert (bounds.most(), cv2.getNumThreads()) == (before, opencv)
    with bounds.bounded(None):
        assert (bounds.most(), cv2.getNumThreads()) == (before, opencv)


def test_what_others_told_opencv_stays() -> None:
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        with bounds.bounded(2):
            assert cv2.getNumThreads() == 1
        assert cv2.getNumThreads() == 1
    finally:
        cv2.setNumThreads(before)


def test_bounds_of_calls_beside_each_other() -> None:
    """The least of them holds as long as it is there, and what was before comes back, in whatever order they end."""
    before, opencv = bounds.most(), cv2.getNumThreads()
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with bounds.bounded(1):
            inside.set()
            leave.wait()

    with bounds.bounded(before):
        thread = threading.Thread(target=other)
        thread.start()
        inside.wait()
        assert bounds.most() == 1
    assert bounds.most() == cv2.getNumThreads() == 1
    leave.set()
    thread.join()
    assert (bounds.most(), cv2.getNumThreads()) == (before, opencv)


@pytest.fixture
def nothing_for_good(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(bounds, "_bounds", bounds._Bounds())
    before = cv2.getNumThreads()
    yield
    cv2.setNumThreads(before)


@pytest.mark.usefixtures("nothing_for_good")
def test_a_process_of_ours_is_bound_for_good() -> None:
    bounds.bound(3)
    assert bounds.most() == cv2.getNumThreads() == 3
    with bounds.bounded(2):
        assert bounds.most() == cv2.getNumThreads() == 2
    assert bounds.most() == cv2.getNumThreads() == 3


@pytest.mark.usefixtures("nothing_for_good")
def test_the_verb_map_takes_threads(photo: np.ndarray, folder: Path) -> None:
    cv2.imwrite("photo.png", photo[..., ::-1])
    assert main(["map", "photo.png", "--threads", "1", "--map-kind", "none"]) == 0
    assert Path("photo.map.png").exists()
