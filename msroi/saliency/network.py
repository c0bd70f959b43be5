"""The saliency networks that ship with msroi, run by ONNX Runtime.

`weights/` holds a network as NAME.onnx and its model card NAME.json: where it comes from, how good it is,
its hash, and the numbers that turn its class maps into a map. The network is loaded once a process, on
first use.
"""

from __future__ import annotations

import functools
import hashlib
import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from msroi import threads
from msroi.errors import SaliencyError

WEIGHTS = Path(__file__).with_name("weights")
DEFAULT_NETWORK = "ms-roi"
MAX_SIDE = 1024
"""Longest side of the network's input, in pixels; longer panoramas are squeezed."""

MIN_SIDE = 48
STRIDE = 16
"""Pixels of the network's input to one cell of its maps."""

MAX_THREADS = 4
"""A network of this size gains nothing from more; results do not depend on their number."""

_loading = threading.Lock()


@dataclass(frozen=True)
class Evidence:
    """What the network says of one picture.

    object_maps, gaze_maps: float32 (classes, h, w), class activation maps; gaze_maps is None for a network
    without. logits: float32 (classes,).
    """

    object_maps: np.ndarray
    gaze_maps: np.ndarray | None
    logits: np.ndarray


@dataclass(frozen=True)
class Network:
    """A loaded network: its ONNX Runtime session and its card."""

    name: str
    card: dict[str, Any]
    session: Any

    @property
    def sha256(self) -> str:
        return str(self.card["sha256"])

    def see(self, pixels: np.ndarray, scale: float = 1.0) -> np.ndarray:
        """A whole upright picture, uint8 (height, width, 3) RGB or (height, width), as the network takes it.

        scale: of the input's sides, over the usual.
        """
        return network_input(pixels, round(scale * self.card["input_side"]))

    def look(self, seen: np.ndarray) -> Evidence:
        """What the network says of a picture as `see` gives it: uint8 (h, w, 3)."""
        outputs = self.session.run(None, {"picture": seen[None]})
        named = {output.name: value[0] for output, value in zip(self.session.get_outputs(), outputs, strict=True)}
        return Evidence(named["object_maps"], named.get("gaze_maps"), named["logits"])


def network_input(pixels: np.ndarray, side: int) -> np.ndarray:
    """The whole picture, reduced to about `side`^2 pixels, its proportions kept; sides are multiples of 16.

    The whole picture goes in, so that the map covers the whole picture. Returns uint8 (h, w, 3) RGB.
    """
    height, width = pixels.shape[:2]
    scale = side / (width * height) ** 0.5
    size = _side(width * scale), _side(height * scale)
    enlarging = size[0] > width or size[1] > height
    # By a whole factor first, which is four times as fast; what that leaves out at two edges is less than the
    # factor, some thousandths of the picture.
    factor = int(min(width / size[0], height / size[1]) / 2)
    if factor > 1:
        pixels = pixels[: height // factor * factor, : width // factor * factor]
        pixels = cv2.resize(pixels, (width // factor, height // factor), interpolation=cv2.INTER_AREA)
    reduced = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR if enlarging else cv2.INTER_AREA)
    return cv2.cvtColor(reduced, cv2.COLOR_GRAY2RGB) if reduced.ndim == 2 else reduced


def _side(length: float) -> int:
    return min(MAX_SIDE, max(MIN_SIDE, STRIDE * round(length / STRIDE)))


def load(name: str = DEFAULT_NETWORK, folder: Path | None = None) -> Network:
    """The network called `name`; its file's hash is checked. Loaded once a process.

    folder: where it lies, the package's own networks by default.

    Raises SaliencyError naming the file if it is missing, unreadable or not the one of its card.
    """
    with _loading:
        return _load(name, folder or WEIGHTS, min(MAX_THREADS, threads.most()))


@functools.cache
def _load(name: str, folder: Path, n_threads: int) -> Network:
    card = read_card(name, folder)
    path = folder / f"{name}.onnx"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SaliencyError(
            f"{path}: the network is missing ({error.strerror}), expected SHA-256 {card['sha256']}; install msroi again"
        ) from error
    found = hashlib.sha256(data).hexdigest()
    if found != card["sha256"]:
        raise SaliencyError(f"{path}: damaged, its SHA-256 is {found}, expected {card['sha256']}; install msroi again")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.inter_op_num_threads = 1
    # Threads that spin for more work would keep the processors from what comes after the network.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return Network(name, card, session)


def network_hash(name: str) -> str:
    """The SHA-256 of a network that ships, as its card says; it is compared with the file's when that is loaded."""
    return str(_card(name, WEIGHTS)["sha256"])


def network_numbers(name: str) -> dict[str, Any]:
    """The numbers of a network's card that shape its maps, beside its weights."""
    card = _card(name, WEIGHTS)
    return {key: card.get(key) for key in ("input_side", "read_out")}


@functools.cache
def _card(name: str, folder: Path) -> dict[str, Any]:
    return read_card(name, folder)


def read_card(name: str, folder: Path = WEIGHTS) -> dict[str, Any]:
    """The model card of a network: what it was trained on, how, and how good it is."""
    path = folder / f"{name}.json"
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SaliencyError(f"{path}: the network's card is missing or damaged; install msroi again") from error
    return dict(card)


def network_facts() -> list[dict[str, Any]]:
    """Of each network in the package: name, file, sha256 and card. Nothing is loaded."""
    names = sorted(path.stem for path in WEIGHTS.glob("*.onnx"))
    cards = {name: read_card(name) for name in names}
    return [{"name": n, "file": f"{n}.onnx", "sha256": cards[n]["sha256"], "card": cards[n]} for n in names]
