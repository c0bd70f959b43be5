"""Our file against plain JPEG at equal bytes, as a Markdown table: equal_bytes.py FOLDER METHOD [Q ...]"""

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import msroi


def plain_jpeg(picture: np.ndarray, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def measure(path: Path, method: str, quality: int) -> list[float]:
    """Bytes, setting, then PSNR, SSIM, MS-SSIM and map-weighted PSNR of plain and of ours."""
    picture = msroi.read(path).upright
    saliency = msroi.saliency_map(picture)
    ours = msroi.compress(picture, quality=quality, method=method, saliency=saliency)
    plain = plain_jpeg(picture, quality)
    assert len(plain) == ours.report.plain_bytes >= ours.report.output_bytes
    scores = [msroi.compare(picture, data, saliency) for data in (plain, ours.data)]
    values = [[s.psnr_db, s.ssim, s.ms_ssim, s.weighted_psnr_db] for s in scores]
    return [len(plain), ours.report.coded_bytes, ours.report.setting, *np.transpose(values).ravel()]


if len(sys.argv) < 3:
    sys.exit(__doc__)
folder, method, qualities = Path(sys.argv[1]), sys.argv[2], [int(q) for q in sys.argv[3:]] or [30, 50, 70]
print("| Q | bytes plain, ours | Q_final | PSNR | SSIM | MS-SSIM | map-weighted PSNR | PSNR better on |")
print("| --- | --- | --- | --- | --- | --- | --- | --- |")
for quality in qualities:
    rows = np.array([measure(path, method, quality) for path in sorted(folder.glob("*.png"))])
    m, wins = rows.mean(axis=0), int((rows[:, 4] > rows[:, 3]).sum())
    print(f"| {quality} | {m[0]:.0f}, {m[1]:.0f} | {m[2]:.1f} | {m[3]:.2f}, {m[4]:.2f} | {m[5]:.4f}, {m[6]:.4f} "
          f"| {m[7]:.4f}, {m[8]:.4f} | {m[9]:.2f}, {m[10]:.2f} | {wins} of {len(rows)} |")  # fmt: skip
