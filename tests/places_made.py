"""Files that name a place in every way that readers know, and files that ask for much work, made on the spot."""

from __future__ import annotations

import base64
import hashlib
import struct

import files_made as made
from PIL import features

from msroi.metadata import exif, photoshop, xmp
from msroi.metadata.exif import Field

TOWN = b"Velenje"
LATITUDE = struct.pack("<6I", 46, 1, 21, 1, 4242, 100)
LATITUDE_BIG = struct.pack(">6I", 46, 1, 21, 1, 4242, 100)
# What must be in no file: the town in both encodings, the position in EXIF's, XMP's and plain numbers.
TELL_TALES = (TOWN, TOWN.decode().encode("utf-16-le"), TOWN.decode().encode("utf-16-be"))
TELL_TALES += (LATITUDE, LATITUDE_BIG, b"46,21.7", b"46.3617", b"4\x006\x00,\x002", b"\x004\x006\x00,\x002")
PLAIN = made.encoded(made.picture(), quality=60)
THUMBNAIL = made.encoded(made.picture(12, 16), quality=30)
RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/"'
EXIF_NAMESPACE = "http://ns.adobe.com/exif/1.0/"


def gps(order: str = "<") -> dict[int, Field]:
    """The fields of a GPS directory."""
    return {
        1: Field(2, 2, b"N\0"),
        2: Field(5, 3, LATITUDE if order == "<" else LATITUDE_BIG),
        29: Field(2, 11, b"2026:11:21\0"),
    }


def exif_with(order: str = "<", main: dict[int, Field] | None = None, details: dict[int, Field] | None = None) -> bytes:
    """EXIF of a camera with a position."""
    return exif.build(
        {271: Field(2, 5, b"ACME\0"), **(main or {})},
        details or {0x9003: Field(2, 5, b"when\0")},
        gps(order),
        order=order,
    )


def exif_without_gps(main: dict[int, Field], details: dict[int, Field] | None = None, make: bytes = b"ACME") -> bytes:
    """EXIF of a camera with these fields."""
    return exif.build({271: Field(2, len(make) + 1, make + b"\0"), **main}, details)


def exif_with_thumbnail(jpeg: bytes) -> bytes:
    """EXIF whose second directory points at a JPEG."""
    block = exif.build({271: Field(2, 5, b"ACME\0")})
    at = len(block)
    first_next = 8 + 2 + 12
    small = (
        struct.pack("<H", 2)
        + struct.pack("<HHII", 0x0201, 4, 1, at + 30)
        + struct.pack("<HHII", 0x0202, 4, 1, len(jpeg))
    )
    return block[:first_next] + struct.pack("<I", at) + block[first_next + 4 :] + small + bytes(4) + jpeg


def chained(n_directories: int) -> bytes:
    """EXIF of so many directories, each the next one's predecessor; the last one points at GPS data."""
    block = b"II*\0" + struct.pack("<I", 8)
    for i in range(n_directories):
        is_last = i == n_directories - 1
        behind = len(block) + 18
        row = struct.pack("<HHII", 0x8825, 4, 1, behind) if is_last else struct.pack("<HHII", 271, 2, 4, 0x454D4341)
        block += struct.pack("<H", 1) + row + struct.pack("<I", 0 if is_last else behind)
    table = struct.pack("<H", 1) + struct.pack("<HHII", 2, 5, 3, len(block) + 18) + bytes(4)
    return block + table + LATITUDE


def app1(exif_block: bytes, head: bytes = b"Exif\0\0") -> bytes:
    return made.segment(0xE1, head + exif_block)


def packet(inside: str, description: str = "", more: str = RDF) -> str:
    """An XMP packet with attributes and elements of one description."""
    about = f'rdf:about="" dc:title="kept"{description}'
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        f"{more}><rdf:Description {about}>{inside}</rdf:Description></rdf:RDF></x:xmpmeta>"
        '<?xpacket end="w"?>'
    )


