"""What every neural codec promises, held for each of them with untrained networks; quality with those that ship.

Beside ours goes a toy (tests/toy_codec.py), whose knob has steps and whose files have no allocation: what holds for one
codec alone is not the contract's.
"""

from __future__ import annotations

import dataclasses
import functools
import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import neural_made
import numpy as np
import pytest
import toy_codec
from neural_made import LADDER, UNTRAINED, picture
from PIL import Image

from msroi import extras
from msroi.codecs import neural
from msroi.codecs.neural import Rate, container, weights
from msroi.codecs.neural.coding import reach
from msroi.codecs.neural.contract import NeuralCodec
from msroi.codecs.neural.registry import CODECS, load
from msroi.errors import BitstreamError, ImageError, MissingExtraError, OptionError, SaliencyError, TargetError
from msroi.images import Limits, Picture, read
from msroi.saliency.network import Network
from msroi.saliency.steering import Steering
from msroi.search.knobs import Interval

SIZES = [(1, 1), (1, 17), (17, 1), (16, 16), (33, 47), (15, 64), (50, 31)]
NO_KERAS = "needs the keras extra"


class Ready(NamedTuple):
    """A codec with an untrained network, and a small file that it made at a setting of its knob, `low` and `high`
    being the ends of it."""

    name: str
    weights: Path
    codec: NeuralCodec
    pixels: np.ndarray
    file: bytes
    setting: float
    low: float
    high: float


def coded(codec: NeuralCodec, pixels: np.ndarray, saliency: np.ndarray | None = None, setting: float = 0) -> bytes:
    return codec.start(read(pixels), None if saliency is None else Steering.of(saliency)).encode(setting)


@pytest.fixture(scope="module", autouse=True)
def with_toy() -> Iterator[None]:
    toy_codec.register()
    yield
    toy_codec.unregister()


SHIPPED = list(CODECS)


