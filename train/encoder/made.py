"""Pictures made by drawing: text, line art, charts, screens, gradients, saturated colours.

They stand for what photo sets lack and what JPEG does worst. Drawn with Pillow and the DejaVu fonts that come
with Matplotlib; the same seed draws the same picture.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from msroi.arrays import Pixels

Colour = tuple[int, int, int]

HEIGHT, WIDTH = 384, 512
WHITE, BLACK = (255, 255, 255), (0, 0, 0)

_WORDS = ["bytes", "spent", "where", "people", "look", "weigh", "more", "than", "those", "nobody", "sees", "faces"]


def font(size: int, *, mono: bool = False, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans at `size` pixels."""
    import matplotlib

    name = "DejaVuSans" + ("Mono" if mono else "") + ("-Bold" if bold else "") + ".ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", name)), size)


def lines_of_text(
    ground: Colour, inks: list[Colour], sizes: tuple[int, ...] = (11, 13, 16, 20), seed: int = 0
) -> Pixels:
    """Lines of words; each line takes the next ink and size."""
    random = np.random.default_rng(seed)
    image = Image.new("RGB", (WIDTH, HEIGHT), ground)
    draw = ImageDraw.Draw(image)
    y, line = 8, 0
    while y < HEIGHT - 10:
        size = sizes[line % len(sizes)]
        words = " ".join(random.choice(_WORDS, 14))
        draw.text((8, y), words, fill=inks[line % len(inks)], font=font(size, bold=line % 5 == 4))
        y += int(size * 1.45)
        line += 1
    return np.asarray(image)


def line_art(ground: Colour, inks: list[Colour], width: int = 2, seed: int = 0) -> Pixels:
    """Circles, polygons and curves in outline, not smoothed."""
    random = np.random.default_rng(seed)
    image = Image.new("RGB", (WIDTH, HEIGHT), ground)
    draw = ImageDraw.Draw(image)
    for i in range(26):
        x, y = random.integers(0, WIDTH), random.integers(0, HEIGHT)
        r, ink = int(random.integers(10, 90)), inks[i % len(inks)]
        box = (int(x) - r, int(y) - r, int(x) + r, int(y) + r)
        if i % 3 == 0:
            draw.ellipse(box, outline=ink, width=width)
        elif i % 3 == 1:
            draw.regular_polygon((int(x), int(y), r), int(random.integers(3, 7)), int(random.integers(90)), outline=ink)
        else:
            draw.arc(box, int(random.integers(180)), int(random.integers(180, 360)), fill=ink, width=width)
    return np.asarray(image)


def screen(dark: bool, seed: int = 0) -> Pixels:
    """A window with a bar, buttons and code in colours."""
    random = np.random.default_rng(seed)
    ground = (30, 30, 36) if dark else (250, 250, 250)
    inks = [(86, 156, 214), (206, 145, 120), (181, 206, 168), (220, 220, 220), (197, 134, 192)]
    if not dark:
        inks = [(0, 0, 255), (163, 21, 21), (0, 128, 0), (20, 20, 20), (128, 0, 128)]
    image = Image.new("RGB", (WIDTH, HEIGHT), ground)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, WIDTH, 27), fill=(0, 90, 158))
    draw.text((8, 6), "encoder.py - picture editor", fill=WHITE, font=font(12))
    for i, fill in enumerate([(232, 17, 35), (255, 185, 0), (16, 124, 16)]):
        draw.ellipse((WIDTH - 24 * (i + 1), 7, WIDTH - 24 * (i + 1) + 13, 20), fill=fill)
    for row in range(24):
        x = 10 + 16 * int(random.integers(0, 4))
        while x < WIDTH - 90:
            word = str(random.choice(_WORDS))
            draw.text((x, 34 + 14 * row), word, fill=inks[int(random.integers(len(inks)))], font=font(11, mono=True))
            x += 8 * (len(word) + 1)
            if random.random() < 0.15:
                break
    return np.asarray(image)


