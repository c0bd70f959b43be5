"""A page read strictly, and a headless browser spoken to by the WebDriver protocol."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import urllib.error
import urllib.request
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


class Document(HTMLParser):
    """A parsed page. Reading fails where tags do not nest."""

    VOID = frozenset({"meta", "link", "img", "input", "br"})

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, list[str]] = {}
        self.feed(page)
        self.close()
        assert self.open == [], f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"attribute twice in {tag}"
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open:
            self.text.setdefault(self.open[-1], []).append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


class Browser:
    """A headless browser behind its driver, spoken to by the WebDriver protocol."""

    def __init__(self, browser: str, driver: str, profile: Path) -> None:
        self.process = subprocess.Popen([driver, "--port=0"], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        started = next(m for line in self.process.stdout if (m := re.search(r"on port (\d+)\.", line)))
        self.base = f"http://127.0.0.1:{started[1]}"
        arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--window-size=1200,900",
            f"--user-data-dir={profile}",
        ]
        wanted = {
            "goog:chromeOptions": {"args": arguments, "binary": browser},
            "goog:loggingPrefs": {"browser": "ALL"},
        }
        self.session = ""
        answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = f"/session/{answer['sessionId']}"

    def call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + self.session + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error

    def open(self, page: str, folder: Path) -> None:
        path = folder / "page.html"
        path.write_text(page, encoding="utf-8")
        self.call("POST", "/url", {"url": path.as_uri()})
        self.run("await Promise.all([...document.images].filter(i => i.src).map(i => i.decode()))")

    def run(self, script: str, *arguments: Any) -> Any:
        wrapped = f"return (async (...arguments) => {{ {script} }})(...arguments)"
        return self.call("POST", "/execute/sync", {"script": wrapped, "args": list(arguments)})

    def resize(self, width: int, height: int, scale: float = 1, mobile: bool = False) -> None:
        parameters = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile}
        body = {"cmd": "Emulation.setDeviceMetricsOverride", "params": parameters}
        self.call("POST", "/goog/cdp/execute", body)
        self.run("await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def press(self, *keys: str) -> None:
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        def move(x: float, y: float) -> dict[str, Any]:
            return {"type": "pointerMove", "duration": 0, "x": round(x), "y": round(y)}

        half = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        down, up = {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}
        steps = [move(*start), down, move(*half), move(*end), up]
        mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": steps}
        self.call("POST", "/actions", {"actions": [mouse]})

    def box(self, element: str) -> dict[str, float]:
        result = self.run("return document.getElementById(arguments[0]).getBoundingClientRect().toJSON()", element)
        assert isinstance(result, dict)
        return result

    def screenshot(self) -> np.ndarray:
        data = base64.b64decode(self.call("GET", "/screenshot"))
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))

    def errors(self) -> list[str]:
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"})]

    def quit(self) -> None:
        try:
            if self.session:
                self.call("DELETE", "")
        finally:
            self.process.terminate()
            self.process.wait(timeout=20)
            assert self.process.stdout is not None
            self.process.stdout.close()


def displays_in_print(browser: Browser, selectors: list[str]) -> list[str]:
    """How the first element of each selector is displayed on paper."""
    browser.call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {"media": "print"}})
    try:
        listed = ", ".join(f"'{selector}'" for selector in selectors)
        return browser.run(f"return [{listed}].map(s => getComputedStyle(document.querySelector(s)).display)")
    finally:
        browser.call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {"media": ""}})