@pytest.fixture(scope="module", params=[*SHIPPED, "toy"])
def ready(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ready:
    pytest.importorskip("keras", reason=NO_KERAS)
    weights = tmp_path_factory.mktemp(request.param) / "network.npz"
    UNTRAINED[request.param](weights, 0)
    codec = load(request.param, weights)
    pixels = picture(33, 47)
    setting, knob = LADDER[request.param][2], codec.knob
    ends = (knob.low, knob.high) if isinstance(knob, Interval) else (knob.values[0], knob.values[-1])
    return Ready(request.param, weights, codec, pixels, coded(codec, pixels, None, setting), setting, *ends)


@pytest.fixture(scope="module", params=SHIPPED)
def shipped(request: pytest.FixtureRequest) -> NeuralCodec:
    pytest.importorskip("keras", reason=NO_KERAS)
    codec = load(request.param)
    try:
        assert codec.network_sha256
    except SaliencyError as error:
        pytest.skip(f"needs the network that ships: {error}")
    return codec


def payload_bounds(data: bytes) -> list[tuple[int, int]]:
    """Where the payloads of a whole file begin and end."""
    sections = container.read(data)[1]
    end = len(data)
    bounds = []
    for section in reversed(sections):
        bounds.append((end - 4 - len(section.payload), end - 4))
        end = bounds[-1][0]
    return bounds[::-1]


# Sizes, colours and repetition


def test_each_codec_has_a_number_and_an_untrained_network() -> None:
    assert set(CODECS) <= set(container.CODEC_IDS)
    assert set(CODECS) == set(UNTRAINED) == set(LADDER)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("grey", [False, True], ids=["colour", "grey"])
def test_any_size_and_colour(ready: Ready, size: tuple[int, int], grey: bool) -> None:
    pixels = picture(*size, grey=grey)
    before = pixels.copy()
    data = coded(ready.codec, pixels, None, ready.setting)
    decoded = ready.codec.decode(data)
    assert np.array_equal(pixels, before)
    assert decoded.dtype == np.uint8
    assert decoded.shape == pixels.shape  # grey stays grey
    header = container.read_header(data)
    assert (header.codec, header.height, header.width, header.grey) == (ready.name, *size, grey)
    assert coded(ready.codec, pixels, None, ready.setting) == data
    assert np.array_equal(ready.codec.decode(data), decoded)


def test_the_untrained_network_draws_something(ready: Ready) -> None:
    """Else the tests of roundings and threads would hold of a grey wall."""
    assert ready.codec.decode(ready.file).std() > 10


def test_views_read_only_and_fortran_arrays_are_pictures_too(ready: Ready) -> None:
    turned = np.asfortranarray(ready.pixels)
    assert coded(ready.codec, turned, None, ready.setting) == ready.file
    wide = np.repeat(ready.pixels, 2, axis=1)[:, ::2]
    wide.setflags(write=False)
    assert coded(ready.codec, wide, None, ready.setting) == ready.file


def test_a_codec_loaded_anew_does_the_same(ready: Ready) -> None:
    again = load(ready.name, ready.weights)
    assert again.network_sha256 == ready.codec.network_sha256
    assert coded(again, ready.pixels, None, ready.setting) == ready.file
    assert np.array_equal(again.decode(ready.file), ready.codec.decode(ready.file))


def test_the_file_is_read_back_before_it_is_handed_out(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that does not read as it was written never leaves the encoder."""
    true = container.write

    def damaging(header: container.Header, sections: list[container.Section]) -> bytes:
        data = bytearray(true(header, sections))
        data[payload_bounds(bytes(data))[-1][0]] ^= 1
        return bytes(data)

    monkeypatch.setattr(container, "write", damaging)
    with pytest.raises(BitstreamError):
        coded(ready.codec, ready.pixels, None, ready.setting)


# Other processes, thread counts, machines


SURROUNDINGS = {"one thread": {"threads": "1"}, "other kernels": {"threads": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}}


def test_other_processes_with_other_threads_and_kernels(ready: Ready, tmp_path: Path) -> None:
    pixels = picture(200, 300, seed=3)
    data = coded(ready.codec, pixels, None, ready.setting)
    np.save(tmp_path / "pixels.npy", pixels)
    started = {}
    for name, surroundings in SURROUNDINGS.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "picture.msn").write_bytes(data)
        given = [ready.weights, tmp_path / "pixels.npy", ready.setting, folder / "picture.msn", folder / "decoded.npy"]
        command = [sys.executable, neural_made.__file__, ready.name, *map(str, given)]
        started[folder] = subprocess.Popen(command, env=_environment(**surroundings), stderr=subprocess.PIPE)
    for folder, process in started.items():
        assert process.communicate()[1].count(b"Traceback") == 0
        assert process.returncode == 0
        decoded = np.load(folder / "decoded.npy")
        assert np.abs(decoded.astype(int) - ready.codec.decode(data)).max() <= 1
    # On one machine the bytes are the same on any number of threads.
    assert (tmp_path / "one thread" / "picture.other").read_bytes() == data


def _environment(threads: str, **others: str) -> dict[str, str]:
    names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return os.environ | dict.fromkeys(names, threads) | others


def test_decoding_does_not_hang_on_the_last_digits_of_activations(
    ready: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine that rounds otherwise: all sums of the network are off by a millionth."""
    import keras

    expected = ready.codec.decode(ready.file).astype(int)
    for layer in (keras.layers.Conv2D, keras.layers.Dense):
        monkeypatch.setattr(layer, "call", _perturbed(layer.call))
    weights.forget()
    other = load(ready.name, ready.weights)
    decoded = other.decode(ready.file).astype(int)
    assert np.abs(decoded - expected).max() <= 2
    own = coded(other, ready.pixels, None, ready.setting)  # and the way back
    made = other.decode(own).astype(int)
    weights.forget()
    monkeypatch.undo()
    assert np.abs(ready.codec.decode(own) - made).max() <= 2


def _perturbed(call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def perturbed(self: Any, *arguments: Any, **options: Any) -> Any:
        outputs = call(self, *arguments, **options)
        noise = 1e-6 * np.sin(7.0 * np.arange(outputs.shape[-1]) + len(self.name))
        return outputs * (1 + noise).astype(np.float32)

    return perturbed


# Damage


def test_every_truncation_is_refused_by_decompress(ready: Ready) -> None:
    for n_bytes in range(len(ready.file)):
        with pytest.raises(BitstreamError) as caught:
            ready.codec.decode(ready.file[:n_bytes])
        assert "\n" not in str(caught.value)
    with pytest.raises(BitstreamError, match="too many"):
        ready.codec.decode(ready.file + b"\0")


def test_every_damage_of_a_byte_is_refused(ready: Ready) -> None:
    for place in range(len(ready.file)):
        for damage in (1, 128, 255):
            bad = bytearray(ready.file)
            bad[place] ^= damage
            with pytest.raises(BitstreamError):
                ready.codec.decode(bytes(bad))
            with pytest.raises(BitstreamError):
                ready.codec.preview(bytes(bad))


def test_hostile_files_with_good_checksums_are_pictures_or_refused(ready: Ready) -> None:
    """Who makes a file by hand makes its checksums too: whatever the payloads are, no crash and no hang."""
    header, sections = container.read(ready.file)
    rng = np.random.default_rng(0)
    for trial in range(60):
        hostile = list(sections)
        i = int(rng.integers(len(hostile)))
        payload = bytearray(hostile[i].payload)
        if trial % 3 == 0:
            payload = bytearray(rng.bytes(int(rng.integers(0, 40))))
        elif payload:
            payload[int(rng.integers(len(payload)))] ^= int(rng.integers(1, 256))
        hostile[i] = container.Section(hostile[i].kind, bytes(payload))
        _is_a_picture_or_refused(ready, container.write(header, hostile))
    for hostile in (sections[:1], sections[1:], sections[::-1], sections * 2, sections + sections[-1:] * 40):
        _is_a_picture_or_refused(ready, container.write(header, hostile))
    for change in ({"width": 4000}, {"height": 16}, {"width": 1, "height": 1}, {"grey": True}):
        _is_a_picture_or_refused(ready, container.write(dataclasses.replace(header, **change), sections))


def test_bytes_behind_the_codes_of_a_section_are_refused(ready: Ready) -> None:
    header, sections = container.read(ready.file)
    for i, section in enumerate(sections):
        longer = list(sections)
        longer[i] = container.Section(section.kind, section.payload + bytes([1, 2, 3, 4] * 4))
        with pytest.raises(BitstreamError, match=r"damaged|left over"):
            ready.codec.decode(container.write(header, longer))


def _is_a_picture_or_refused(ready: Ready, data: bytes) -> None:
    header = container.read_header(data)
    for decode in (ready.codec.decode, ready.codec.preview):
        try:
            pixels = decode(data)
        except BitstreamError as error:
            assert "\n" not in str(error)
        else:
            assert pixels.shape[:2] == (header.height, header.width)


def test_a_tiny_file_that_declares_a_huge_picture_is_refused(ready: Ready) -> None:
    """Before it costs memory: what the codec would not code is over its limit, or over that of every input."""
    header, sections = container.read(ready.file)
    pixels = np.broadcast_to(np.uint8(0), (10_000, 14_000))
    with pytest.raises(ImageError, match="14000 x 10000 pixels"):
        ready.codec.start(Picture(pixels))
    for limits in (Limits(max_side=40), Limits(max_megapixels=0.001)):
        for decode in (ready.codec.decode, ready.codec.preview):
            with pytest.raises(ImageError, match="47 x 33 pixels"):
                decode(ready.file, limits)
        for decode in (neural.decompress, neural.decompress_preview):
            with pytest.raises(ImageError, match="47 x 33 pixels"):
                decode(ready.file, ready.weights, limits=limits)
    for width, height in ((14_000, 10_000), (65_000, 65_000)):
        huge = container.write(dataclasses.replace(header, width=width, height=height), sections)
        for decode in (ready.codec.decode, ready.codec.preview):
            with pytest.raises(ImageError, match=f"{width} x {height} pixels"):
                decode(huge)


def test_metadata_beside_the_codes_is_passed_over(ready: Ready) -> None:
    header, sections = container.read(ready.file)
    more = container.write(header, sections + [container.Section(container.XMP, b"<x/>"), container.Section(99, b"?")])
    assert np.array_equal(ready.codec.decode(more), ready.codec.decode(ready.file))


def test_a_wrong_network_is_named_by_both_hashes(ready: Ready, tmp_path: Path) -> None:
    UNTRAINED[ready.name](tmp_path / "other.npz", 1)
    other = load(ready.name, tmp_path / "other.npz")
    assert other.network_sha256 != ready.codec.network_sha256
    for decode in (other.decode, other.preview):
        with pytest.raises(BitstreamError, match=ready.codec.network_sha256[:16]) as caught:
            decode(ready.file)
        assert other.network_sha256[:16] in str(caught.value)


def test_the_file_of_another_codec_is_refused(ready: Ready) -> None:
    header, sections = container.read(ready.file)
    name = next(name for name in container.CODEC_IDS if name != ready.name)
    foreign = container.write(dataclasses.replace(header, codec=name), sections)
    with pytest.raises(BitstreamError, match=name):
        ready.codec.decode(foreign)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff\xe0 a JPEG", b"text"])
def test_other_files_are_refused(data: bytes) -> None:
    for decode in (neural.decompress, neural.decompress_preview):
        with pytest.raises(BitstreamError, match="no file of an msroi neural codec"):
            decode(data)


def test_weights_that_are_missing_or_none_are_refused(ready: Ready, tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_bytes(b"no network")
    for name in ("absent.npz", "text.npz"):
        with pytest.raises(SaliencyError, match=name):
            coded(load(ready.name, tmp_path / name), ready.pixels, None, ready.setting)


# Rates


def test_the_length_of_the_file_is_its_rate(ready: Ready) -> None:
    """Nothing is left out of the count, and each byte of it is needed: the sections fill the file."""
    assert payload_bounds(ready.file)[-1][1] + 4 == len(ready.file)
    head = payload_bounds(ready.file)[0][0]
    sections = container.read(ready.file)[1]
    assert len(ready.file) == head + sum(len(section.payload) + 4 for section in sections)


@pytest.mark.parametrize("n_bytes", [450, 800, 1500, 1501])
def test_bytes_are_reached_and_never_passed(ready: Ready, n_bytes: int) -> None:
    pixels = picture(64, 96)
    for steering in (None, Steering.of(neural_made.picture(64, 96, grey=True, seed=2))):
        data = reach(ready.codec, read(pixels), steering, Rate(n_bytes=n_bytes)).data
        assert 0.95 * n_bytes <= len(data) <= n_bytes
        assert ready.codec.decode(data).shape == pixels.shape


@pytest.mark.parametrize("bpp", [0.75, 1.5])
def test_bits_per_pixel_are_those_of_the_whole_file(ready: Ready, bpp: float) -> None:
    pixels = picture(64, 96)
    data = reach(ready.codec, read(pixels), None, Rate(bpp=bpp)).data
    assert 0.95 * bpp <= 8 * len(data) / (64 * 96) <= bpp
    assert data == reach(ready.codec, read(pixels), None, Rate(n_bytes=int(bpp * 64 * 96 / 8))).data


def test_settings_go_from_the_smallest_file_to_the_largest(ready: Ready) -> None:
    session = ready.codec.start(read(picture(64, 96)))
    sizes = [len(session.encode(setting)) for setting in LADDER[ready.name]]
    assert sizes == sorted(set(sizes))
    assert session.knob == ready.codec.knob


def test_settings_that_the_knob_does_not_have_are_refused(ready: Ready) -> None:
    session = ready.codec.start(read(ready.pixels))
    for setting in (0, -1, 1e9, float("nan"), True, "2", None):
        with pytest.raises(OptionError, match=f"^{ready.codec.knob.name}: got .*allowed"):
            session.encode(setting)


def test_a_rate_that_cannot_be_reached_says_how_near_it_came(ready: Ready) -> None:
    for rate in (Rate(n_bytes=20), Rate(bpp=0.01)):
        with pytest.raises(TargetError) as caught:
            reach(ready.codec, read(ready.pixels), None, rate)
        numbers = [int(number) for number in re.findall(r"(\d+) bytes", str(caught.value))]
        smallest = len(coded(ready.codec, ready.pixels, None, ready.low))
        assert max(numbers) == smallest


def test_more_bytes_than_can_be_spent_are_not_spent(ready: Ready) -> None:
    most = coded(ready.codec, ready.pixels, None, ready.high)
    found = reach(ready.codec, read(ready.pixels), None, Rate(n_bytes=10_000_000))
    assert (found.data, found.setting) == (most, ready.high)


@pytest.mark.parametrize(
    "options",
    [{}, {"n_bytes": 2, "bpp": 1}, {"bpp": 0}, {"bpp": float("nan")}, {"n_bytes": 0}]
    + [{"n_bytes": 1.5}, {"n_bytes": "6"}, {"bpp": True}, {"bpp": 12_000}],
    ids=str,
)
def test_rates_that_make_no_sense(options: dict) -> None:
    with pytest.raises(OptionError, match="allowed"):
        Rate(**options)


def test_rates_as_bytes() -> None:
    assert Rate(bpp=0.25).budget(512, 768) == 12_288
    assert Rate(n_bytes=999).budget(512, 768) == 999


def test_the_knob_goes_by_its_own_name(ready: Ready) -> None:
    """As `msroi.codecs.neural.compress` takes it; another codec's, and two rates, are wrong usage."""
    known = {"codec": ready.name, "weights": ready.weights, "map_kind": "none"}
    own = {ready.codec.knob.name: ready.setting}
    assert neural.compress(ready.pixels, **known, **own) == ready.file
    default = coded(ready.codec, ready.pixels, None, ready.codec.default)
    assert neural.compress(ready.pixels, **known) == default
    for wrong in ({"gain": 3}, {"level": 2}, {**own, "bpp": 1}, {"bpp": 1, "n_bytes": 100}):
        with pytest.raises(OptionError, match=f"one of bpp, n_bytes, {ready.codec.knob.name}"):
            neural.compress(ready.pixels, **known, **wrong)


# Maps


@pytest.mark.parametrize("value", [0, 0.3, 1])
def test_a_constant_map_is_no_map(ready: Ready, value: float) -> None:
    flat = np.full(ready.pixels.shape[:2], value, np.float32)
    for setting in LADDER[ready.name][1:3]:
        plain = coded(ready.codec, ready.pixels, None, setting)
        assert coded(ready.codec, ready.pixels, flat, setting) == plain


def corner(height: int, width: int) -> np.ndarray:
    saliency = np.full((height, width), 0.05, np.float32)
    saliency[: height // 2, : width // 2] = 1
    return saliency


def test_a_map_changes_the_file_and_hardly_its_size(ready: Ready) -> None:
    pixels = picture(96, 128)
    plain = coded(ready.codec, pixels, None, ready.setting)
    led = coded(ready.codec, pixels, corner(96, 128), ready.setting)
    assert led != plain
    assert len(led) < 1.3 * len(plain)  # more in one place is less in another


def test_a_map_moves_quality_to_where_it_is_bright(shipped: NeuralCodec, photo: np.ndarray) -> None:
    saliency = corner(*photo.shape[:2])
    rate = Rate(bpp=0.5)
    plain = shipped.decode(reach(shipped, read(photo), None, rate).data).astype(float)
    led = shipped.decode(reach(shipped, read(photo), Steering.of(saliency), rate).data).astype(float)
    better = ((plain - photo) ** 2 - (led - photo) ** 2).mean(axis=2)
    assert better[saliency == 1].mean() > 0
    assert better[saliency < 1].mean() < 0


@pytest.mark.parametrize("shape", [(33, 46), (33, 47, 3), (5,)])
def test_a_map_of_another_shape_is_refused(ready: Ready, shape: tuple[int, ...]) -> None:
    with pytest.raises(SaliencyError):
        coded(ready.codec, ready.pixels, np.ones(shape, np.float32), ready.setting)


# Previews


def test_the_preview_of_every_prefix(ready: Ready) -> None:
    first_ends = payload_bounds(ready.file)[0][1] + 4
    for n_bytes in range(len(ready.file) + 1):
        prefix = ready.file[:n_bytes]
        if n_bytes < first_ends:
            with pytest.raises(BitstreamError):
                ready.codec.preview(prefix)
        else:
            preview = ready.codec.preview(prefix)
            assert preview.shape == ready.pixels.shape
            assert preview.dtype == np.uint8
    assert np.array_equal(ready.codec.preview(ready.file), ready.codec.decode(ready.file))


def test_previews_get_better(shipped: NeuralCodec, photo: np.ndarray) -> None:
    data = coded(shipped, photo, None, shipped.default)
    errors = []
    for _, end in payload_bounds(data):
        preview = shipped.preview(data[: end + 4]).astype(float)
        errors.append(np.mean((preview - photo) ** 2))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0] / 10


# The way in and out


def test_progress_goes_from_0_to_1(ready: Ready) -> None:
    """Once, however many files a search makes."""
    picture_ = read(picture(64, 96))
    for target in (ready.setting, Rate(n_bytes=900), Rate(bpp=1.5)):
        told: list[float] = []
        found = reach(ready.codec, picture_, None, target, progress=told.append)
        assert told == sorted(told)
        assert told[0] == 0 and told[-1] == 1 and len(set(told)) >= 3
    assert found.n_probes > 1


def test_a_network_is_built_once(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    """And let go when many others have come since."""
    made = []
    true = np.load
    monkeypatch.setattr(np, "load", lambda *a, **k: made.append(a) or true(*a, **k))
    weights.forget()
    options = {"codec": ready.name, "weights": ready.weights, "map_kind": "none", ready.codec.knob.name: ready.setting}
    assert neural.compress(ready.pixels, **options) == ready.file
    n_first = len(made)
    neural.decompress(ready.file, ready.weights)
    assert len(made) == n_first


def test_any_image_goes_in_and_the_file_names_its_codec(ready: Ready, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    Image.fromarray(ready.pixels).save(path)
    options = {"codec": ready.name, "weights": ready.weights, ready.codec.knob.name: ready.setting}
    assert neural.compress(path, map_kind="none", **options) == ready.file
    assert neural.compress(ready.pixels, saliency="none", **options) == ready.file
    assert neural.compress(path.read_bytes(), saliency=np.ones((4, 4)), **options) == ready.file
    decoded = neural.decompress(ready.file, ready.weights)
    assert np.array_equal(decoded, ready.codec.decode(ready.file))
    assert neural.decompress_preview(ready.file[:-1], ready.weights).shape == decoded.shape
    own_map = corner(8, 8)
    assert neural.compress(path, saliency=own_map, **options) != ready.file
    with pytest.raises(TargetError, match=r"picture\.png: "):
        neural.compress(path, n_bytes=20, map_kind="none", codec=ready.name, weights=ready.weights)


def test_a_picture_goes_in_upright(ready: Ready) -> None:
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    Image.fromarray(picture(16, 48)).save(buffer, "PNG", exif=exif)
    data = neural.compress(buffer.getvalue(), map_kind="none", codec=ready.name, weights=ready.weights)
    assert neural.decompress(data, ready.weights).shape == (48, 16, 3)


def test_the_network_sees_by_the_map_that_the_jpeg_path_uses(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    true = Network.look
    monkeypatch.setattr(Network, "look", lambda self, pixels: seen.append(pixels.shape) or true(self, pixels))
    neural.compress(picture(64, 96), codec=ready.name, weights=ready.weights)
    assert len(seen) == 1


def test_unknown_codecs() -> None:
    with pytest.raises(OptionError, match="codec: got 'jpeg'"):
        load("jpeg")
    missing = next((name for name in container.CODEC_IDS if name not in CODECS), None)
    if missing is None:
        pytest.skip("this msroi has all codecs of the format")
    header = container.Header(missing, 5, 5, False, bytes(16))
    with pytest.raises(BitstreamError, match=f"codec {missing}"):
        neural.decompress(container.write(header, [container.Section(container.CODES, b"")]))


@pytest.mark.parametrize("name", SHIPPED)
def test_without_keras_one_line_says_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=re.escape(extras.install_command("keras"))):
        load(name)
    with pytest.raises(MissingExtraError):
        neural.compress(picture(8, 8), codec=name)


def test_names_are_loaded_when_they_are_used() -> None:
    loaded = "{m.split('.')[0] for m in sys.modules} & {'numpy', 'keras', 'PIL'}"
    code = f"import sys, msroi.codecs.neural; print(sorted({loaded}))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout == "[]\n"
    assert set(dir(neural)) == set(neural.__all__)
    for name in neural.__all__:
        assert getattr(neural, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'compres'"):
        neural.compres  # noqa: B018
