"""compress(): its promises on size, quality, originals, metadata and repetition."""

from __future__ import annotations

import functools
import io
import json
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image

import msroi
from msroi import images, metrics
from msroi.codecs.jpeg import CODECS, _kernels, plain
from msroi.codecs.jpeg.base import JpegCodec
from msroi.codecs.jpeg.plain import QualitySession
from msroi.codecs.jpeg.rdo.session import RdoSession
from msroi.codecs.jpeg.rdo.tables import DEFAULT
from msroi.codecs.jpeg.two_pass import TwoPass
from msroi.errors import OptionError, OutputError, SaliencyError, TargetError
from msroi.fields import Checked, Choice, declared
from msroi.metadata import assemble
from msroi.pipeline import ALREADY_MADE, equal_quality
from msroi.saliency.curves import CONTRAST
from msroi.saliency.kinds import KINDS
from msroi.saliency.steering import Steering
from msroi.search.equal_quality import Probe
from msroi.search.knobs import Steps
from msroi.search.session import Session
from msroi.settings import DEFAULT_METHOD

# Most of what follows is checked setting by setting, which takes an encoder with whole ones.
compress = functools.partial(msroi.compress, method="two-pass")


def centre_map(height: int, width: int) -> np.ndarray:
    """A Gaussian in the middle, sigma a quarter of each side."""
    y, x = np.mgrid[:height, :width]
    down, across = (y - (height - 1) / 2) / (height / 4), (x - (width - 1) / 2) / (width / 4)
    return np.exp(-(down**2 + across**2) / 2).astype(np.float32)


MAP = centre_map(64, 96)


def jpeg_file(pixels: np.ndarray, quality: int = 85, **settings: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, **settings)
    return buffer.getvalue()


def exif_with(**tags: Any) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = "A maker of cameras"
    for tag, value in tags.items():
        exif[{"orientation": 0x0112}[tag]] = value
    return exif


