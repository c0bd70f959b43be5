"""Say yourself what matters: a map of your own, or boxes. Both in coordinates of the upright picture."""

from __future__ import annotations

import numpy as np
from skimage import data

import msroi

photo = data.coffee()  # uint8 (400, 600, 3)
height, width = photo.shape[:2]

# A map: float (height, width) in [0, 1], of any size; here a soft spot over the cup.
rows, columns = np.mgrid[:height, :width]
distance = np.hypot(rows - 0.45 * height, columns - 0.5 * width)
my_map = np.exp(-((distance / 120) ** 2)).astype(np.float32)

by_map = msroi.compress(photo, quality=40, saliency=my_map)
by_map.save("coffee-map.jpg", overwrite=True)

# Boxes: x, y, width, height in pixels. Alone here; with the default map they are added to it.
by_boxes = msroi.compress(photo, quality=40, map_kind="none", focus=[(180, 60, 260, 240)])
by_boxes.save("coffee-boxes.jpg", overwrite=True)

# Scores weighted by the map that we wanted followed.
for name, result in {"map": by_map, "boxes": by_boxes}.items():
    scores = msroi.compare(photo, result.data, saliency=my_map)
    print(
        f"by {name}: {result.report.output_bytes:,} bytes, "
        f"{scores.psnr_db:.2f} dB, {scores.weighted_psnr_db:.2f} dB where my map lies"
    )
