"""What every page stands on: text that it can hold, its resources, its content security policy, data URIs."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from importlib.resources import files


def readable(value: str) -> str:
    """Text that any page can hold: no control characters, no half surrogates of undecodable file names."""
    printable = "".join("\ufffd" if ord(c) < 32 or 127 <= ord(c) < 160 else c for c in value)
    return printable.encode("utf-8", "replace").decode("utf-8")


# An absolute path up to its last name: from a root, a drive or a home to the last slash before a blank or a quote.
_FOLDERS = re.compile(r"""(?:^|(?<=[\s'"=(,:]))(?:~|[A-Za-z]:)?[/\\](?:[^\s/\\'"]+[/\\])*(?=[^\s/\\])""")


def without_folders(value: str, folders: Iterable[str] = ()) -> str:
    """The text with absolute paths cut to their last names: a page is passed on, and its reader has no such folders.

    folders: known ones, whose names may hold blanks.
    """
    for folder in sorted(folders, key=len, reverse=True):
        value = re.sub(re.escape(folder.rstrip("/\\")) + r"[/\\]", "", value)
    return _FOLDERS.sub("", value)


def resource(package: str, name: str) -> str:
    """A text file that lies in a package."""
    # The policy's digests are of text with plain line ends, whatever a checkout made of them.
    return files(package).joinpath(name).read_text("utf-8").replace("\r\n", "\n")


def policy(style: str, script: str) -> str:
    """Content security policy: nothing from anywhere but this file; of scripts and styles, only these two."""

    def digest(content: str) -> str:
        return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()

    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest(style)}'; "
        f"script-src 'sha256-{digest(script)}'; base-uri 'none'; form-action 'none'"
    )


def data_uri(mime: str, data: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"
