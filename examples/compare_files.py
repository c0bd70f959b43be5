"""Compare files with their original: the scores that `msroi compare` prints, from Python."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from skimage import data

import msroi

original = Path("rocket.png")
Image.fromarray(data.rocket()).save(original)

plain, ours = Path("rocket-plain.jpg"), Path("rocket-msroi.jpg")
Image.open(original).save(plain, quality=50)
msroi.compress(original, quality=50).save(ours, overwrite=True)

# The weights are the map of the original. It is the map that the encoder followed, so the weighted figures
# favour our file; give `saliency` a map by people, where you have one, for a verdict.
weights = msroi.saliency_map(original)

for path in (plain, ours):
    scores = msroi.compare(original, path, saliency=weights)
    print(
        f"{path}: {path.stat().st_size:,} bytes, {scores.psnr_db:.2f} dB, SSIM {scores.ssim:.4f}; "
        f"weighted {scores.weighted_psnr_db:.2f} dB, SSIM {scores.weighted_ssim:.4f}"
    )
