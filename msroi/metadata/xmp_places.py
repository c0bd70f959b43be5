"""XMP read by its namespaces: packets without places, packets of a few namespaces, the texts that are asked for.

The parser is expat, which tells the byte at which a tag begins. What is taken out is overwritten by spaces, which mean
nothing between the parts of an XML tag, so that every other byte stays where it was. A packet with a document type, the
only way to entities of its own, is refused as what cannot be read.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from xml.parsers import expat

DC = "http://purl.org/dc/elements/1.1/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_FRAME = "adobe:ns:meta/"
_SEPARATOR = "\x1f"

# Names that mean a place in their own namespace alone, in small letters.
_PLACES = {
    "http://ns.adobe.com/photoshop/1.0/": {"state"},
    "http://www.w3.org/2003/01/geo/wgs84_pos#": {"lat", "long", "alt", "lat_long", "point", "spatialthing"},
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": {"locationid"},
    DC: {"coverage"},
    "http://purl.org/dc/terms/": {"coverage", "spatial"},
    "http://www.dji.com/drone-dji/1.0/": {"absolutealtitude", "relativealtitude"},
}
# Names that mean one wherever they stand.
_PLACES_ANYWHERE = re.compile(
    r"gps.*|.*latitude|.*longi?tude|city|country(?:code|name)?|province-?state|sub-?location|worldregion|landmark|placename"
    r"|(?:content|shot|geo|photo|image)?location(?:created|shown|name)?|geotag|coordinates"
)
_TAG_END = re.compile(rb"""(?:[^>"']++|"[^"]*+"|'[^']*+')*+>""")
# A name in a tag; `value` is there if it is an attribute's. It matches every name, so that none is looked at twice.
_NAME = re.compile(rb"""(?P<name>[^\s"'=<>/]++)(?P<value>\s*+=\s*+(?:"[^"]*+"|'[^']*+'))?+""")
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)


class UnreadableError(ValueError):
    """A packet that is no XML, or one that nobody should read."""


def is_place(namespace: str, name: str) -> bool:
    """True for a property that says where a photo was taken or what place it shows."""
    name = name.lower()
    return name in _PLACES.get(namespace, ()) or _PLACES_ANYWHERE.fullmatch(name) is not None


def without_places(packet: bytes) -> bytes:
    """The same number of bytes with every attribute, element and comment that names a place blanked.

    The address of a person, as in IPTC's contact details, stays. Errors: UnreadableError.
    """
    return _without(packet, is_place)


def only(packet: bytes, namespaces: frozenset[str]) -> bytes:
    """The same number of bytes with every property and comment blanked that is of none of these namespaces.

    RDF itself and the frame around it stay. Errors: UnreadableError.
    """
    return _without(packet, lambda namespace, name: namespace not in namespaces | {_RDF, _FRAME})


def _without(packet: bytes, is_gone: Callable[[str, str], bool]) -> bytes:
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if packet.startswith(mark)), "utf-8")
    body = packet.rstrip(b"\0") if encoding == "utf-8" else packet
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableError(str(error)) from error
    as_utf_8 = text.encode()
    reader = _Reader(as_utf_8, is_gone)
    if not reader.places:
        return packet
    parts, behind = [], 0
    for start, stop in reader.places:
        blank = as_utf_8[start:stop].decode().encode(encoding)
        n_unit = len(" ".encode(encoding))
        parts += [as_utf_8[behind:start].decode().encode(encoding), " ".encode(encoding) * (len(blank) // n_unit)]
        behind = stop
    parts.append(as_utf_8[behind:].decode().encode(encoding))
    return b"".join(parts).ljust(len(packet), b"\0")


def texts(packet: bytes, namespace: str, name: str) -> list[str]:
    """What a property says: its own text or that of its list's items. Empty where it is absent or cannot be read."""
    try:
        return _Reader(packet.rstrip(b"\0"), lambda *_: False, f"{namespace}{_SEPARATOR}{name}").texts
    except UnreadableError:
        return []


class _Reader:
    """One pass over a packet in UTF-8. Errors: UnreadableError.

    places: where what is to go, by namespace and name, and comments start and stop, in order and not overlapping.
    texts: of the elements and attributes `wanted`.
    """

    def __init__(self, packet: bytes, is_gone: Callable[[str, str], bool], wanted: str | None = None) -> None:
        self.packet = packet
        self.is_gone = is_gone
        self.wanted = wanted
        self.places: list[tuple[int, int]] = []
        self.texts: list[str] = []
        self._depth = 0
        self._place: tuple[int, int] | None = None  # depth and start of the element that is to go
        self._inside = 0  # depth of the element that is wanted
        self._text = ""
        parser = expat.ParserCreate("utf-8", _SEPARATOR)
        parser.ordered_attributes = True
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CommentHandler = self._comment
        parser.StartDoctypeDeclHandler = self._document_type
        if wanted is not None:
            parser.CharacterDataHandler = self._characters
        self._parser = parser
        try:
            parser.Parse(packet, True)
        except expat.ExpatError as error:
            raise UnreadableError(str(error)) from error

    def _start(self, name: str, attributes: list[str]) -> None:
        self._depth += 1
        start = self._parser.CurrentByteIndex
        if self._place is None and self.is_gone(*_split(name)):
            self._place = self._depth, start
        if self._place is None and any(self.is_gone(*_split(attribute)) for attribute in attributes[::2]):
            self.places += self._attributes(start, attributes[::2])
        self.texts += [v for n, v in zip(attributes[::2], attributes[1::2], strict=True) if n == self.wanted]
        if name == self.wanted and not self._inside:
            self._inside = self._depth
        self._text = ""

    def _end(self, name: str) -> None:
        if self._inside and (self._text.strip() or name == self.wanted):
            self.texts += [self._text.strip()] if self._text.strip() else []
            self._text = ""
        if self._inside == self._depth:
            self._inside = 0
        if self._place is not None and self._place[0] == self._depth:
            self.places.append((self._place[1], self._element_end(self._place[1])))
            self._place = None
        self._depth -= 1

    def _comment(self, text: str) -> None:
        start = self._parser.CurrentByteIndex
        if self._place is None and text.strip():
            self.places.append((start, self.packet.index(b"-->", start) + 3))

    def _characters(self, text: str) -> None:
        if self._inside:
            self._text += text

    def _document_type(self, *_: object) -> None:
        raise UnreadableError("a document type")

    def _element_end(self, start: int) -> int:
        """Where the element ends that began at `start`: expat stands at its closing tag, or behind an empty one."""
        here = self._parser.CurrentByteIndex
        is_empty = self._tag_end(start) == here and self.packet[here - 2 : here] == b"/>"
        return here if is_empty else self._tag_end(here)

    def _tag_end(self, start: int) -> int:
        found = _TAG_END.match(self.packet, start)
        return found.end() if found else len(self.packet)

    def _attributes(self, start: int, names: list[str]) -> Iterator[tuple[int, int]]:
        """Where the attributes that name places stand in the tag at `start`; namespaces are no attributes to expat."""
        end = self._tag_end(start)
        attributes = (m for m in _NAME.finditer(self.packet, start, end) if m["value"])
        found = (m for m in attributes if m["name"].partition(b":")[0] != b"xmlns")
        for name, attribute in zip(names, found, strict=True):
            if self.is_gone(*_split(name)):
                yield attribute.span()


def _split(name: str) -> tuple[str, str]:
    namespace, _, local = name.rpartition(_SEPARATOR)
    return namespace, local
