"""A folder in a pipeline: every picture compressed, a bad one told and passed over, never a larger file."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from skimage import data

import msroi
from msroi.errors import MsroiError

inbox, outbox = Path("inbox"), Path("outbox")
inbox.mkdir(exist_ok=True)
outbox.mkdir(exist_ok=True)
Image.fromarray(data.chelsea()).save(inbox / "cat.png")
Image.fromarray(data.coffee()).save(inbox / "coffee.jpg", quality=90)
(inbox / "broken.jpg").write_bytes(b"not a picture")

for source in sorted(inbox.iterdir()):
    try:
        result = msroi.compress(source, quality=70, max_side=400, strip_gps=True, min_savings=5)
    except MsroiError as error:
        print(error)  # one line, the input's name in front
        continue
    result.save(outbox / f"{source.stem}.jpg", overwrite=True)
    report = result.report
    kept = f", original kept: {report.reason}" if report.kept_original else ""
    print(f"{source}: {report.source_bytes:,} -> {report.output_bytes:,} bytes{kept}")
