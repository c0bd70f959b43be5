"""The examples run as they stand, in a folder of their own, and stay short."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))

# What each must have printed and written.
RESULTS = {
    "bytes_in_memory.py": (r"200 image/jpeg, [\d,]+ bytes: \w{16}\n.*\n422 text/plain", set()),
    "compare_files.py": (r"rocket-plain\.jpg: .* dB.*\nrocket-msroi\.jpg: .* weighted", {"rocket-msroi.jpg"}),
    "compress_a_photo.py": (r"plain JPEG at quality 50: [\d,]+ bytes", {"astronaut.jpg", "astronaut-overlay.png"}),
    "equal_bytes.py": (r"\| 50 \|", set()),
    "folder_pipeline.py": (r"broken\.jpg: .*\n.*cat\.png: [\d,]+ -> ", {"outbox/cat.jpg", "outbox/coffee.jpg"}),
    "own_map_and_boxes.py": (r"by map: .*\nby boxes: ", {"coffee-map.jpg", "coffee-boxes.jpg"}),
    "settings_as_json.py": (r"equal: True\nastronaut: .* bytes.*\ncoffee: .*\nquality: got 0, allowed: ", set()),
    "size_targets.py": (r"12,000 bytes: 1[01],\d{3} bytes(.*\n)+500 bytes: .*below the smallest", set()),
}
# Examples that take words: they get a folder with one picture.
WORDS = {"equal_bytes.py": ["pictures", "two-pass", "50"]}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example(
    path: Path,
    photo: np.ndarray,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert path.name in RESULTS, "say here what the new example prints and writes"
    pattern, names = RESULTS[path.name]
    (tmp_path / "pictures").mkdir()
    Image.fromarray(photo).save(tmp_path / "pictures" / "photo.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(path), *WORDS.get(path.name, [])])
    runpy.run_path(str(path), run_name="__main__")
    assert re.search(pattern, capsys.readouterr().out)
    for name in names:
        with Image.open(tmp_path / name) as image:
            image.load()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_is_short_and_says_what_it_shows(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith('"""')
    assert sum(1 for line in text.splitlines() if line.strip()) < 40
