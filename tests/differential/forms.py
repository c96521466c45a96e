"""Changes of form: what cannot be read, what is written in another way than RFC 5280 wants, and what is there twice or
not at all. Importing it adds them to the changes of `cases`.
"""

from __future__ import annotations

import der
from cases import CRITICAL, LB, NODE, PLACES, Case, change, key_kind
from certificates import (AUTHORITY_KEY, BASIC, CN, CONSTRAINTS, DAY, EMAIL, NETSCAPE_TYPE, NOW, O, PURPOSE, SAN,
                          SUBJECT_KEY, USAGE, common, general, name)

# Extensions that are read, with a value that is sound.
EXTENSIONS = {
    "usage": (USAGE, der.bits(b"\xa0", 5)),
    "purposes": (PURPOSE, der.sequence(der.oid("1.3.6.1.5.5.7.3.1"))),
    "basic": (BASIC, None),
    "authority-key": (AUTHORITY_KEY, None),
    "subject-key": (SUBJECT_KEY, None),
    "names": (SAN, der.sequence(general("DNS", LB))),
    "constraints": (CONSTRAINTS, der.sequence(der.context(0, der.sequence(general("DNS", "corp.example"))))),
    "netscape-type": (NETSCAPE_TYPE, der.bits(b"\xc4", 2)),
    **{which: CRITICAL[which] for which in
       ("policies", "mappings", "policy-constraints", "inhibit-any", "crl-points", "access", "issuer-names")},
}


def sound(case: Case, place: str, which: str) -> bytes:
    number, value = EXTENSIONS[which]
    had = case.at(place).extensions.get(number)
    return had[1] if had else value or der.sequence()


def is_raw(case: Case, place: str) -> None:
    """Of the server's own certificate OpenSSL's server shows only what OpenSSL can read."""
    case.is_raw |= place == "leaf"


# Python's `ssl` leaves an error of an access description behind, which another call may come upon or not.
UNREADABLE = [(place, which, critical) for place in PLACES for which in EXTENSIONS for critical in ("critical", "plain")
              if (place, which, critical) != ("leaf", "access", "plain")]


@change("unreadable", *UNREADABLE)
def unreadable(case, variant):
    place, which, critical = variant
    value = case.random.choice([b"\x04\x03abc", b"\x30\x09a", b"\x03\x02\x09"])
    case.at(place).extensions[EXTENSIONS[which][0]] = (critical == "critical", value)
    is_raw(case, place)


@change("unreadable", *[(place, which, critical) for place, which, critical in UNREADABLE if place != "root"])
def surplus(case, variant):
    """Octets follow the value of an extension."""
    place, which, critical = variant
    value = sound(case, place, which) + b"\5\0"
    case.at(place).extensions[EXTENSIONS[which][0]] = (critical == "critical", value)
    is_raw(case, place)


@change("unreadable", *[(place, which) for place in PLACES
                        for which in ("usage", "purposes", "basic", "authority-key", "subject-key", "names", "unknown")])
def doubled(case, variant):
    place, which = variant
    if which == "unknown":
        case.at(place).further += [("1.2.3.9", False, b"\5\0")] * 2
    else:
        number, _ = EXTENSIONS[which]
        value = sound(case, place, which)
        case.at(place).extensions.setdefault(number, (False, value))
        case.at(place).further.append((number, False, value))
    is_raw(case, place)


@change("unreadable", *[(place, form) for place in PLACES
                        for form in ("negative", "huge", "boolean", "explicit-false", "number-first")])
def basic_form(case, variant):
    place, form = variant
    case.at(place).extensions[BASIC] = (True, {
        "negative": der.sequence(der.boolean(True), der.element(2, b"\xff")),
        "huge": der.sequence(der.boolean(True), der.element(2, b"\x7f" * 10)),
        "boolean": der.sequence(b"\1\1\1"),
        "explicit-false": der.sequence(b"\1\1\0"),
        "number-first": der.sequence(der.integer(1)),
    }[form])
    is_raw(case, place)


@change("unreadable", "nine-bits", "zero-bits", "more-octets", "empty")
def usage_form(case, form):
    value = {"nine-bits": der.bits(b"\xa0\x80", 7), "zero-bits": der.bits(b"\xa0"), "more-octets": der.bits(b"\xa0\0"),
             "empty": der.bits(b"")}[form]
    case.leaf.extensions[USAGE] = (True, value)
    is_raw(case, "leaf")


