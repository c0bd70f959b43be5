"""Pages from templates: Jinja2, in which every value is escaped unless it says that it is markup.

    values, plain text --> template beside the code that makes them --> page

Jinja2 is imported here alone, so that nothing but a page pays for it.
"""

from __future__ import annotations

import functools
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from msroi.report.document import policy, readable, resource

_HERE = "msroi.report"


def render(name: str, **values: Any) -> str:
    """A template filled, named "package/file". Values are escaped where they are put in; a `Markup` stays as it is."""
    return _environment().get_template(name).render(**values)


def viewer_parts(style: str, script: str) -> dict[str, Markup]:
    """What `document.html` takes for a page with a viewer: policy, style, script.

    style, script: the page's own, which stand behind the viewer's.
    """
    style = "\n".join([*(resource(_HERE, name) for name in ("base.css", "viewer.css")), style])
    script = "\n".join([*(resource(_HERE, name) for name in ("scroll.js", "differences.js", "viewer.js")), script])
    return {"policy": Markup(policy(style, script)), "style": Markup(style), "script": Markup(script)}


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(lambda name: resource(*name.split("/"))),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        keep_trailing_newline=True,
    )


def _shown(value: Any) -> Any:
    """Text as any page can hold it; None would be a mistake and shows as nothing."""
    if value is None:
        return ""
    return readable(value) if type(value) is str else value
