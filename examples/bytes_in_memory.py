"""Serve pictures without touching a disk: bytes in, bytes out, the same bytes for the same request."""

from __future__ import annotations

import hashlib
import io

from PIL import Image
from skimage import data

import msroi
from msroi.errors import MsroiError


def answer(body: bytes, max_bytes: int) -> tuple[int, str, bytes]:
    """What a service would send back: status, media type, body."""
    try:
        result = msroi.compress(body, size=max_bytes, strip=True, threads=1, name="upload")
    except MsroiError as error:  # every class knows the status it answers with
        return error.http_status, "text/plain", str(error).encode()
    return 200, "image/jpeg", result.data


upload = io.BytesIO()
Image.fromarray(data.astronaut()).save(upload, "PNG")

for body in (upload.getvalue(), upload.getvalue(), b"<html>not a picture</html>"):
    status, media_type, data_out = answer(body, max_bytes=30_000)
    what = data_out.decode() if media_type == "text/plain" else hashlib.sha256(data_out).hexdigest()[:16]
    print(f"{status} {media_type}, {len(data_out):,} bytes: {what}")