def main_xmp(text: str, encoding: str = "utf-8") -> bytes:
    return made.segment(0xE1, xmp.PREFIX + text.encode(encoding))


def element(name: str, namespace: str, value: str = TOWN.decode()) -> str:
    prefix = name.partition(":")[0]
    return packet(f"<{name}>{value}</{name}>", more=f'{RDF} xmlns:{prefix}="{namespace}"')


def extended_xmp(text: bytes, n_parts: int = 3, digest: bytes | None = None) -> tuple[list[bytes], bytes]:
    """The segments of an extended packet, and its digest."""
    digest = digest or hashlib.md5(text, usedforsecurity=False).hexdigest().upper().encode()
    size = -(-len(text) // n_parts)
    head = xmp.EXTENSION_PREFIX + digest + struct.pack(">I", len(text))
    parts = [head + struct.pack(">I", i) + text[i : i + size] for i in range(0, len(text), size)]
    return [made.segment(0xE1, part) for part in parts], digest


def naming(digest: bytes) -> str:
    """A main packet that names an extended one."""
    note = 'xmlns:xmpNote="http://ns.adobe.com/xmp/note/"'
    return packet("", f' xmpNote:HasExtendedXMP="{digest.decode()}"', f"{RDF} {note}")


def dataset(record: int, number: int, value: bytes) -> bytes:
    return bytes((0x1C, record, number)) + struct.pack(">H", len(value)) + value


def iptc_record(*places: int) -> bytes:
    """An IPTC record with a place in these datasets, a by-line and a caption."""
    named = b"".join(dataset(2, number, TOWN) for number in places)
    return dataset(2, 80, b"Ann Author") + named + dataset(2, 120, b"a caption")


def resource(number: int, content: bytes) -> bytes:
    return (
        b"8BIM"
        + struct.pack(">H", number)
        + b"\0\0"
        + struct.pack(">I", len(content))
        + content
        + bytes(len(content) % 2)
    )


def app13(*resources: bytes) -> bytes:
    return made.segment(0xED, photoshop.PREFIX + b"".join(resources))


def photoshop_thumbnail(jpeg: bytes) -> bytes:
    return struct.pack(">6IHH", 1, 16, 12, 48, 576, len(jpeg), 24, 1) + jpeg


def maker_notes(begins: bytes, row: tuple[int, int, int, bytes], own_base: int | None, make: bytes) -> bytes:
    """EXIF with maker notes of two fields, the second a place.

    own_base: where in the notes offsets count from; None for the EXIF's own header.
    """
    tag, kind, count, value = row

    def notes(at: int) -> bytes:
        table = len(begins) + 2 + 24 + 4
        place = table if own_base is not None else at + table
        field = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack("<I", place - (own_base or 0))
        rows = struct.pack("<HHI4s", 1, 7, 4, b"0100") + struct.pack("<HHI", tag, kind, count) + field
        return begins + struct.pack("<H", 2) + rows + bytes(4) + (value if len(value) > 4 else b"")

    n_bytes = len(notes(0))
    n_bytes = len(notes(0))
    filler = b"\xab" * n_bytes
    block = exif_without_gps({}, {0x927C: Field(7, n_bytes, filler)}, make)
    at = block.index(filler)
    return block[:at] + notes(at) + block[at + n_bytes :]


NAMES = {
    "photoshop:City": "http://ns.adobe.com/photoshop/1.0/",
    "photoshop:State": "http://ns.adobe.com/photoshop/1.0/",
    "photoshop:Country": "http://ns.adobe.com/photoshop/1.0/",
    "Iptc4xmpCore:Location": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpCore:CountryCode": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt:LocationCreated": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "Iptc4xmpExt:LocationShown": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "dc:coverage": "http://purl.org/dc/elements/1.1/",
    "xmpDM:shotLocation": "http://ns.adobe.com/xmp/1.0/DynamicMedia/",
}
STRUCTURE = (
    '<rdf:Bag><rdf:li rdf:parseType="Resource"><Iptc4xmpExt:City>Velenje</Iptc4xmpExt:City>'
    "<Iptc4xmpExt:ProvinceState>Velenje</Iptc4xmpExt:ProvinceState><Iptc4xmpExt:CountryName>Velenje"
    "</Iptc4xmpExt:CountryName></rdf:li></rdf:Bag>"
)


def _xmp_files() -> dict[str, bytes]:
    """Places in XMP: each name as element and as attribute, and the odd forms."""
    texts = {}
    for name, namespace in NAMES.items():
        value = STRUCTURE if name.startswith("Iptc4xmpExt") else TOWN.decode()
        more = RDF if name.startswith("dc:") else f'{RDF} xmlns:{name.partition(":")[0]}="{namespace}"'
        texts[name.replace(":", "-")] = packet(f"<{name}>{value}</{name}>", more=more)
        if value is not STRUCTURE:
            texts[name.replace(":", "-") + "-attribute"] = packet("", f' {name}="{value}"', more)
    for prefix in ("exif", "odd", "\u010d\u017e"):
        more = f'{RDF} xmlns:{prefix}="{EXIF_NAMESPACE}"'
        position = f'{prefix}:GPSLatitude="46,21.7N"'
        texts[f"prefix-{prefix}"] = packet(f"<{prefix}:GPSLatitude>46,21.7N</{prefix}:GPSLatitude>", more=more)
        texts[f"prefix-{prefix}-attribute"] = packet("", f" {position}", more)
    geo = f'{RDF} xmlns:geo="http://www.w3.org/2003/01/geo/wgs84_pos#"'
    texts["geo"] = packet("<geo:long>15.11</geo:long>", ' geo:lat="46.3617"', geo)
    texts["geo-point"] = packet("<geo:Point><geo:lat>46.3617</geo:lat></geo:Point>", more=geo)
    texts["default"] = packet(f'<GPSLatitude xmlns="{EXIF_NAMESPACE}">46,21.7N</GPSLatitude>')
    undeclared = packet("", ' exif:GPSLatitude="46,21.7N"')
    texts["undeclared"] = undeclared
    texts["no-blank"] = undeclared.replace('"kept" ', '"kept"').replace(RDF, f'{RDF} xmlns:exif="{EXIF_NAMESPACE}"')
    texts["comment"] = packet("<!-- Velenje -->")
    texts["cut"] = texts["prefix-exif"][:-80]
    entity = '<!DOCTYPE x [<!ENTITY t "Velenje"><!ENTITY u "&t;&t;">]>'
    texts["entity"] = texts["photoshop-City"].replace("?><x:", f"?>{entity}<x:", 1)
    picture = base64.encodebytes(made.with_segments(THUMBNAIL, app1(exif_with()))).decode().replace("\n", "&#xA;")
    texts["thumbnail"] = element("xmpGImg:image", "http://ns.adobe.com/xap/1.0/g/img/", picture)
    texts["dji"] = element("d:GpsLongtitude", "http://www.dji.com/drone-dji/1.0/")
    texts["unknown"] = element("own:gps_latitude", "http://example.org/own")
    files = {f"xmp-{name}": main_xmp(text) for name, text in texts.items()}
    for encoding in ("utf-16-le", "utf-16-be", "utf-32-le"):
        files[f"xmp-{encoding}"] = main_xmp(texts["photoshop-City"], encoding)
    files["xmp-latin"] = main_xmp(texts["photoshop-City"].replace("\ufeff", "\xe9"), "latin-1")
    long = packet(
        "<dc:x>y</dc:x>" * 200, ' exif:GPSLatitude="46,21.7N"', f'{RDF} xmlns:exif="{EXIF_NAMESPACE}"'
    ).encode()
    parts, digest = extended_xmp(long)
    files["xmp-extended"] = b"".join((main_xmp(naming(digest)), parts[2], parts[0], parts[1]))
    files["xmp-extended-not-named"] = b"".join((main_xmp(packet("")), *parts))
    files["xmp-extended-part"] = b"".join((main_xmp(naming(digest)), *parts[:2]))
    return files


def _exif_files() -> dict[str, bytes]:
    """Places in EXIF segments."""
    inner = made.with_segments(THUMBNAIL, app1(exif_with()))
    twice = made.with_segments(THUMBNAIL, app1(exif_with_thumbnail(inner)))
    record, town = iptc_record(90, 101), main_xmp(element("p:City", NAMES["photoshop:City"]))
    xmp_text = town[4 + len(xmp.PREFIX) :]
    keys = {33922: Field(12, 1, struct.pack("<d", 46.3617)), 34735: Field(3, 2, b"\1\0\2\0")}
    notes = {
        "panasonic": (b"Panasonic\0\0\0", (0x6D, 7, 16, TOWN.ljust(16, b"\0")), None, b"Panasonic"),
        "nikon": (
            b"Nikon\0\2\x11\0\0II*\0\x08\0\0\0",
            (0x39, 7, 84, b"0100\0SVN\0" + TOWN.ljust(75, b"\0")),
            10,
            b"NIKON",
        ),
        "pentax": (b"PENTAX \0II", (0x23, 3, 1, b"\x0b\0"), 0, b"PENTAX"),
        "samsung": (b"", (0x31, 2, 8, TOWN + b"\0"), 0, b"SAMSUNG"),
        "samsung-in-exif": (b"", (0x31, 2, 8, TOWN + b"\0"), None, b"SAMSUNG"),
        "casio": (b"QVC\0\0\0", (0x3006, 2, 4, b"Ptuj"), None, b"CASIO COMPUTER CO.,LTD."),
    }
    blocks = {
        "exif": exif_with(),
        "exif-big-endian": exif_with(">"),
        "exif-70th-directory": chained(70),
        "exif-3000th-directory": chained(3000),
        "exif-geotiff": exif_without_gps(keys),
        "exif-xmp": exif_without_gps({700: Field(1, len(xmp_text), xmp_text)}),
        "exif-iptc": exif_without_gps({33723: Field(7, len(record), record)}),
        "exif-photoshop": exif_without_gps({34377: Field(7, len(resource(0x0404, record)), resource(0x0404, record))}),
        "exif-thumbnail": exif_with_thumbnail(inner),
        "exif-thumbnail-in-thumbnail": exif_with_thumbnail(twice),
        "exif-thumbnail-comment": exif_with_thumbnail(made.with_segments(THUMBNAIL, made.segment(0xFE, TOWN))),
        **{f"notes-{name}": maker_notes(*parts) for name, parts in notes.items()},
    }
    files = {name: app1(block) for name, block in blocks.items()}
    files["exif-ff"] = app1(exif_with(), b"Exif\0\xff")
    files["exif-capitals"] = app1(exif_with(), b"EXIF\0\0")
    files["exif-behind-rubbish"] = app1(exif_with(), b"\xff\xe1\x12\x34Exif\0\0")
    files["exif-two-segments"] = app1(exif_with()[:-40]) + app1(exif_with()[-40:])
    return files


def _other_files() -> dict[str, bytes]:
    """Places in segments of other kinds."""
    inner = made.with_segments(THUMBNAIL, app1(exif_with()))
    record = iptc_record(26, 27, 90, 92, 95, 100, 101)
    digest = hashlib.md5(record, usedforsecurity=False).digest()
    long = resource(0x0404, record)
    klv = b"DEVC\0\1\0\x10GPS5l\x14\0\1" + struct.pack(">5i", 463617000, 151100000, 0, 0, 0)
    meta = exif.build({0x0402: Field(2, 8, TOWN + b"\0")})
    return {
        "iptc": app13(resource(0x0404, record), resource(0x0425, digest), resource(0x03ED, b"kept")),
        "iptc-in-two-segments": app13(long[:30]) + app13(long[30:]),
        "iptc-and-rubbish": app13(resource(0x0404, iptc_record(90) + b"rubbish of Velenje")),
        "photoshop-rubbish": app13(resource(0x03ED, b"kept")) + app13(b"rubbish of Velenje"),
        "photoshop-exif": app13(resource(0x0422, exif_with())),
        "photoshop-xmp": app13(resource(0x0424, packet("<!-- Velenje -->").encode())),
        "photoshop-thumbnail": app13(resource(0x040C, photoshop_thumbnail(inner))),
        "photoshop-thumbnail-old": app13(resource(0x0409, photoshop_thumbnail(inner))),
        "jfxx": made.segment(0xE0, b"JFXX\0\x10" + inner),
        "kodak-meta": made.segment(0xE3, b"Meta\0\0" + meta),
        "gopro": made.segment(0xE6, b"GoPro\0" + klv + TOWN),
        "comment": made.segment(0xFE, b"Velenje, 46.3617 N"),
        "unicode-comment": made.segment(0xEA, b"UNICODE\0" + TOWN),
        "picture-info": made.segment(0xEC, b"[picture info] Resolution=1 Location=Velenje"),
    }


SEGMENTS = {**_exif_files(), **_xmp_files(), **_other_files()}


def jpegs() -> dict[str, bytes]:
    """A JPEG for each way, and those with a second JPEG behind."""
    files = {name: made.with_segments(PLAIN, segments) for name, segments in SEGMENTS.items()}
    second = made.with_segments(THUMBNAIL, SEGMENTS["exif"], SEGMENTS["iptc"], SEGMENTS["comment"])
    files["behind"] = PLAIN + second
    files["behind-bytes"] = PLAIN + b"Velenje!" + second + b"rubbish of Velenje"
    files["behind-two"] = PLAIN + second + bytes(5) + second
    files["film-behind"] = PLAIN + b"\0\0\0\x18ftypmp42" + bytes(16) + b"\xa9xyz" + b"+46.3617+015.11/"
    files["multi-picture"] = made.multi_picture(PLAIN, second, second + b"of Velenje", gap=b"Velenje")
    files["multi-picture-unreadable"] = made.multi_picture(PLAIN, second, b"\xff\xd8\xff\xe1" + LATITUDE, second)
    return files


def foreign() -> dict[str, bytes]:
    """Places in files of other formats."""
    pixels = made.picture()
    text = packet("", ' exif:GPSLatitude="46,21.7N"', f'{RDF} xmlns:exif="{EXIF_NAMESPACE}"').encode()
    block, record = exif_with(), iptc_record(90, 101)
    profile = b"\niptc\n%8d\n%s\n" % (len(record), record.hex().encode())
    files = {
        "png-exif": made.png(pixels, 8, 2, (b"eXIf", block)),
        "png-xmp": made.png(pixels, 8, 2, (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + text)),
        "png-iptc": made.png(pixels, 8, 2, (b"tEXt", b"Raw profile type iptc\0" + profile)),
        "png-comment": made.png(pixels, 8, 2, (b"tEXt", b"Comment\0Velenje")),
        "webp": made.encoded(pixels, "WEBP", exif=b"Exif\0\0" + block, xmp=text),
        "gif": made.encoded(pixels, "GIF", comment=b"Velenje"),
        "tiff": made.tiff(pixels, 2, (700, 1, len(text), text), (33723, 7, len(record), record)),
    }
    if features.check("avif"):
        files["avif"] = made.encoded(pixels, "AVIF", exif=block, xmp=text)
    fields = (0x8825, 4, 1, struct.pack("<I", 0)), (700, 1, len(text), text)
    behind = len(made.tiff(pixels, 2, *fields))
    table = struct.pack("<HHHII", 1, 2, 5, 3, behind + 18) + bytes(4) + LATITUDE
    files["tiff-gps"] = made.tiff(pixels, 2, (0x8825, 4, 1, struct.pack("<I", behind)), fields[1]) + table
    return files


# Files that ask for work out of proportion


def _overlapping_gps(n_fields: int, n_directories: int) -> bytes:
    """Directories that all point at one GPS directory, whose fields all lie over the same bytes."""
    block = b"II*\0" + struct.pack("<I", 8)
    gps_at = 8 + 18 * n_directories
    for i in range(n_directories):
        following = 0 if i == n_directories - 1 else len(block) + 18
        block += struct.pack("<HHHIII", 1, 0x8825, 4, 1, gps_at, following)
    block += struct.pack("<H", n_fields)
    block += struct.pack("<HHII", 2, 7, 60_000, 100) * n_fields
    return block.ljust(65_000, b"\7")


def _overlapping_tables(step: int) -> bytes:
    """A field of sub-directories, each of whose tables takes all the rest of the structure."""
    places = list(range(40, 60_000, step))
    block = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x014A, 4, len(places), 5000, 0)
    table = struct.pack("<HHHII", 5000, 271, 7, 4, 0) * 5000
    rows = block.ljust(5000, b"\1") + struct.pack(f"<{len(places)}I", *places)
    return (rows + table)[:65_000]


