"""A finished benchmark of small pictures: real coded files by Pillow, their real scores, and what a run leaves.

Written by the fixed interface of rows.csv, summary.json and run.json and not by the engine, so that the page is
tested on its own. Six pictures and one that cannot be read, four targets; an encoder that is absent, one that
misses a target, one whose command fails.
"""

from __future__ import annotations

import csv
import functools
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from msroi import metrics
from msroi.benchmark import rows

HOSTILE = "</script><script>alert(\"$x ${y}\")</script> 'a' & b \u202e<!--"
COLUMNS = rows.columns()
TARGETS = {"Q30": 30, "Q50": 50, "Q70": 70, "Q90": 90}
IMAGES = ("first", "second", "third", "fourth", "fifth", HOSTILE)
SCORES = COLUMNS[COLUMNS.index("mse") : -1]
ENCODERS = ("pillow", "rdo", "webp", "jpeg2000", "same", HOSTILE, "heic")
_WIDTH, _HEIGHT = 144, 96
_SUFFIXES = {"webp": "webp", "jpeg2000": "jp2"}


def make_benchmark(out: Path) -> Path:
    """Fills the folder with everything but the page."""
    rows = [row for index, image in enumerate(IMAGES) for row in _rows_of(out, index, image)]
    rows.append({"image": "broken.png", "status": "unreadable", "message": "broken.png: not an image"})
    write_rows(out, rows)
    summary = summarise(rows)
    (out / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    images = [
        {"name": name, "path": f"references/{index}.png", "width": _WIDTH, "height": _HEIGHT}
        for index, name in enumerate(IMAGES)
    ]
    run = {
        "command": f"msroi benchmark photos -d out --against '{HOSTILE}'",
        "versions": {"pillow": "13.0"},
        "settings": {"match": "size", "targets": list(TARGETS)},
        "encoders": summary["encoders"],
        "images": images,
    }
    (out / "run.json").write_text(json.dumps(run), encoding="utf-8")
    return out


def write_rows(out: Path, rows: list[dict[str, Any]]) -> None:
    with (out / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@functools.cache
def picture(index: int) -> np.ndarray:
    """Part of a photo from scikit-image, uint8 (96, 144, 3), another one for each index."""
    from skimage import data

    photo = data.astronaut() if index % 2 else data.chelsea()
    top, left = 20 * index, 40 * index
    return np.ascontiguousarray(photo[top : top + _HEIGHT, left : left + _WIDTH])


def _rows_of(out: Path, index: int, image: str) -> list[dict[str, Any]]:
    pixels = picture(index)
    density = np.linspace(0, 1, _WIDTH, dtype=np.float32)[None].repeat(_HEIGHT, 0)
    for folder in ("references", "maps", "masks"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(out / "references" / f"{index}.png")
    if image != HOSTILE:
        Image.fromarray(np.uint8(density * 255)).save(out / "maps" / f"{image}.png")
        Image.fromarray(np.uint8(density > 0.5) * 255).save(out / "masks" / f"{image}.png")
    rows = []
    for target, quality in TARGETS.items():
        budget = len(_encode(pixels, "pillow", quality))
        for encoder in ENCODERS:
            common = {"image": image, "width": _WIDTH, "height": _HEIGHT, "target": target, "target_bytes": budget}
            common |= {"encoder": encoder, "version": "1.0", "settings": f"quality={quality}"}
            rows.append(common | _result(out, index, image, target, quality, encoder, budget, density))
    return rows


def _result(
    out: Path, index: int, image: str, target: str, quality: int, encoder: str, budget: int, density: np.ndarray
) -> dict[str, Any]:
    if encoder == "heic":
        return {"status": "absent", "message": "pip install pillow-heif"}
    if encoder == HOSTILE and image != "first":
        return {"status": "failed", "message": HOSTILE}
    if encoder == "jpeg2000" and target == "Q30" and image != "second":
        return {"status": "unreachable", "message": f"budget {budget} bytes; the smallest file has {budget + 99}"}
    pixels = picture(index)
    data = _encode(pixels, encoder, quality)
    folder = f"files/{ENCODERS.index(encoder)}"
    file = f"{folder}/{index}.{target}.{_SUFFIXES.get(encoder, 'jpg')}"
    (out / folder).mkdir(parents=True, exist_ok=True)
    (out / file).write_bytes(data)
    return {
        "status": "ok",
        "bytes": len(data),
        "size_difference_percent": round(100 * (len(data) / budget - 1), 6),
        "bpp": round(len(data) * 8 / pixels.shape[0] / pixels.shape[1], 6),
        "seconds_encode": 0.01,
        "seconds_decode": 0.002,
        "n_files": 7,
        "file": file,
        **{key: round(float(value), 6) for key, value in _scores(pixels, data, density).items()},
    }


def _encode(pixels: np.ndarray, encoder: str, quality: int) -> bytes:
    """Stand-ins with the names of encoders: what the page shows is that their figures and bytes agree."""
    buffer = io.BytesIO()
    image = Image.fromarray(pixels)
    if encoder == "webp":
        image.save(buffer, "WebP", quality=quality)
    elif encoder == "jpeg2000":
        image.save(buffer, "JPEG2000", quality_mode="dB", quality_layers=[24 + quality / 6])
    elif encoder == "rdo":
        image.save(buffer, "JPEG", quality=quality + 3, optimize=True, progressive=True)
    else:
        image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _scores(pixels: np.ndarray, data: bytes, density: np.ndarray) -> dict[str, float]:
    decoded = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    error = ((pixels.astype(float) - decoded) ** 2).mean(axis=2)
    similarity = metrics.ssim_map(pixels, decoded)
    inside = density > 0.5

    def psnr(weights: np.ndarray | None = None) -> float:
        return 10 * math.log10(255**2 / np.average(error, weights=weights))

    return {
        "mse": error.mean(),
        "psnr": psnr(),
        "ssim": similarity.mean(),
        "ms_ssim": metrics.ms_ssim(pixels, decoded),
        "si_ssim": np.average(similarity, weights=density),
        "worst_ssim": np.sort(similarity, axis=None)[: similarity.size // 20].mean(),
        "psnr_inside": psnr(inside),
        "psnr_outside": psnr(~inside),
        "ssim_inside": similarity[inside].mean(),
        "ssim_outside": similarity[~inside].mean(),
        "psnr_weighted": psnr(density),
        "ssim_weighted": np.average(similarity, weights=density),
    }


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """summary.json of these rows; the intervals are normal ones, which the page cannot know."""
    good = [row for row in rows if row["status"] == "ok"]
    encoders = [
        {
            "name": name,
            "version": "1.0",
            "available": name != "heic",
            "install": "" if name != "heic" else "pip install pillow-heif",
        }
        for name in ENCODERS
    ]
    return {
        "made": {
            "command": "msroi benchmark photos -d out",
            "versions": {"msroi": "0.1"},
            "weights": "human fixations (a ramp), and inside and outside human masks",
        },
        "encoders": encoders,
        "targets": list(TARGETS),
        "n_images": len(IMAGES),
        "unreadable": [{"image": "broken.png", "message": "broken.png: not an image"}],
        "means": [m for target in TARGETS for name in ENCODERS if (m := _mean(good, target, name))],
        "comparisons": list(_comparisons(good)),
        "bd_rates": [
            {
                "encoder": "rdo",
                "against": against,
                "metric": metric,
                "mean_percent": -4.25,
                "low": -5.5,
                "high": -3.0,
                "n": 6,
                "overlap": [0.51, 1.93],
            }
            for against in ("pillow", "webp")
            for metric in ("psnr", "ssim")
        ],
        "anova": [{"target": "Q50", "metric": "psnr", "f": 12.5, "p": 0.00031}],
        "q_final": [{"target": "Q50", "mean": 52.25}],
        "correlations": [
            {"of": "si_ssim", "with": "ssim", "srocc": 0.97, "krocc": 0.88, "plcc": 0.98, "rmse": 0.0123, "n": 96}
        ],
    }


def _mean(rows: list[dict[str, Any]], target: str, encoder: str) -> dict[str, Any]:
    own = [row for row in rows if row["target"] == target and row["encoder"] == encoder]
    if not own:
        return {}
    keys = [key for key in ("bytes", "bpp", *SCORES) if key in own[0]]
    figures = {key: round(float(np.mean([row[key] for row in own])), 6) for key in keys}
    return {"target": target, "encoder": encoder, "n": len(own), **figures}


def _comparisons(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    names = [name for name in ENCODERS if name != "heic"]
    for target in TARGETS:
        for encoder in names:
            for against in names if encoder == "rdo" else ["pillow"]:
                if encoder != against:
                    found += [c for m in SCORES if (c := _comparison(rows, target, encoder, against, m))]
    return found


def _comparison(
    rows: list[dict[str, Any]], target: str, encoder: str, against: str, metric: str
) -> dict[str, Any] | None:
    values = {(row["image"], row["encoder"]): row.get(metric) for row in rows if row["target"] == target}
    pairs = [(image, values.get((image, encoder)), values.get((image, against))) for image in IMAGES]
    differences = [(image, a - b) for image, a, b in pairs if a is not None and b is not None]
    if not differences:
        return None
    gain = -1 if metric == "mse" else 1
    found = np.array([value for _, value in differences])
    margin = 1.96 * float(found.std()) / math.sqrt(len(found))
    ordered = sorted(differences, key=lambda entry: gain * entry[1])
    return {
        "target": target,
        "metric": metric,
        "encoder": encoder,
        "against": against,
        "n": len(found),
        "mean_difference": round(float(found.mean()), 6),
        "low": round(float(found.mean()) - margin, 6),
        "high": round(float(found.mean()) + margin, 6),
        "p": 0.5,
        "wins": int((gain * found > 0).sum()),
        "losses": int((gain * found < 0).sum()),
        "ties": int((found == 0).sum()),
        "worst": [{"image": image, "difference": round(value, 6)} for image, value in ordered[:5]],
    }
