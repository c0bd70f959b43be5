"""What is asked for as one value: checked at once, kept as JSON, the same for every photo and every machine."""

from __future__ import annotations

from pathlib import Path

from skimage import data

import msroi
from msroi.errors import MsroiError

settings = msroi.Settings.of(quality=60, focus="30%,5%,40%,50%", strip_gps=True, max_side=400)
Path("settings.json").write_text(settings.to_json())

again = msroi.Settings.from_json(Path("settings.json").read_text())
print("equal:", again == settings)
for name, pixels in (("astronaut", data.astronaut()), ("coffee", data.coffee())):
    report = msroi.compress(pixels, again, name=name).report
    print(f"{report.name}: {report.output_bytes:,} bytes, plain JPEG {report.plain_bytes:,}")

try:
    msroi.Settings.from_json('{"quality": 0}')
except MsroiError as error:
    print(error)  # before any photo is read
