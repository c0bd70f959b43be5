"""Faces as OpenCV's FaceDetectorYN finds them, for those who have its model (YuNet, an ONNX file).

    upright pixels -> at most 1280 pixels long -> FaceDetectorYN -> boxes in pixels of the picture

No model comes with msroi. The network of the map was shown where people look in crowds and does without one;
a detector adds the small faces that are less than a cell of the map.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import math
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from msroi.errors import OptionError, SaliencyError
from msroi.options import PixelBox as Box

LONGEST_SIDE = 1280
"""Pixels of what the detector sees: it finds faces from 10 to 300 pixels, and takes longer for more."""

SCORE, OVERLAP, MOST = 0.8, 0.3, 5000
"""Least score of a face, overlap from which two boxes are one face, candidates looked at: OpenCV's defaults,
but for a score that is .9 there; a face more costs less than a face missed."""

_detecting = threading.Lock()  # a detector holds the size of its input


def find_faces(pixels: np.ndarray, model: str | os.PathLike[str]) -> list[Box]:
    """Boxes x, y, width, height of faces in upright uint8 (height, width, 3) RGB or (height, width), inside it.

    model: path of YuNet's ONNX file. Errors: SaliencyError naming the file if it is missing or no such model.
    Source: cv2.FaceDetectorYN; Wu, Peng, Yu 2023, YuNet.
    """
    height, width = pixels.shape[:2]
    path = Path(model)
    data = _model(path)
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    seen = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR if pixels.ndim == 2 else cv2.COLOR_RGB2BGR)
    if size != (width, height):
        seen = cv2.resize(seen, size, interpolation=cv2.INTER_AREA)
    with _detecting, _without_warnings():
        try:
            detector = _detector(str(path), data)
            detector.setInputSize(size)
            found = detector.detect(seen)[1]
        except (cv2.error, SystemError) as error:
            raise SaliencyError(f"{path}: is no model that OpenCV's FaceDetectorYN can run; give YuNet's") from error
    rows = np.zeros((0, 4)) if found is None else np.asarray(found, np.float64)[:, :4]
    horizontal, vertical = width / size[0], height / size[1]
    boxes = [_inside(row * (horizontal, vertical, horizontal, vertical), width, height) for row in rows]
    return sorted({box for box in boxes if box is not None})


def model_identity(model: str | os.PathLike[str]) -> str:
    """The first 16 hexadecimal digits of the model file's SHA-256. Errors: SaliencyError if there is none."""
    return _model(Path(model))


def checked_model(model: Any) -> str | None:
    """A path as text, or None. Errors: OptionError for anything else."""
    if model is None:
        return None
    if not isinstance(model, str | os.PathLike):
        raise OptionError(f"face_model: got {model!r:.80}, allowed: the path of YuNet's ONNX file")
    return os.fsdecode(model)


def _model(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise SaliencyError(
            f"{path}: the face model cannot be read ({error.strerror}); give YuNet's ONNX file of OpenCV's model zoo"
        ) from error


@functools.lru_cache(maxsize=2)
def _detector(path: str, identity: str) -> Any:
    """One detector a file and content."""
    return cv2.FaceDetectorYN.create(path, "", (320, 320), SCORE, OVERLAP, MOST)


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """OpenCV 5 tells of settings of its own that it does not honour."""
    logging = cv2.utils.logging
    before = logging.getLogLevel()
    logging.setLogLevel(logging.LOG_LEVEL_ERROR)
    try:
        yield
    finally:
        logging.setLogLevel(before)


def _inside(box: np.ndarray, width: int, height: int) -> Box | None:
    """A box's part inside the picture in whole pixels, None for nothing."""
    if not np.isfinite(box).all():
        return None
    left, top = max(0, math.floor(box[0])), max(0, math.floor(box[1]))
    right, bottom = min(width, math.ceil(box[0] + box[2])), min(height, math.ceil(box[1] + box[3]))
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None