@change("unreadable", "empty", "registered-id", "uri-without-host", "uri-opaque", "latin")
def names_form(case, form):
    names = {"empty": [], "registered-id": [general("id", "1.2.3.4"), general("DNS", LB)],
             "uri-without-host": [general("URI", "https://"), general("DNS", LB)],
             "uri-opaque": [general("URI", "urn:uuid:1"), general("DNS", LB)],
             "latin": [general("DNS", "lb.corp.exampl\xe9"), general("DNS", LB)]}[form]
    case.leaf.extensions[SAN] = (False, der.sequence(*names))


@change("versions", "leaf", "middle", "root", "middle-4", "leaf-4", "leaf-2", "middle-1-extensions", "leaf-1-extensions",
        "root-1-extensions")
def version_form(case, words):
    place, *rest = words.split("-")
    certificate = case.at(place)
    certificate.version = int(rest[0]) if rest else 2
    certificate.keeps_extensions = words != "leaf-2"
    is_raw(case, place)


@change("versions", *[(place, version) for place in PLACES for version in (1, 3)])
def unique_identifier(case, variant):
    place, version = variant
    case.at(place).unique_identifier = True
    case.at(place).version = version


@change("dates", *[(place, form) for place in PLACES
                   for form in ("no-seconds", "offset", "fraction", "generalized", "1949", "swapped")])
def time_form(case, variant):
    place, form = variant
    certificate = case.at(place)
    begins, ends = (moment.strftime("%y%m%d%H%M%S").encode() for moment in (certificate.begins, certificate.ends))
    short, long = (lambda text: der.element(0x17, text)), (lambda text: der.element(0x18, text))
    certificate.validity = der.sequence(*{
        "no-seconds": (short(begins[:-2] + b"Z"), short(ends[:-2] + b"Z")),
        "offset": (short(begins + b"+0100"), short(ends + b"+0100")),
        "fraction": (short(begins + b"Z"), long(b"20" + ends + b".5Z")),
        "generalized": (long(b"20" + begins + b"Z"), long(b"20" + ends + b"Z")),
        "1949": (long(b"19490101000000Z"), short(ends + b"Z")),
        "swapped": (short(ends + b"Z"), short(begins + b"Z")),
    }[form])
    is_raw(case, place)


@change("signatures", *PLACES)
def algorithm_inside_differs(case, place):
    case.at(place).inner_algorithm = der.sequence(der.oid("1.2.840.113549.1.1.12"), b"\5\0")
    is_raw(case, place)


@change("signatures", "leaf", "middle")
def pss_with_sha1(case, place):
    key_kind(case, ("root" if place == "middle" else "middle", "rsa2048"))
    case.at(place).hash = "pss-sha1"


@change("signatures", *PLACES)
def pss_key(case, place):
    certificate = case.at(place)
    certificate.key = case.key("rsa2048").for_pss_alone()
    certificate.subject_key()
    for below in case.all():
        if below.issuer is certificate and AUTHORITY_KEY in below.extensions:
            below.authority_key(certificate.key.identifier)


@change("trailing", *PLACES)
def rest(case, place):
    """An octet follows the certificate. Servers leave it out."""
    case.at(place).rest = b"\0"


# Name constraints.


def constrained(case: Case, permitted: list[bytes], excluded: list[bytes] = []) -> None:
    parts = [der.context(number, b"".join(map(der.sequence, bases)))
             for number, bases in ((0, permitted), (1, excluded)) if bases]
    case.middle.extensions[CONSTRAINTS] = (case.random.random() < 0.7, der.sequence(*parts))


@change("constraints", *[(kind, bound) for kind in ("DNS", "email") for bound in ("minimum", "maximum", "zero")])
def bounds(case, variant):
    kind, bound = variant
    octets = {"minimum": der.context(0, b"\1", False), "maximum": der.context(1, b"\5", False),
              "zero": der.context(0, b"\0", False)}[bound]
    constrained(case, [general(kind, "corp.example") + octets])


@change("constraints", *[(way, base, where) for way in ("permitted", "excluded") for where in ("subject", "names")
                         for base in ("corp.example", "other.example", "Admin@corp.example", "admin@corp.example",
                                      "Admin@CORP.example", ".example")])