def pixels_of(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def two_pass_sizes(pixels: np.ndarray, saliency: np.ndarray) -> dict[int, int]:
    encoder = TwoPass().start(images.read(pixels), Steering.of(saliency), 1)
    return {setting: len(encoder.encode(setting)) for setting in encoder.knob.values}


# --- match size -----------------------------------------------------------------------------------


@pytest.mark.parametrize("quality", [5, 30, 50, 75, 95])
def test_size_is_plains_at_most_with_the_largest_setting(photo: np.ndarray, quality: int) -> None:
    saliency = centre_map(256, 384)
    result = compress(photo, quality=quality, saliency=saliency)
    budget = len(jpeg_file(photo, quality))
    sizes = two_pass_sizes(photo, saliency)
    report = result.report
    mark = len(result.data) - len(images.bare(result.data))
    assert report.setting == max(setting for setting, size in sizes.items() if size + mark <= budget)
    assert len(images.bare(result.data)) == report.coded_bytes == sizes[report.setting]
    assert report.plain_bytes == budget
    assert report.output_bytes == len(result.data) <= budget
    assert report.target == f"at most {budget} bytes (plain JPEG at quality {quality} with the same metadata)"
    assert not report.kept_original


@pytest.mark.parametrize("name", ["kodim05.png", "kodim20.png"])
def test_kodak_gets_the_largest_setting_that_fits(shared_data: Callable[..., Path], name: str) -> None:
    picture = images.read(shared_data("kodak", name))
    saliency = centre_map(*picture.pixels.shape[:2])
    sizes = two_pass_sizes(picture.pixels, saliency)
    for quality in (30, 50, 70):
        report = compress(picture, quality=quality, saliency=saliency).report
        mark = report.output_bytes - report.coded_bytes
        fitting = [setting for setting, size in sizes.items() if size + mark <= report.plain_bytes]
        assert report.setting == max(fitting)
        assert report.output_bytes <= report.plain_bytes
        assert report.n_probes <= 12


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 1), (3, 200), (200, 3, 3), (64, 64)])
def test_small_and_grey_pictures(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    for method in ("rdo", "two-pass", "plain"):
        result = compress(pixels, saliency=MAP, method=method)
        decoded = pixels_of(result.data)
        assert decoded.shape == shape  # grey stays grey
        assert len(result.data) <= result.report.plain_bytes == len(jpeg_file(pixels, 75))
        assert result.saliency is not None
        assert result.saliency.shape == shape[:2]
        again = compress(result.data, saliency=MAP, method=method)
        assert again.data == result.data and again.report.reason == ALREADY_MADE


def test_plain_at_quality_q_is_pillows_file(photo: np.ndarray) -> None:
    for pixels in (photo, np.full((40, 50, 3), 200, np.uint8)):  # flat: higher qualities take no more bytes
        result = compress(pixels, quality=60, method="plain", strip=True)
        assert result.data == jpeg_file(pixels, 60)
        assert result.report.setting == 60
        assert result.saliency is None
        assert result.report.map_kind == "none"


def test_defaults_use_the_network_and_repeat(photo: np.ndarray) -> None:
    first, second = compress(photo, threads=1), compress(photo.copy(), threads=3)
    assert first.data == second.data
    assert first.report.method == "two-pass"
    assert first.report.map_kind == "ms-roi"
    assert first.report.map_identity
    assert np.array_equal(first.saliency, KINDS["ms-roi"].curves[CONTRAST](msroi.saliency_map(photo)))
    json.dumps(first.report.as_dict())


def test_the_default_encoder_beats_plain_at_no_more_bytes(photo: np.ndarray) -> None:
    result = msroi.compress(photo, quality=50)
    report = result.report
    assert report.method == DEFAULT_METHOD == "rdo"
    assert 0.98 * report.plain_bytes < report.coded_bytes <= report.plain_bytes
    ours, theirs = (msroi.compare(photo, data) for data in (result.data, plain.encode(photo, 50)))
    assert ours.psnr_db > theirs.psnr_db + 0.5
    assert ours.ssim > theirs.ssim and ours.ms_ssim > theirs.ms_ssim
    json.dumps(report.as_dict())
    assert msroi.compress(photo, quality=50, threads=3).data == result.data
    again = msroi.compress(result.data, quality=50)
    assert again.data == result.data and again.report.reason == ALREADY_MADE


@pytest.mark.parametrize("target", [{"size": 9_000}, {"bpp": 1.0}, {"size": 30_000}])
def test_rdo_meets_targets_for_the_whole_file(photo: np.ndarray, target: dict[str, float]) -> None:
    data = jpeg_file(photo, 97)
    result = msroi.compress(data, **target)
    limit = target.get("size") or target["bpp"] * photo[..., 0].size / 8
    assert 0.98 * limit < len(result.data) <= limit
    assert result.report.coded_bytes == len(images.bare(result.data))


def test_numbers_of_numpys_types_are_plain_ones_to_rdo(photo: np.ndarray) -> None:
    first = msroi.compress(photo, quality=50, q_low=20, saliency=MAP)
    assert msroi.compress(photo, quality=np.int64(50), q_low=np.uint8(20), saliency=MAP).data == first.data


def test_the_input_is_not_modified(photo: np.ndarray) -> None:
    pixels, saliency = photo.copy(), centre_map(256, 384)
    before = pixels.copy(), saliency.copy()
    compress(pixels[::-1, ::2], saliency=saliency, max_side=100)
    assert np.array_equal(pixels, before[0])
    assert np.array_equal(saliency, before[1])


# --- match quality --------------------------------------------------------------------------------


def test_quality_is_plains_in_the_fewest_bytes(photo: np.ndarray) -> None:
    saliency = centre_map(256, 384)
    reference = pixels_of(jpeg_file(photo, 20))
    psnr_db, ssim = metrics.psnr_db(photo, reference), metrics.ssim(photo, reference, saliency)
    encoder = TwoPass().start(images.read(photo), Steering.of(saliency), 1)
    good = []
    for setting in encoder.knob.values:
        data = encoder.encode(setting)
        decoded = pixels_of(data)
        if metrics.psnr_db(photo, decoded) >= psnr_db and metrics.ssim(photo, decoded, saliency) >= ssim:
            good.append(len(data))
    result = compress(photo, quality=20, match="quality", saliency=saliency)
    assert result.report.coded_bytes == min(good)
    decoded = pixels_of(result.data)
    assert metrics.psnr_db(photo, decoded) >= psnr_db
    assert metrics.ssim(photo, decoded, saliency) >= ssim
    assert f"{metrics.psnr_db(photo, decoded):.2f} dB" in result.report.reached


def test_a_quality_out_of_reach_says_how_near_it_came(photo: np.ndarray) -> None:
    with pytest.raises(TargetError, match=r"^mine: .*PSNR \d+\.\d\d dB.*the best of this method has PSNR"):
        compress(photo, quality=90, match="quality", saliency=MAP, name="mine")


def test_quality_with_a_map_of_zeros_weighs_all_alike(photo: np.ndarray) -> None:
    result = compress(photo, quality=10, match="quality", saliency=np.zeros((4, 4), np.float32))
    assert metrics.ssim(photo, pixels_of(result.data)) >= metrics.ssim(photo, pixels_of(jpeg_file(photo, 10)))


# --- targets for the whole file -------------------------------------------------------------------


@pytest.mark.parametrize("target", [{"size": 9_000}, {"bpp": 0.75}])
def test_targets_count_the_whole_file(photo: np.ndarray, target: dict[str, Any]) -> None:
    data = jpeg_file(photo, 95, exif=exif_with())
    result = compress(data, saliency=MAP, **target)
    max_bytes = target.get("size") or int(0.75 * 256 * 384 / 8)
    assert len(result.data) <= max_bytes
    sizes = two_pass_sizes(pixels_of(data), images.to_stored(result.saliency, 1))
    overhead = len(result.data) - sizes[result.report.setting]
    assert overhead > 0
    fitting = [setting for setting, size in sizes.items() if size + overhead <= max_bytes]
    assert result.report.setting == max(fitting)


def test_a_target_too_small_says_how_small_the_file_can_be(photo: np.ndarray) -> None:
    with pytest.raises(TargetError, match=r"^mine: target 900 bytes is below .* \(\d+ bytes\); raise it or") as caught:
        compress(photo, size=900, saliency=MAP, name="mine")
    smallest = int(str(caught.value).split("(")[1].split()[0])
    assert len(compress(photo, size=smallest, saliency=MAP).data) == smallest


def test_metadata_that_fill_the_target_are_named(photo: np.ndarray) -> None:
    data = jpeg_file(photo, comment=b"x" * 30_000)
    with pytest.raises(TargetError, match=r"metadata take 30\d\d\d bytes \(`strip`\)"):
        compress(data, size=20_000, saliency=MAP)
    assert len(compress(data, size=20_000, saliency=MAP, strip=True).data) <= 20_000


# --- options --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quality": 0}, "quality: got 0, allowed: a whole number from 1 to 100"),
        ({"quality": 75.5}, "quality: got 75.5"),
        ({"match": "speed"}, "match: got 'speed', allowed: size, quality"),
        ({"size": 0}, "size: got 0, allowed: a whole number of at least 1"),
        ({"bpp": float("nan")}, "bpp: got nan, allowed: a number above 0"),
        ({"bpp": 0}, "bpp: got 0"),
        ({"size": 1000, "bpp": 1}, "size: got bpp as well, allowed: one of match, size and bpp"),
        ({"match": "size", "size": 1000}, "match: got size as well"),
        ({"method": "rdo!"}, "method: got 'rdo!', allowed: rdo, two-pass, plain"),
        ({"q_low": 80}, "q_low: got 80"),
        ({"levels": 0}, "levels: got 0"),
        ({"chroma": "444"}, "chroma: got '444'"),
        ({"tune": "psnr"}, "tune: got 'psnr'"),
        ({"guard": False}, "guard: got False"),
        ({"max_side": 0}, "max_side: got 0"),
        ({"min_savings": 101}, "min_savings: got 101"),
        ({"strip": "yes"}, "strip: got 'yes', allowed: True or False"),
        ({"threads": 0}, "threads: got 0"),
        ({"focus": (10, 10, 20)}, "focus: got"),
        ({"focus": "50%,0%,20%,2"}, "focus: got '50%,0%,20%,2'"),
        ({"focus": [5]}, "focus: got"),
        ({"focus": None}, "focus: got None, allowed: a sequence of boxes"),
        ({"focus": [("a", 1, 2, 3)]}, "focus: got"),
        ({"focus": [(float("nan"), 1, 2, 3)]}, "focus: got"),
        ({"focus": [(1.5, 1, 2, 3)]}, "focus: got"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_reading(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=f"^{message}"):
        compress("no such file", **options)


def test_options_of_numpys_types_count_as_plain_ones(photo: np.ndarray) -> None:
    first = compress(photo, quality=50, q_low=20, saliency=MAP)
    assert compress(photo, quality=np.int64(50), q_low=np.uint8(20), saliency=MAP).data == first.data


def test_unusable_maps_and_boxes_are_refused(photo: np.ndarray) -> None:
    with pytest.raises(SaliencyError):
        compress(photo, saliency=np.full((4, 4), np.nan, np.float32))
    with pytest.raises(SaliencyError, match="rows of one length"):
        compress(photo, saliency=[[1], [2, 3]])
    with pytest.raises(OptionError, match="map_kind: got"):
        compress(photo, map_kind=[])
    with pytest.raises(OptionError, match="limits: got 5"):
        compress(photo, limits=5)
    with pytest.raises(OptionError):
        compress(photo, saliency=MAP, focus=[(300, 0, 200, 20)])
    with pytest.raises(OptionError):
        compress(photo, saliency=MAP, focus=[(1, 2, 3)], max_side=100)


def test_boxes_are_in_pixels_of_the_input(photo: np.ndarray) -> None:
    zeros = np.zeros((4, 4), np.float32)
    result = compress(photo, saliency=zeros, focus=[(288, 192, 96, 64)], max_side=96)
    assert result.saliency is not None
    assert result.saliency.shape == (64, 96)
    assert result.saliency[-1, -1] == 1
    assert result.saliency[:40].max() == result.saliency[:, :60].max() == 0


# --- never larger ---------------------------------------------------------------------------------


def test_a_jpeg_that_would_grow_is_optimised_losslessly(photo: np.ndarray) -> None:
    data = jpeg_file(photo, 60, exif=exif_with())
    result = compress(data, quality=95, saliency=MAP)
    report = result.report
    assert report.kept_original
    assert report.reached == "original kept, losslessly optimised"
    assert report.reason is not None
    assert f"the original has {len(data)}" in report.reason
    assert report.setting is None
    assert len(result.data) < len(data)
    assert np.array_equal(pixels_of(result.data), pixels_of(data))
    assert images.read(result.data).metadata.exif == images.read(data).metadata.exif


def test_what_cannot_be_optimised_stays_byte_for_byte(shared_data: Callable[..., Path]) -> None:
    path = shared_data("robust", "jpg_arithmetic_sof9.jpg")
    result = compress(path, quality=100, saliency=MAP)
    assert result.data == path.read_bytes()
    assert result.report.reached == "original kept"


def test_metadata_go_as_asked_though_the_original_is_kept(shared_data: Callable[..., Path]) -> None:
    data = shared_data("robust", "jpg_arithmetic_sof9.jpg").read_bytes()
    with_comment = data[:2] + b"\xff\xfe\x00\x0aa secret" + data[2:]
    result = compress(with_comment, quality=100, saliency=MAP, strip=True)
    assert b"a secret" not in result.data
    assert result.report.kept_original
    assert np.array_equal(pixels_of(result.data), pixels_of(data))
    assert compress(result.data, quality=100, saliency=MAP, strip=True).data == result.data


def test_min_savings_asks_for_more_than_a_byte(photo: np.ndarray) -> None:
    data = jpeg_file(photo, 80)
    ours = compress(data, saliency=MAP)
    assert not ours.report.kept_original
    saved = 100 * (1 - len(ours.data) / len(data))
    assert compress(data, saliency=MAP, min_savings=saved - 0.1).report.kept_original is False
    kept = compress(data, saliency=MAP, min_savings=saved + 20)
    assert kept.data == data
    assert kept.report.reason is not None
    assert f"would save {saved:.1f} %, less than the {saved + 20:g} % asked for" in kept.report.reason


def test_force_writes_ours(photo: np.ndarray) -> None:
    data = jpeg_file(photo, 60)
    forced = compress(data, quality=95, saliency=MAP, force=True)
    assert len(forced.data) > len(data)
    assert not forced.report.kept_original


def test_only_jpeg_files_have_an_original_to_keep(photo: np.ndarray) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.full((64, 64, 3), 9, np.uint8)).save(buffer, "PNG")
    result = compress(buffer.getvalue(), quality=95, saliency=MAP)
    assert len(result.data) > len(buffer.getvalue())
    assert not result.report.kept_original
    # A smaller picture was asked for: the original, however small, is no answer.
    data = jpeg_file(photo, 1)
    reduced = compress(data, quality=95, saliency=MAP, max_side=300)
    assert len(reduced.data) > len(data)
    assert pixels_of(reduced.data).shape == (200, 300, 3)


def test_an_original_must_meet_the_target_too(photo: np.ndarray) -> None:
    data = jpeg_file(photo, 60)
    n_bytes = len(data)
    # Ours fits the target but saves too little: the original does not fit, so it is ours.
    ours = compress(data, size=n_bytes - 10, saliency=MAP, min_savings=90)
    assert not ours.report.kept_original
    assert len(ours.data) <= n_bytes - 10
    kept = compress(data, size=2 * n_bytes, saliency=MAP, min_savings=90)
    assert kept.report.kept_original
    assert kept.data == data


def test_an_original_below_our_smallest_meets_a_small_target(photo: np.ndarray) -> None:
    tiny = jpeg_file(photo[:8, :8], 1, optimize=True)
    with pytest.raises(TargetError):
        compress(tiny, size=len(tiny) + 1, saliency=MAP, force=True)
    result = compress(tiny, size=len(tiny) + 1, saliency=MAP)
    assert result.report.kept_original
    assert len(result.data) <= len(tiny) + 1


# --- the same request again -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"match": "quality", "quality": 20},
        {"size": 9_000},
        {"bpp": 0.7, "strip": True},
        {"strip_gps": True, "srgb": True},
        {"max_side": 200},
        {"quality": 97},  # the original, losslessly optimised
        {"min_savings": 90, "strip": True},
        {"method": "plain", "quality": 40},
    ],
    ids=str,
)
def test_our_own_output_comes_back_unchanged(photo: np.ndarray, options: dict[str, Any]) -> None:
    data = jpeg_file(photo, 85, exif=exif_with(orientation=6), comment=b"a holiday")
    first = compress(data, saliency=MAP, **options)
    second = compress(first.data, saliency=MAP, **options)
    assert second.data == first.data
    assert second.report.kept_original
    if first.data != data and "min_savings" not in options:
        assert second.report.reason == "already made by this request"
        assert second.report.n_probes == 0


