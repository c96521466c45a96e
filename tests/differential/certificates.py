"""Certificates of which everything can be chosen, however wrong."""

from __future__ import annotations

import base64
import datetime
import ipaddress
from typing import Optional

import der
from keys import Key

CN, O, C, SERIAL_NUMBER = "2.5.4.3", "2.5.4.10", "2.5.4.6", "2.5.4.5"
EMAIL = "1.2.840.113549.1.9.1"
BASIC, USAGE, PURPOSE, SAN = "2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.17"
SUBJECT_KEY, AUTHORITY_KEY, CONSTRAINTS = "2.5.29.14", "2.5.29.35", "2.5.29.30"
NETSCAPE_TYPE = "2.16.840.1.113730.1.1"
PURPOSES = {"server": "1.3.6.1.5.5.7.3.1", "client": "1.3.6.1.5.5.7.3.2", "code": "1.3.6.1.5.5.7.3.3",
            "ocsp": "1.3.6.1.5.5.7.3.9", "any": "2.5.29.37.0", "sgc": "2.16.840.1.113730.4.1"}
USAGES = ["digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign",
          "cRLSign"]
NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
DAY = datetime.timedelta(days=1)

# An attribute of a name: its number, the type of its string, its text.
Attribute = tuple[str, str, str]


def name(*attributes: Attribute) -> bytes:
    return der.sequence(*(der.set_of(der.sequence(der.oid(number), der.string(kind, text)))
                          for number, kind, text in attributes))


def validity(begins: datetime.datetime, ends: datetime.datetime) -> bytes:
    return der.sequence(der.time(begins), der.time(ends))


def common(text: str, kind: str = "utf8") -> list[Attribute]:
    return [(O, "utf8", "Example"), (CN, kind, text)]


def general(kind: str, value: str) -> bytes:
    """Returns a GeneralName: of a certificate, or of a constraint."""
    if kind == "DNS":
        return der.context(2, value.encode("latin-1"), constructed=False)
    if kind == "email":
        return der.context(1, value.encode(), constructed=False)
    if kind == "URI":
        return der.context(6, value.encode(), constructed=False)
    if kind == "IP":
        return der.context(7, ipaddress.ip_address(value).packed, constructed=False)
    if kind == "octets":
        return der.context(7, bytes.fromhex(value), constructed=False)
    if kind == "net":
        network = ipaddress.ip_network(value)
        return der.context(7, network.network_address.packed + network.netmask.packed, constructed=False)
    if kind == "dir":
        return der.context(4, name(*[(O, "utf8", part) for part in value.split("/")]))
    if kind == "id":
        return der.context(8, der.oid(value)[2:], constructed=False)
    if kind == "other":
        return der.context(0, der.oid("1.3.6.1.4.1.311.20.2.3") + der.context(0, der.string("utf8", value)))
    raise ValueError(kind)