def mailbox(case, variant):
    way, base, where = variant
    if where == "subject":
        case.leaf.subject = [*common(LB), (EMAIL, "ia5", "Admin@corp.example")]
    else:
        case.leaf.names(("DNS", LB), ("email", "Admin@corp.example"))
    bases = [general("email", base)]
    constrained(case, *((bases,) if way == "permitted" else ([], bases)))


@change("constraints", "permitted", "permitted-utf8")
def mailbox_of_an_authority(case, words):
    case.middle.subject = [*common("Issuing"), (EMAIL, "utf8" if words.endswith("utf8") else "ia5", "ca@other.example")]
    case.root.constraints([("email", "corp.example")])


@change("constraints", *[(way, text) for way in ("permitted", "excluded")
                         for text in ("b\xfccher.example", "corp.example.", "*.corp.example", "a_b.corp.example", " ", "corp")])
def odd_base(case, variant):
    way, text = variant
    bases = [general("DNS", text)]
    constrained(case, *((bases,) if way == "permitted" else ([], bases)))


@change("constraints", *[(way, same) for way in ("permitted", "excluded") for same in ("same", "other")])
def registered_id(case, variant):
    way, same = variant
    case.leaf.extensions[SAN] = (False, der.sequence(general("DNS", LB), general("id", "1.2.3.4")))
    bases = [general("id", "1.2.3.4" if same == "same" else "1.2.3.5")]
    constrained(case, *((bases,) if way == "permitted" else ([], bases)))


@change("constraints", *[(way, uri) for way in ("permitted", "excluded")
                         for uri in ("https://lb.corp.example/x", "https://10.0.0.1/", "urn:uuid:1",
                                     "https://u@LB.corp.example:8443/", "spiffe://other.example/x", "https://")])
def uri(case, variant):
    way, text = variant
    case.leaf.names(("DNS", LB), ("URI", text))
    bases = [general("URI", ".corp.example")]
    constrained(case, *((bases,) if way == "permitted" else ([], bases)))


# Names of authorities.

# What the authority's certificate has, and what the certificate below it has.
WRITTEN = {
    "case": ("Z\xfcrich", "Z\xdcRICH", "utf8"), "bmp": ("Z\xfcrich", "Z\xfcrich", "bmp"),
    "t61": ("Z\xfcrich", "Z\xfcrich", "t61"), "decomposed": ("Z\xfcrich", "Zu\u0308rich", "utf8"),
    "sharp-s": ("Stra\xdfe", "STRASSE", "utf8"), "ligature": ("o\ufb03ce", "office", "utf8"),
    "blanks": ("a b", "a   b", "utf8"), "tab": ("a b", "a\tb", "utf8"), "nbsp": ("a b", "a\xa0b", "utf8"),
    "wide-blank": ("a b", "a\u3000b", "utf8"), "dotted-i": ("\u0130x", "i\u0307x", "utf8"),
    "sigma": ("\u03a3\u03c2", "\u03c3\u03c3", "utf8"), "greek-case": ("\u0391\u03b2", "\u03b1\u0392", "utf8"),
    "other": ("Z\xfcrich", "Zurich", "utf8"), "numeric": ("12", "12", "numeric"), "visible": ("a b", "A B", "visible"),
    "ia5": ("a b", "A B", "ia5"), "underscore": ("a_b", "A_B", "utf8"), "comma": ("a, b", "A,  B", "utf8"),
    "ends": ("a", "\ta\t", "utf8"), "printable": ("a b", "A  B", "printable"),
}
NUMBERS = {"common": CN, "serial": "2.5.4.5", "domain": "0.9.2342.19200300.100.1.25", "given": "2.5.4.42", "state": "2.5.4.8"}


@change("D", *WRITTEN)
def issuer_in_other_letters(case, which):
    had, named, kind = WRITTEN[which]
    case.middle.subject = [(O, "utf8", "Example"), (CN, "utf8", had)]
    case.leaf.issuer_name = [(O, "utf8", "Example"), (CN, kind, named)]
    case.is_raw |= kind == "visible"