def test_another_request_is_carried_out(photo: np.ndarray) -> None:
    first = compress(photo, quality=80, saliency=MAP)
    for other in ({"quality": 40}, {"q_low": 10}, {"method": "plain", "quality": 40}, {"size": 9_000}):
        again = compress(first.data, saliency=MAP, **{"quality": 80, **other})
        assert again.report.reason is None
    assert compress(first.data, quality=80, saliency=MAP.T.copy()).report.reason != "already made by this request"
    assert compress(first.data, quality=80, saliency=MAP, force=True).report.n_probes > 0


def test_the_mark_of_another_version_counts(photo: np.ndarray) -> None:
    first = compress(photo, saliency=MAP).data
    older = first.replace(f"msroi {msroi.__version__} ".encode(), b"msroi 0.0.9 ")
    assert older != first
    assert compress(older, saliency=MAP).data == older


def test_metadata_added_since_are_stripped_again(photo: np.ndarray) -> None:
    first = compress(photo, saliency=MAP, strip=True).data
    metadata = images.read(jpeg_file(photo, exif=exif_with())).metadata
    mark = images.read_comment(first)
    edited = images.assemble(first, metadata, mark)
    assert b"A maker of cameras" in edited
    assert b"A maker of cameras" not in compress(edited, saliency=MAP, strip=True).data


