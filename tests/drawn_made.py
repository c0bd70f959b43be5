"""Pages, a screen and a drawing, made with Pillow's own font: what is drawn, not photographed."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
WORDS = ["bytes", "are", "spent", "where", "people", "look", "and", "weigh", "more", "than", "what", "nobody", "sees"]


def page(ground: Colour = (255, 255, 255), inks: tuple[Colour, ...] = ((0, 0, 0),), scale: int = 1) -> np.ndarray:
    """Lines of words in Pillow's own font, 240 x 320 times `scale`."""
    image = Image.new("RGB", (320, 240), ground)
    draw = ImageDraw.Draw(image)
    for row in range(16):
        x = 10 + 12 * (row % 3)
        for i in range(4 + row % 3):
            word = WORDS[(5 * row + i) % len(WORDS)]
            draw.text((x, 6 + 14 * row), word, fill=inks[(row + i) % len(inks)])
            x += int(draw.textlength(word)) + 7
    return np.tile(np.asarray(image), (scale, scale, 1))


def with_fringes(pixels: np.ndarray) -> np.ndarray:
    """The page as subpixels show it: each third of a pixel from its own place, through the usual filter of five."""
    wide = np.repeat(pixels.astype(np.float64), 3, axis=1).mean(axis=2)
    wide = cv2.filter2D(np.roll(wide, 1, axis=1), -1, np.array([[1, 2, 3, 2, 1]]) / 9)
    return wide.reshape(*pixels.shape[:2], 3).astype(np.uint8)


def drawing() -> np.ndarray:
    """Discs and bars with outlines over a ramp from one colour to another."""
    ramp = np.linspace((40, 90, 160), (160, 200, 230), 300)[:, None]
    image = Image.fromarray(np.broadcast_to(ramp, (300, 400, 3)).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for i in range(24):
        x, y, r = 29 + (97 * i) % 350, 30 + (61 * i) % 240, 10 + (7 * i) % 26
        shape = draw.ellipse if i % 2 else draw.rectangle
        shape((x - r, y - r, x + r, y + r), fill=((83 * i) % 256, (151 * i) % 256, (47 * i) % 256), outline=(0, 0, 0))
    return np.asarray(image)


DRAWN_ONES = {
    "text": page(),
    "grey": page()[..., 0],
    "dark, in colours": page((30, 30, 36), ((86, 156, 214), (206, 145, 120), (220, 220, 220))),
    "fringes": with_fringes(page()),
    "drawing": drawing(),
    "large": page(scale=7),
}