# Strings that names do not have, or that are no text.
STRINGS = {"visible": (0x1A, b"Some Name"), "utf8": (0x0C, b"\xff\xfe"), "bmp": (0x1E, b"abc"), "universal": (0x1C, b"abc"),
           "octets": (0x04, b"abc"), "printable": (0x13, b"a@b_*"), "general": (0x1B, b"abc")}


@change("D", *[(place, which) for place in ("leaf", "middle", "root", "stray") for which in STRINGS])
def odd_string(case, variant):
    place, which = variant
    element = der.element(*STRINGS[which])
    if place == "stray":
        extra = case.authority("Stray")
        extra.subject = [*extra.subject, (O, element, "")]
        case.after = [*case.after, extra]
    else:
        certificate = case.at(place)
        certificate.subject = [(O, element, ""), *certificate.subject]
    # OpenSSL's server cannot read any of it.
    case.is_raw = True


@change("D", *[(number, kind) for number in NUMBERS for kind in ("utf8", "printable")])
def issuer_with_attribute(case, variant):
    number, kind = variant
    case.middle.subject = [(O, "utf8", "Example"), (NUMBERS[number], "utf8", "Some Name")]
    case.leaf.issuer_name = [(O, "utf8", "Example"), (NUMBERS[number], kind, "SOME name")]


@change("constraints", "case", "decomposed", "sharp-s", "nbsp", "tab", "blanks", "other", "bmp", "printable")
def directory_in_other_letters(case, which):
    had, base, kind = WRITTEN[which]
    case.leaf.subject = [(O, "utf8", had), (CN, "utf8", LB)]
    constrained(case, [der.context(4, name((O, kind, base)))])


@change("constraints", "permitted", "excluded")
def empty_directory(case, way):
    bases = [der.context(4, name())]
    constrained(case, *((bases,) if way == "permitted" else ([], bases)))


# Strays.


@change("B", "empty-issuer", "empty-subject", "basic-unreadable", "usage-unreadable", "plain-unreadable", "names-unreadable",
        "version-1", "md5", "doubled", "critical", "algorithm", "time", "self")
def odd_stray(case, words):
    extra = case.authority("Stray", "rsa2048")
    if words == "empty-issuer":
        extra.subject = []
    elif words == "empty-subject":
        extra.issuer, extra.subject = case.root, []
    elif words.endswith("unreadable"):
        number = {"basic": BASIC, "usage": USAGE, "plain": USAGE, "names": SAN}[words.split("-")[0]]
        extra.extensions[number] = (words != "plain-unreadable", b"\4\3abc")
    elif words == "version-1":
        extra.version = 1
    elif words == "md5":
        extra.hash = "md5"
    elif words == "doubled":
        extra.further.append((USAGE, *extra.extensions[USAGE]))
    elif words == "critical":
        extra.extensions["1.2.3"] = (True, b"\5\0")
    elif words == "algorithm":
        extra.inner_algorithm = der.sequence(der.oid("1.2.840.113549.1.1.12"), b"\5\0")
    elif words == "time":
        extra.validity = der.sequence(der.element(0x17, b"2401010000Z"), der.element(0x17, b"4901010000Z"))
    case.after = [*case.after, extra]


# Trust, and order.


@change("trust", "none")
def trusts(case, _):
    case.anchors = []


@change("trust", "plain", "no-signing", "not-authority", "purposes", "expired", "constraints", "version-1", "length")
def two_anchors(case, words):
    """Two certificates of one name and key are trusted."""
    other = case.authority("Root", key=case.root.key)
    other.serial = case.root.serial + 10
    if words == "no-signing":
        other.usage("cRLSign")
    elif words == "not-authority":
        other.basic(False)
    elif words == "purposes":
        other.purposes("client")
    elif words == "expired":
        other.begins, other.ends = NOW - 400 * DAY, NOW - 5 * DAY
    elif words == "constraints":
        other.constraints([("DNS", "other.example")])
    elif words == "version-1":
        other.version = 1
    elif words == "length":
        other.basic(True, 0)
    case.anchors = [other, case.root] if case.random.random() < 0.5 else [case.root, other]


@change("order", "middle", "root", "node")
def server_is_not_first(case, which):
    first = {"middle": lambda: case.middle, "root": lambda: case.root,
             "node": lambda: case.server(common(NODE), case.middle)}[which]()
    case.served = [first, *(it for it in case.chain() if it is not first)]
    case.is_raw = True