def edited_elsewhere(data: bytes, edit: Callable[[Image.Image], Image.Image]) -> bytes:
    """Opened and saved by a program that keeps comments."""
    image = Image.open(io.BytesIO(data))
    buffer = io.BytesIO()
    edit(image).save(buffer, "JPEG", quality=95, comment=image.info["comment"])
    return buffer.getvalue()


@pytest.mark.parametrize(
    "edit",
    [lambda image: image, lambda image: image.rotate(180), lambda image: image.resize((200, 100))],
    ids=["saved", "turned", "resized"],
)
def test_the_mark_does_not_cover_what_others_made_of_our_file(
    photo: np.ndarray, edit: Callable[[Image.Image], Image.Image]
) -> None:
    first = compress(photo, quality=60, saliency=MAP).data
    edited = edited_elsewhere(first, edit)
    assert images.read_comment(edited) == images.read_comment(first)
    again = compress(edited, quality=60, saliency=MAP)
    assert not again.report.kept_original
    assert again.report.coded_bytes <= again.report.plain_bytes


def test_metadata_that_come_and_go_do_not_hide_our_picture(photo: np.ndarray) -> None:
    first = compress(photo, saliency=MAP).data
    noted = images.assemble(first, images.read(jpeg_file(photo, exif=exif_with())).metadata, images.read_comment(first))
    assert compress(noted, saliency=MAP).data == noted


