"""Aim at bytes, bits per pixel or plain JPEG's quality; and what happens where that cannot be reached."""

from __future__ import annotations

from skimage import data

import msroi
from msroi.errors import TargetError

photo = data.chelsea()  # uint8 (300, 451, 3)

targets = {
    "the bytes of plain JPEG at quality 60": {"quality": 60},
    "the quality of plain JPEG at quality 30": {"quality": 30, "match": "quality"},
    "a file of at most 12,000 bytes": {"size": 12_000},
    "a file of at most 0.8 bits per pixel": {"bpp": 0.8},
}
for what, options in targets.items():
    report = msroi.compress(photo, **options).report
    print(f"{what}: {report.output_bytes:,} bytes; {report.reached}")

# What cannot be reached is an error that says how near an encode came.
try:
    msroi.compress(photo, size=500)
except TargetError as error:
    print(f"500 bytes: {error}")
