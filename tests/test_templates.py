"""Templates of pages: every value is escaped, and a name that is not there is an error."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import DictLoader, UndefinedError
from markupsafe import Markup

import msroi
from msroi.report import templates

PACKAGE = Path(msroi.__file__).parent
TEMPLATES = sorted(PACKAGE.rglob("*.html"))


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> templates.Environment:
    """The pages' environment, with a template of the test's own."""
    environment = templates._environment().overlay(loader=DictLoader({"t": '<p title="{{ value }}">{{ value }}</p>'}))
    monkeypatch.setattr(templates, "_environment", lambda: environment)
    return environment


def test_values_are_escaped_whatever_they_hold(shown: object) -> None:
    page = templates.render("t", value="<b> & \" ' \x00 \udcff")
    assert page == '<p title="&lt;b&gt; &amp; &#34; &#39; \ufffd ?">&lt;b&gt; &amp; &#34; &#39; \ufffd ?</p>'
    assert templates.render("t", value=Markup("<i>")).endswith("<i></p>")
    assert templates.render("t", value=3).endswith(">3</p>")


def test_a_name_that_is_not_there_is_an_error(shown: object) -> None:
    with pytest.raises(UndefinedError, match="value"):
        templates.render("t")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_turns_escaping_off(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"\|\s*(safe|forceescape)|autoescape", text)
    assert "$" not in re.sub(r"<script.*?</script>", "", text, flags=re.S)
    # No attribute without quotes, in which a blank would begin another one.
    assert not re.search(r"=\s*\{\{", text)


def test_there_are_templates() -> None:
    assert {"page.html", "document.html", "verdict.html", "curves.html"} <= {path.name for path in TEMPLATES}