@pytest.mark.parametrize("box", [(0, 0, 40, 40), (288, 192, 96, 64)])  # within the reduced picture, and outside
def test_boxes_of_the_larger_picture_know_the_smaller_again(photo: np.ndarray, box: tuple[int, ...]) -> None:
    options = {"map_kind": "none", "max_side": 96}
    first = compress(photo, focus=[box], **options)
    assert first.report.map_kind == "boxes"
    second = compress(first.data, focus=[box, box], **options)
    assert second.data == first.data
    assert second.report.reason == "already made by this request"
    assert second.report.target == "none: the file is what this request makes"
    assert second.saliency is None
    assert "map not made" in second.report.notices[-1]


def process(data: bytes) -> str:
    return images.jpeg_facts(data).process


def test_baseline_is_never_progressive(photo: np.ndarray) -> None:
    sequential = compress(jpeg_file(photo, 50), quality=97, saliency=MAP, baseline=True)
    assert sequential.report.reached == "original kept"
    assert process(sequential.data) == "baseline"
    data = jpeg_file(photo, 50, progressive=True)
    assert process(compress(data, quality=97, saliency=MAP).data) == "progressive"
    ours = compress(data, quality=97, saliency=MAP, baseline=True)
    assert process(ours.data) == "baseline"
    assert not ours.report.kept_original
    assert ours.report.notices[-1] == f"larger than the input, which has {len(data)} bytes"
    optimised = compress(jpeg_file(photo, 50), quality=97, saliency=MAP).data
    assert process(compress(optimised, quality=97, saliency=MAP, baseline=True).data) == "baseline"


