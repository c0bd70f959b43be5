"""Fixtures: small pictures, and the image sets where a developer has them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from browser import Browser
from skips import (  # noqa: F401 - hooks of pytest
    pytest_addoption,
    pytest_configure,
    pytest_make_collect_report,
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
)

from msroi import threads

SHARED_DATA = Path(os.environ.get("MSROI_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Callable[..., Path]:
    """Path of a part of the image sets; the test is skipped where it is absent."""

    def find(*parts: str) -> Path:
        path = SHARED_DATA.joinpath(*parts)
        if not path.exists():
            pytest.skip(f"needs the image set {parts[0]}; set MSROI_SHARED_DATA to the folder of the sets")
        return path

    return find


@pytest.fixture(autouse=True)
def unbound() -> Iterator[None]:
    """Commands bind their process to so many threads for good; here many run in one process."""
    yield
    if threads._bounds.of_process is not None:
        threads._bounds.of_process = None
        threads._settle()


@pytest.fixture(scope="session")
def photo() -> np.ndarray:
    """A colour photo, uint8 (256, 384, 3), from scikit-image."""
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[:256, 64:448])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def small(photo: np.ndarray) -> np.ndarray:
    """uint8 (96, 144, 3) of a photo."""
    return np.ascontiguousarray(photo[80:176, 120:264])


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    executable = next((path for name in names if (path := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if executable is None or driver is None:
        pytest.skip("no Chromium with its chromedriver on this machine (Debian: chromium, chromium-driver)")
    started = Browser(executable, driver, tmp_path_factory.mktemp("profile"))
    yield started
    started.quit()
