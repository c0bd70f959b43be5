"""Compress a photo: at most plain JPEG's bytes, better where people look. Writes astronaut*."""

from __future__ import annotations

from PIL import Image
from skimage import data

import msroi

photo = data.astronaut()  # uint8 (512, 512, 3); a path, bytes or a PIL image would do as well

result = msroi.compress(photo, quality=50)
result.save("astronaut.jpg", overwrite=True)

report = result.report
print(f"plain JPEG at quality {report.quality}: {report.plain_bytes:,} bytes")
print(f"astronaut.jpg: {report.output_bytes:,} bytes, of which picture {report.coded_bytes:,}")
print(f"target: {report.target}; reached: {report.reached}, in {report.seconds:.2f} s")

# The map that the encoder followed, as large as the photo: 0 does not matter, 1 matters most.
if result.saliency is not None:
    Image.fromarray(msroi.heat_map(result.saliency)).save("astronaut-heat.png")
    Image.fromarray(msroi.overlay(photo, result.saliency)).save("astronaut-overlay.png")
    print(f"the map weighs {result.saliency.mean():.2f} on average; see astronaut-overlay.png")