def test_an_original_has_plains_quality(photo: np.ndarray) -> None:
    data = jpeg_file(photo, 90)
    result = compress(data, quality=95, match="quality", saliency=MAP)
    assert np.array_equal(pixels_of(result.data), pixels_of(data))
    assert (
        result.report.reason == "plain JPEG's quality is out of our encode's reach, and the original, as it is, has it"
    )
    assert compress(result.data, quality=95, match="quality", saliency=MAP).data == result.data
    with pytest.raises(TargetError, match=r"lower `quality` or raise `q_low` and `q_high`$"):
        compress(photo, quality=95, match="quality", saliency=MAP)


def test_a_budget_out_of_reach_names_plain_and_not_a_target() -> None:
    from skimage.data import astronaut

    ramp = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    with pytest.raises(TargetError, match=r"^mine: plain JPEG at quality 1 \(\d+ bytes\): two-pass needs") as caught:
        compress(astronaut()[:64, :64], quality=1, saliency=ramp, name="mine")
    assert str(caught.value).endswith("; raise `quality`")


def test_our_mark_alone_is_no_metadata_to_strip(photo: np.ndarray) -> None:
    with pytest.raises(TargetError) as caught:
        compress(photo[:16, :16], size=100, saliency=MAP)
    assert "metadata" not in str(caught.value)


def test_what_goes_with_the_metadata_is_told(photo: np.ndarray) -> None:
    data = jpeg_file(photo, 95)
    twin = data + jpeg_file(photo[:64, :64])
    result = compress(twin, saliency=MAP, strip=True)
    n_bytes = len(twin) - len(data)
    assert f"{n_bytes} bytes behind the picture dropped, as `strip` asks" in result.report.notices


# --- metadata and orientation ---------------------------------------------------------------------


def test_metadata_are_kept_and_the_file_is_marked(photo: np.ndarray) -> None:
    data = jpeg_file(photo, 95, exif=exif_with(), comment=b"a holiday")
    result = compress(data, saliency=MAP)
    assert images.read(result.data).metadata.exif == images.read(data).metadata.exif
    assert b"a holiday" in result.data
    mark = images.read_comment(result.data)
    assert mark is not None
    assert mark.startswith(f"msroi {msroi.__version__} ")
    stripped = compress(data, saliency=MAP, strip=True)
    assert b"a holiday" not in stripped.data
    assert images.bare(stripped.data) == jpeg_of_setting(pixels_of(data), stripped)


