"""The viewer that pages share: its markup, style and script, to be put into a page's template."""

from __future__ import annotations

from msroi.report.document import policy, resource

_HERE = "msroi.report"


def viewer_parts(style: str, script: str) -> dict[str, str]:
    """What goes into a template by these names: policy, style, script, and the markup stage, modes and zoom.

    style, script: the page's own, which stand behind the viewer's.
    """
    style = "\n".join([*(resource(_HERE, name) for name in ("base.css", "viewer.css")), style])
    script = "\n".join([*(resource(_HERE, name) for name in ("scroll.js", "differences.js", "viewer.js")), script])
    markup = {name: resource(_HERE, f"{name}.html") for name in ("stage", "modes", "zoom")}
    return {"policy": policy(style, script), "style": style, "script": script, **markup}