class Certificate:
    """What a certificate is to say, until it is written."""

    def __init__(self, subject: list[Attribute], key: Key, issuer: Optional["Certificate"] = None):
        self.subject, self.key = subject, key
        self.issuer = issuer or self
        # The issuer's name and key where they are not those of its certificate.
        self.issuer_name: Optional[list[Attribute]] = None
        self.signer: Optional[Key] = None
        self.hash: Optional[str] = None
        self.version = 3
        self.serial = (int.from_bytes(key.identifier[:8], "big") ^ len(subject[-1][2] if subject else "")) | 1
        self.begins, self.ends = NOW - 10 * DAY, NOW + 300 * DAY
        # By number: whether it is critical, and its value.
        self.extensions: dict[str, tuple[bool, bytes]] = {}
        self.spoil_signature = False
        # Extensions beside those, such as a second one of a kind.
        self.further: list[tuple[str, bool, bytes]] = []
        # What is written in place of the usual, in DER.
        self.validity: Optional[bytes] = None
        self.inner_algorithm: Optional[bytes] = None
        self.algorithm: Optional[bytes] = None
        # Extensions whatever the version.
        self.keeps_extensions = False
        self.unique_identifier = False
        # Octets after the certificate.
        self.rest = b""

    def write(self) -> bytes:
        """Returns the certificate in DER."""
        signer = self.signer or self.issuer.key
        digest = self.hash or signer.usual_hash
        usual, _ = signer.sign(b"", digest)
        algorithm = self.algorithm or usual
        issuer = self.issuer_name if self.issuer_name is not None else self.issuer.subject
        written = [(number, critical, value) for number, (critical, value) in self.extensions.items()] + self.further
        extensions = der.sequence(*(
            der.sequence(der.oid(number), *([der.boolean(True)] if critical else []), der.octets(value))
            for number, critical, value in written))
        has_extensions = written and (self.version == 3 or self.keeps_extensions)
        body = der.sequence(
            *([der.context(0, der.integer(self.version - 1))] if self.version > 1 else []),
            der.integer(self.serial),
            self.inner_algorithm or algorithm,
            name(*issuer),
            self.validity or validity(self.begins, self.ends),
            name(*self.subject),
            self.key.spki,
            *([der.context(1, b"\0\xaa", constructed=False)] if self.unique_identifier else []),
            *([der.context(3, extensions)] if has_extensions else []),
        )
        _, signature = signer.sign(body, digest)
        if self.spoil_signature:
            _, signature = signer.sign(body + b"\0", digest)
        return der.sequence(body, algorithm, der.bits(signature)) + self.rest

    # The extensions, each as it is mostly wanted.

    def basic(self, ca: Optional[bool], length: Optional[int] = None, critical: bool = True) -> None:
        if ca is None:
            self.extensions.pop(BASIC, None)
            return
        parts = ([der.boolean(True)] if ca else []) + ([der.integer(length)] if length is not None else [])
        self.extensions[BASIC] = (critical, der.sequence(*parts))

    def usage(self, *usages: str, critical: bool = True) -> None:
        number = sum(0x80 >> USAGES.index(usage) for usage in usages)
        unused = next((place for place in range(8) if number >> place & 1), 0)
        self.extensions[USAGE] = (critical, der.bits(bytes([number]), unused if number else 7))

    def purposes(self, *purposes: str, critical: bool = False) -> None:
        self.extensions[PURPOSE] = (critical, der.sequence(*(der.oid(PURPOSES.get(it, it)) for it in purposes)))

    def names(self, *names: tuple[str, str], critical: bool = False) -> None:
        if names:
            self.extensions[SAN] = (critical, der.sequence(*(general(kind, value) for kind, value in names)))
        else:
            self.extensions.pop(SAN, None)

    def subject_key(self, identifier: Optional[bytes] = None, critical: bool = False) -> None:
        self.extensions[SUBJECT_KEY] = (critical, der.octets(identifier or self.key.identifier))

    def authority_key(self, identifier: Optional[bytes] = None, issuer: Optional[list[Attribute]] = None,
                      serial: Optional[int] = None, critical: bool = False) -> None:
        parts = []
        if identifier is not None:
            parts.append(der.context(0, identifier, constructed=False))
        if issuer is not None and serial is not None:
            parts.append(der.context(1, der.context(4, name(*issuer))))
            parts.append(der.context(2, der.integer(serial)[2:], constructed=False))
        self.extensions[AUTHORITY_KEY] = (critical, der.sequence(*parts))

    def constraints(self, permitted: list[tuple[str, str]], excluded: list[tuple[str, str]] = [],
                    critical: bool = True) -> None:
        trees = [(0, permitted), (1, excluded)]
        parts = [der.context(number, b"".join(der.sequence(general(*base)) for base in bases))
                 for number, bases in trees if bases]
        self.extensions[CONSTRAINTS] = (critical, der.sequence(*parts))


def pem(certificates: list[bytes]) -> str:
    def one(contents: bytes) -> str:
        text = base64.encodebytes(contents).decode().replace("\n", "")
        lines = "\n".join(text[at:at + 64] for at in range(0, len(text), 64))
        return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"
    return "".join(map(one, certificates))
