"""DER, as far as certificates need it, with nothing that would refuse to write a wrong one."""

from __future__ import annotations

import datetime


def element(tag: int, contents: bytes) -> bytes:
    """Returns an element with its tag and length."""
    length = len(contents)
    if length < 128:
        return bytes([tag, length]) + contents
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + contents


def sequence(*parts: bytes) -> bytes:
    return element(0x30, b"".join(parts))


def set_of(*parts: bytes) -> bytes:
    return element(0x31, b"".join(parts))


def integer(value: int) -> bytes:
    return element(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def boolean(value: bool) -> bytes:
    return element(0x01, b"\xff" if value else b"\0")


def octets(contents: bytes) -> bytes:
    return element(0x04, contents)


def bits(contents: bytes, unused: int = 0) -> bytes:
    return element(0x03, bytes([unused]) + contents)


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(part) for part in dotted.split("."))
    body = b""
    for number in (first * 40 + second, *rest):
        group = [number & 0x7F]
        while number := number >> 7:
            group.append(0x80 | (number & 0x7F))
        body += bytes(reversed(group))
    return element(0x06, body)


def context(number: int, contents: bytes, constructed: bool = True) -> bytes:
    """Returns an element with a tag of the context's class."""
    return element((0xA0 if constructed else 0x80) | number, contents)


def time(moment: datetime.datetime) -> bytes:
    if 1950 <= moment.year < 2050:
        return element(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())
    return element(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode())


# Types of strings in names: the tag, and how text becomes octets.
STRINGS = {
    "utf8": (0x0C, "utf-8"),
    "printable": (0x13, "latin-1"),
    "t61": (0x14, "latin-1"),
    "ia5": (0x16, "latin-1"),
    "bmp": (0x1E, "utf-16-be"),
    "universal": (0x1C, "utf-32-be"),
    "numeric": (0x12, "latin-1"),
    "visible": (0x1A, "latin-1"),
}


def string(kind, text: str) -> bytes:
    """Returns a string of a kind, or one that is given in DER in the place of its kind."""
    if isinstance(kind, bytes):
        return kind
    tag, encoding = STRINGS[kind]
    return element(tag, text.encode(encoding))