def attacks(n: int = 1) -> dict[str, bytes]:
    """JPEGs that once kept a core busy. n: 1 for the size at which that was seen, more for so many times smaller."""
    digests = [f"{i:032X}".encode() for i in range(19_900 // n)]
    own = b"".join(extended_xmp(b"<a/>", 1, digest)[0][0] for digest in digests)
    many = {
        "exif": app1(exif_with()),
        "xmp": main_xmp(packet("")),
        "photoshop": app13(resource(0x0404, iptc_record(90))),
        "comment": made.segment(0xFE, b"x"),
        "mpf": made.segment(0xE2, b"MPF\0II*\0" + struct.pack("<IHHHIII", 8, 1, 0xB002, 7, 32, 26, 0) + bytes(32)),
    }
    name = b"n" * (60_000 // n)
    long_name = packet(
        f'<{name.decode()} p:City="{TOWN.decode()}"/>', more=f'{RDF} xmlns:p="{NAMES["photoshop:City"]}"'
    )
    cities = packet("<p:City/>" * (5_500 // n), more=f'{RDF} xmlns:p="{NAMES["photoshop:City"]}"')
    files = {
        "gps-over-gps": app1(_overlapping_gps(5_000 // n, 1)),
        "chained-to-one-gps": app1(_overlapping_gps(2_000 // n, 64)),
        "tables-over-tables": app1(_overlapping_tables(6 * n)),
        "extended-xmp-each-its-own": main_xmp(naming(digests[0])) + own,
        "xmp-long-name": main_xmp(long_name),
        "xmp-cities": main_xmp(cities),
        "xmp-deep": main_xmp("<a>" * (20_000 // n)),
        "iptc-many": app13(resource(0x0404, dataset(2, 90, b"") * (13_000 // n))),
        "thumbnails": app1(exif_with() + b"\xff\xd8\xff\xe1\0\2" * (10_000 // n)),
        "thumbnail-starts": app1(exif_with() + b"\xff\xd8\xff" * (20_000 // n)),
        **{f"many-{what}": segment * (19_900 // n) for what, segment in many.items()},
    }
    behind = {
        "jpegs-behind": PLAIN + THUMBNAIL * (2_000 // n),
        "starts-behind": PLAIN + b"\xff\xd8\xff\xe1" * (300_000 // n),
    }
    return {name: made.with_segments(PLAIN, segments) for name, segments in files.items()} | behind
