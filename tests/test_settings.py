"""Settings: one value for every shell, and an option that is one field."""

from __future__ import annotations

import inspect
import io
import json
import os
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, get_type_hints

import numpy as np
import pytest
from guide import added, block, tables_written
from PIL import Image

import msroi
from msroi.benchmark import rows
from msroi.cli import main
from msroi.cli.spelling import spelled
from msroi.codecs.jpeg import CODECS
from msroi.codecs.jpeg.rdo.codec import Rdo
from msroi.codecs.jpeg.registry import codec_defaults, codec_options
from msroi.errors import MsroiError, OptionError
from msroi.fields import Choice, Flag, Whole, declarations, declared
from msroi.images import Limits
from msroi.options import PercentBox
from msroi.settings import Fields, Settings, options


def some() -> Settings:
    return Settings.of(
        "two-pass",
        levels=7,
        quality=60,
        focus=["1,2,30,40", "10%,10%,20%,20%"],
        strip=True,
        max_side=900,
        limits=Limits(max_megapixels=20),
    )


def test_they_are_one_value() -> None:
    settings = some()
    assert settings == some() and hash(settings) == hash(some())
    assert pickle.loads(pickle.dumps(settings)) == settings
    again = Settings.from_json(settings.to_json())
    assert again == settings and again.digest("a map") == settings.digest("a map")
    assert again.focus == ((1, 2, 30, 40), PercentBox(10, 10, 20, 20)) and again.limits.max_megapixels == 20
    assert Settings.of(**settings.flat()) == settings
    with pytest.raises(AttributeError):
        settings.quality = 3  # type: ignore[misc]