def chart(seed: int = 0) -> Pixels:
    """Lines, bars and a legend as Matplotlib draws them."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    random = np.random.default_rng(seed)
    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100)
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots(1, 2)
    for i in range(6):
        axes[0].plot(np.cumsum(random.normal(size=60)), label=f"series {i}", linewidth=1)
        axes[1].bar(i, abs(random.normal()) + 1, color=f"C{i}")
    axes[0].legend(fontsize=7)
    axes[0].grid(True)
    axes[1].set_title("share of bytes", fontsize=9)
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])


def gradient(dithered: bool) -> Pixels:
    """Two smooth ramps of a sky's colours, rounded as they are or after noise of one level."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] / np.array([HEIGHT, WIDTH]).reshape(2, 1, 1)
    planes = np.stack([60 + 90 * y + 25 * x, 100 + 70 * y, 150 + 50 * y - 15 * x], axis=-1)
    if dithered:
        planes = planes + np.random.default_rng(0).uniform(-0.5, 0.5, planes.shape)
    return np.clip(np.floor(planes + 0.5), 0, 255).astype(np.uint8)


def discs(ground: Colour, inks: list[Colour], seed: int = 0) -> Pixels:
    """Filled discs and bars, their edges smoothed by drawing them four times as large."""
    random = np.random.default_rng(seed)
    image = Image.new("RGB", (4 * WIDTH, 4 * HEIGHT), ground)
    draw = ImageDraw.Draw(image)
    for i in range(40):
        x, y, r = (int(random.integers(0, n)) for n in (4 * WIDTH, 4 * HEIGHT, 200))
        shape = draw.ellipse if i % 3 else draw.rectangle
        shape((x - r, y - r, x + r, y + r), fill=inks[i % len(inks)])
    return np.asarray(image.resize((WIDTH, HEIGHT), Image.Resampling.BOX))


def blots(seed: int = 0) -> Pixels:
    """Petals of saturated red with soft shading, on dark green."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    angle, radius = np.arctan2(y - HEIGHT / 2, x - WIDTH / 2), np.hypot(y - HEIGHT / 2, x - WIDTH / 2)
    petal = 1 / (1 + np.exp((radius - 120 - 40 * np.cos(7 * angle)) / 2))
    shade = 0.75 + 0.2 * np.cos(radius / 9 + 3 * np.sin(5 * angle)) + random.normal(0, 0.01, y.shape)
    red, green = np.array([235, 12, 30.0]), np.array([14, 50, 20.0])
    planes = (petal * shade)[..., None] * red + (1 - petal)[..., None] * green
    return np.clip(planes + 0.5, 0, 255).astype(np.uint8)


RED, BLUE, GREEN, YELLOW, MAGENTA = (220, 0, 0), (0, 0, 230), (0, 140, 0), (255, 220, 0), (200, 0, 200)

# Name and maker of each.
PICTURES: dict[str, Callable[[], Pixels]] = {
    "text": lambda: lines_of_text(WHITE, [BLACK]),
    "text-inverse": lambda: lines_of_text(BLACK, [WHITE]),
    "text-grey": lambda: lines_of_text((245, 240, 230), [(60, 60, 60), (90, 70, 60)]),
    "text-red-on-white": lambda: lines_of_text(WHITE, [RED]),
    "text-red-on-black": lambda: lines_of_text(BLACK, [(255, 0, 0)]),
    "text-red-on-blue": lambda: lines_of_text((0, 0, 160), [(255, 40, 40), YELLOW]),
    "text-colours-on-green": lambda: lines_of_text((30, 120, 60), [(255, 60, 60), (255, 255, 0), (255, 0, 255)]),
    "text-few-red-words": lambda: lines_of_text(WHITE, [BLACK, BLACK, BLACK, BLACK, BLACK, RED, BLACK]),
    "text-pastel": lambda: lines_of_text((235, 240, 250), [(120, 60, 60), (60, 90, 130)]),
    "text-large-red": lambda: lines_of_text((250, 240, 200), [RED, BLUE], (40, 56)),
    "line-art-black": lambda: line_art(WHITE, [BLACK]),
    "line-art-red": lambda: line_art(WHITE, [RED], 1),
    "line-art-colours": lambda: line_art(WHITE, [RED, BLUE, GREEN, MAGENTA]),
    "line-art-thick": lambda: line_art((255, 250, 235), [RED, BLUE, GREEN], 6),
    "screen-light": lambda: screen(False),
    "screen-dark": lambda: screen(True),
    "chart": chart,
    "discs": lambda: discs((240, 240, 235), [RED, BLUE, GREEN, YELLOW]),
    "discs-pastel": lambda: discs((240, 240, 235), [(210, 180, 170), (170, 190, 210), (190, 205, 180)]),
    "petals": blots,
    "gradient": lambda: gradient(False),
    "gradient-dithered": lambda: gradient(True),
}