def jpeg_of_setting(pixels: np.ndarray, result: msroi.Result) -> bytes:
    return TwoPass().start(images.read(pixels), Steering.of(result.saliency), 1).encode(result.report.setting)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_map_and_tag_follow_the_orientation(photo: np.ndarray, orientation: int) -> None:
    stored = images.to_stored(photo, orientation)
    data = jpeg_file(stored, 98, exif=exif_with(orientation=orientation))
    saliency = np.zeros((256, 384), np.float32)
    saliency[:, :128] = 1
    result = compress(data, quality=60, q_low=5, q_high=95, saliency=saliency)
    assert result.saliency is not None
    assert np.array_equal(result.saliency, saliency)
    assert (result.report.width, result.report.height) == (384, 256)
    picture = images.read(result.data)
    assert picture.orientation == orientation
    upright = images.read(data).upright
    left = metrics.psnr_db(upright[:, :120], picture.upright[:, :120])
    right = metrics.psnr_db(upright[:, 136:], picture.upright[:, 136:])
    assert left > right + 3
    # The budget is plain JPEG's of the upright picture, with the same metadata.
    assert result.report.plain_bytes == len(assemble(jpeg_file(upright, 60), picture.metadata))


# --- saving ---------------------------------------------------------------------------------------


def test_save_never_replaces_the_input(photo: np.ndarray, tmp_path: Path) -> None:
    path, output = tmp_path / "in.jpg", tmp_path / "out.jpg"
    path.write_bytes(jpeg_file(photo, 90))
    result = compress(path, saliency=MAP)
    with pytest.raises(OutputError):
        result.save(path, overwrite=True)
    result.save(output)
    assert output.read_bytes() == result.data
    with pytest.raises(OutputError):
        result.save(output)
    result.save(output, overwrite=True)
    with path.open("rb") as file, pytest.raises(OutputError):
        compress(file, saliency=MAP).save(path, overwrite=True)
    assert sorted(tmp_path.iterdir()) == [path, output]


def test_save_knows_the_input_by_other_ways(photo: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "in.jpg"
    path.write_bytes(jpeg_file(photo, 90))
    (tmp_path / "elsewhere").mkdir()
    with Image.open(path) as image:
        results = [compress(image, saliency=MAP)]
    monkeypatch.chdir(tmp_path)
    results.append(compress("in.jpg", saliency=MAP))
    monkeypatch.chdir(tmp_path / "elsewhere")
    for result in results:
        with pytest.raises(OutputError, match="is an input"):
            result.save(path, overwrite=True)


# --- a further codec ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Halving(JpegCodec, Checked):
    """A codec with fine, fractional settings and an option of its own."""

    name: ClassVar[str] = "halving"
    version: ClassVar[str] = "1"
    uses_map: ClassVar[bool] = True
    curve: ClassVar[str] = ""
    is_yardstick: ClassVar[bool] = False
    quality_options: ClassVar[tuple[str, ...]] = ()
    also_accepts: ClassVar[Mapping[str, tuple[object, ...]]] = {"baseline": (False, True)}
    chroma: str = declared("keep", Choice(("keep", "444")), "colour sampling", group="encoder")

    def start(self, picture: images.Picture, steering: Steering | None, threads: int) -> Session:
        assert steering is not None
        assert steering.followed(picture.orientation).shape == picture.pixels.shape[:2]
        encoder = QualitySession(picture.pixels)

        class Fine(Session):
            knob = Steps("half", tuple(quality / 2 for quality in range(2, 201)), look=2)

            def encode(self, setting: float) -> bytes:
                return encoder.encode(int(setting))

        return Fine()


def test_a_new_codec_is_one_class_and_one_line(photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CODECS, "halving", Halving)
    result = compress(photo, quality=60, method="halving", chroma="444", saliency=MAP)
    assert result.report.setting == 59.5  # 60 would be plain's very file, which leaves no room for our mark
    assert images.bare(result.data) == plain.encode(photo, 59)
    assert compress(photo, size=9_000, method="halving", saliency=MAP).report.output_bytes <= 9_000
    with pytest.raises(OptionError, match="an option of method rdo, halving"):
        compress(photo, chroma="444")
    with pytest.raises(OptionError, match="allowed with method halving"):
        compress(photo, method="halving", levels=3)


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 7, 3), (255, 64, 3), (257, 64, 3), (600, 40)])
def test_kernels_ssim_is_ssim(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, shape, dtype=np.uint8)
    decoded = np.clip(pixels.astype(int) + rng.integers(-20, 20, shape), 0, 255).astype(np.uint8)
    flat, dotted = np.zeros_like(pixels), np.zeros_like(pixels)
    dotted[::7, ::5] = 2
    for one, other in ((pixels, decoded), (flat, dotted)):
        for weights in (None, rng.random(shape[:2]).astype(np.float32)):
            psnr_db, quick = equal_quality._scores(one, other, weights)
            assert psnr_db == pytest.approx(metrics.psnr_db(one, other), rel=1e-12)
            exact = metrics.ssim(one, other, weights)
            assert abs(quick - exact) < equal_quality._QUICK / 2
            kernels = equal_quality._scores(one, other, weights, _kernels.ssim_map)[1]
            assert abs(kernels - exact) < equal_quality._TIE / 100
            assert equal_quality._scores(one, one, weights, _kernels.ssim_map)[1] == 1