def test_the_digest_knows_every_option_that_shapes_the_file() -> None:
    others: dict[str, Any] = {
        "method": "two-pass", "quality": 74, "match": "quality", "size": "80 kB", "bpp": 1.5, "q_low": 29, "q_high": 71,
        "levels": 6, "map_kind": "gaze", "saliency": np.eye(9), "focus": "1,2,3,4", "map_quality": "high",
        "chroma": "444", "tune": "psnr", "guard": False, "baseline": True, "strip": True, "strip_all": True,
        "strip_gps": True, "gain_map": False, "srgb": True, "max_side": 100, "min_savings": 3,
    }  # fmt: skip
    # How faces are found is part of the map's identity, tested there; force shapes nothing that stays.
    assert set(others) == set(options()) - {"face_model", "force"}

    def digest(**given: Any) -> str:
        settings = Settings.of(**given)
        return settings.digest(settings.sources.identity(settings.codec.curve))

    standard = digest()
    for name, value in others.items():
        method = {"method": "two-pass"} if name == "levels" else {}
        assert digest(**{name: value} | method) != digest(**method), name
    assert digest(force=True) == standard == digest(limits=Limits(max_megapixels=3))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"quality": 0}, "quality: got 0, allowed: a whole number from 1 to 100"),
        ({"quality": 50.5}, "quality: got 50.5"),
        ({"size": 1000, "bpp": 1}, "size: got bpp as well, allowed: one of match, size and bpp"),
        ({"strip": 1}, "strip: got 1, allowed: True or False"),
        ({"map_kind": "heat"}, "map_kind: got 'heat', allowed: ms-roi"),
        ({"map_quality": "best"}, "map_quality: got 'best', allowed: fast, high"),
        ({"colour": 3}, "colour: no such option; known: method, quality"),
        ({"method": "best"}, "method: got 'best', allowed: rdo, two-pass, plain"),
        ({"method": "plain", "levels": 4}, "levels: got 4, allowed with method plain: 5; an option of method two-pass"),
        ({"face_model": 3}, "face_model: got 3, allowed: a path"),
        ({"saliency": 2 * np.eye(3)}, "spans 0 to 2"),
    ],
)
def test_they_are_checked_at_construction(given: dict[str, Any], message: str) -> None:
    with pytest.raises(MsroiError, match=message.replace("(", r"\(")):
        Settings.of(**given)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "settings: not JSON"),
        ("[1]", "settings: got no JSON object"),
        ('{"limits": 3}', "limits: got 3, allowed: an object with max_bytes, "),
        ('{"quality": "75"}', "quality: got '75'"),
    ],
)
def test_json_that_is_none_of_ours_is_named(text: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Settings.from_json(text)


def test_an_array_is_no_json_but_a_path_is(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="saliency: got an array, allowed in JSON: the path"):
        Settings.of(saliency=np.eye(4)).to_json()
    np.save(tmp_path / "map.npy", np.eye(4))
    by_path = Settings.from_json(Settings.of(saliency=tmp_path / "map.npy").to_json())
    assert by_path.sources == Settings.of(saliency=np.eye(4)).sources


def test_compress_takes_them_whole_or_by_field(photo: np.ndarray) -> None:
    by_field = msroi.compress(photo, method="two-pass", levels=3, quality=40, map_kind="none")
    whole = msroi.compress(photo, Settings.of("two-pass", levels=3, quality=40, map_kind="none"))
    assert whole.data == by_field.data
    with pytest.raises(OptionError, match="quality: settings are given as well"):
        msroi.compress(photo, Settings(), quality=3)


def test_every_option_is_told_once() -> None:
    table = options()
    assert set(get_type_hints(Fields)) == set(table) | {"limits"}  # for type checkers
    parameters = inspect.signature(msroi.compress).parameters
    assert set(parameters) == {"image", "settings", "threads", "name", "limits", *table}
    for name, option in table.items():
        assert parameters[name].default == option.default, name
        assert name == "method" or option.declared.help in (msroi.compress.__doc__ or ""), name
    for codec in CODECS.values():  # codecs that share an option agree on it
        for name, one in declarations(codec).items():
            assert getattr(codec(), name) == codec_defaults()[name], name
            assert one.help == codec_options()[name].help, name


def test_messages_name_fields_and_each_shell_its_own_words() -> None:
    assert spelled("lower `quality` or `q_low`; no `guard`, not `gain_map`, `saliency`; `overwrite`") == (
        "lower --quality or --q-low; no --no-guard, not --no-gain-map, --map; --overwrite"
    )
    assert spelled("a file called it`s") == "a file called it`s"


@dataclass(frozen=True)
class WithOptions(Rdo):
    """A codec with three options of its own, a field each."""

    name: ClassVar[str] = "with-options"
    brightness: int = declared(3, Whole(1, 9), "how bright", group="encoder", metavar="N")
    paper: str = declared("matt", Choice(("matt", "glossy")), "what it is for", group="encoder")
    sharp: bool = declared(True, Flag(), "leave it soft", group="encoder")


def test_an_option_is_one_field(
    photo: np.ndarray, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(CODECS, "with-options", WithOptions)
    settings = Settings.of("with-options", brightness=5, paper="glossy", sharp=False)
    assert Settings.from_json(settings.to_json()) == settings
    assert json.loads(settings.to_json())["paper"] == "glossy"
    assert settings.digest("") != Settings.of("with-options").digest("")
    assert msroi.compress(photo, method="with-options", brightness=4).report.method == "with-options"  # type: ignore[call-arg]
    with pytest.raises(OptionError, match="brightness: got 12, allowed: a whole number from 1 to 9"):
        Settings.of("with-options", brightness=12)
    with pytest.raises(OptionError, match="paper: got 'glossy', allowed with method rdo: 'matt'; an option of method"):
        Settings.of(paper="glossy")
    # The command line: the help page, a value, one out of range, and one that its method has not.
    assert main(["compress", "--help"]) == 0
    page = " ".join(capsys.readouterr().out.split())
    assert "--brightness N how bright (default 3)" in page and "--no-sharp leave it soft" in page
    assert "--paper {matt,glossy} what it is for (default matt)" in page
    Image.fromarray(photo).save(tmp_path / "photo.png")
    words = ["compress", str(tmp_path / "photo.png"), "--json"]
    assert main([*words, "--method", "with-options", "--no-sharp", "--brightness", "9"]) == 0
    assert json.loads(capsys.readouterr().out)["method"] == "with-options"
    assert main([*words, "--brightness", "2"]) == 2
    assert "brightness: got 2, allowed with method rdo: 3" in capsys.readouterr().err
    assert main([*words, "--brightness", "10"]) == 2
    assert "'10' is not a whole number from 1 to 9" in capsys.readouterr().err


PROGRAM = """
import sys
import soft
if __name__ == "__main__":
    from msroi.cli import main
    sys.exit(main(sys.argv[1:]))
"""


def test_the_codec_of_the_guide_is_found_everywhere(
    photo: np.ndarray, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """CONTRIBUTING's codec with an option: a class, a field, and one line in a table."""
    assert tables_written(block("JpegCodec")) == ["CODECS"] and block("JpegCodec").count("= declared(") == 1
    monkeypatch.setitem(CODECS, "soft", None)  # taken away again at the end
    added("JpegCodec", "soft", tmp_path, monkeypatch)
    # Settings, their JSON and their digest; compress by field, with its range.
    settings = Settings.of("soft", blur=6)
    assert Settings.from_json(settings.to_json()) == settings and json.loads(settings.to_json())["blur"] == 6
    assert settings.digest("") != Settings.of("soft").digest("")
    made = {blur: msroi.compress(photo, settings=Settings.of("soft", blur=blur, quality=50)) for blur in (1, 9)}
    assert made[1].report.method == "soft" and made[1].data != made[9].data
    for result in made.values():
        assert result.report.output_bytes <= (result.report.plain_bytes or 0)
    by_field: Any = {"method": "soft", "blur": 9, "quality": 50}
    assert msroi.compress(photo, **by_field).data == made[9].data
    with pytest.raises(OptionError, match=r"blur: got 0, allowed: a number from 0\.5 to 50"):
        Settings.of("soft", blur=0)
    with pytest.raises(OptionError, match=r"blur: got 3, allowed with method rdo: 2\.0; an option of method soft"):
        Settings.of(blur=3)
    # The command line.
    assert main(["compress", "--help"]) == 0
    page = " ".join(capsys.readouterr().out.split())
    assert "--blur PIXELS how far to blur where the map is 0 (default 2" in page and "rdo,two-pass,plain,soft" in page
    Image.fromarray(photo).save(tmp_path / "photo.png")
    words = ["compress", str(tmp_path / "photo.png"), "--method", "soft", "--quality", "50", "--blur", "9"]
    assert main([*words, "-o", str(tmp_path / "soft.jpg")]) == 0
    capsys.readouterr()
    pixels = [np.asarray(Image.open(data)) for data in (tmp_path / "soft.jpg", io.BytesIO(made[9].data))]
    assert np.array_equal(*pixels)
    assert main([*words, "-o", str(tmp_path / "soft.jpg"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "skipped"  # made already: the digest knows the option


def test_the_codec_of_the_guide_is_in_the_benchmark(photo: np.ndarray, folder: Path) -> None:
    Path("soft.py").write_text(block("JpegCodec"), encoding="utf-8")
    Path("program.py").write_text(PROGRAM, encoding="utf-8")
    Path("in").mkdir()
    Image.fromarray(photo[:96, :128]).save("in/photo.png")
    words = ["benchmark", "in", "-d", "out", "--bpp", "2", "--encoders", "pillow", "soft", "soft-constant", "--quiet"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(msroi.__file__).parents[1]), *sys.path])}
    done = subprocess.run([sys.executable, "program.py", *words], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    found = {row["encoder"]: row for row in rows.read_rows(Path("out/rows.csv"))}
    assert {row["status"] for row in found.values()} == {rows.OK}
    assert found["soft"]["psnr"] != found["soft-constant"]["psnr"]
    assert "JPEG that follows a map" in Path("out/index.html").read_text(encoding="utf-8")