def test_a_result_without_its_map_is_little_more_than_its_file(photo: np.ndarray) -> None:
    whole = compress(photo, saliency=np.linspace(0, 1, 256 * 384, dtype=np.float32).reshape(256, 384))
    result = whole.without_map()
    assert result.saliency is None and whole.saliency is not None
    assert (result.data, result.report) == (whole.data, whole.report)
    assert len(pickle.dumps(result)) < len(result.data) + 2000 < len(pickle.dumps(whole)) - 300_000
    assert pickle.loads(pickle.dumps(result)) == result


def grainy() -> np.ndarray:
    """A photo with noise, so large that it is judged by strips first."""
    from skimage import data

    photo = np.asarray(Image.fromarray(data.coffee()).resize((1200, 800), Image.Resampling.BICUBIC))
    grain = np.random.default_rng(1).integers(-4, 5, (800, 1200, 1))
    return np.clip(photo + grain, 0, 255).astype(np.uint8)


def judged(pixels: np.ndarray, yardstick: bytes) -> tuple[equal_quality.AsGoodAs, Session]:
    """A judge of files as good as another, by a map, and the session that makes them."""
    height, width = pixels.shape[:2]
    weights = np.linspace(0.2, 1, height * width, dtype=np.float32).reshape(height, width)
    blocks = np.ascontiguousarray(weights[::8, ::8] / np.exp(np.log(weights[::8, ::8]).mean()))
    session = RdoSession.of(pixels, DEFAULT, weights=blocks, guarded=False)
    return equal_quality.AsGoodAs(lambda: plain.decode(yardstick), pixels, weights), session


def test_a_sketch_is_near_the_rough_word_and_prepares_nothing_whole() -> None:
    pixels = grainy()
    judge, session = judged(pixels, plain.encode(pixels, 50))
    for setting in (0.4, 0.5):
        sketch = judge.sketch(session, setting)
        assert sketch is not None
        assert abs(sketch - judge.rough(Probe(session.near(setting), setting))) < 0.1
    small, session = judged(pixels[:200], plain.encode(pixels[:200], 50))
    assert small.sketch(session, 0.5) is None


def test_a_verdict_makes_no_other_file() -> None:
    pixels = grainy()
    data = plain.encode(pixels, 50)
    judge, session = judged(pixels, data)
    probe = Probe(session.near(0.5), 0.5)
    judge.rough(probe)
    assert judge(data).good and judge(data).margin == 0  # a tie, which metrics.ssim decides
    assert not judge(plain.encode(pixels, 49)).good
    assert not probe.is_made


def test_few_whole_files_are_judged_for_equal_quality(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a picture that is judged by strips first: a verdict on each of a few files, rough words on the others."""
    pixels = grainy()
    verdicts, verdict = [], equal_quality.AsGoodAs.__call__

    def counted(self: equal_quality.AsGoodAs, data: bytes) -> Any:
        verdicts.append(verdict(self, data))
        return verdicts[-1]

    monkeypatch.setattr(equal_quality.AsGoodAs, "__call__", counted)
    report = msroi.compress(pixels, quality=50, match="quality").report
    assert report.reached_psnr_db >= report.target_psnr_db and report.reached_ssim >= report.target_ssim
    assert 1 <= len(verdicts) <= 8 and verdicts[-1].good
