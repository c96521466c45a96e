"""Chains as they may be found: one that every client accepts, and the ways in which it can be changed.

A change is a function that takes a case and changes it; `CHANGES` has all of them by class. A case of the generator is
one change, or several.
"""

from __future__ import annotations

import copy
import random
from typing import Callable, Optional

import der
from certificates import (AUTHORITY_KEY, BASIC, CN, CONSTRAINTS, DAY, NETSCAPE_TYPE, NOW, O, PURPOSE, SAN, SUBJECT_KEY,
                          USAGE, Certificate, common, general, name)
from keys import KINDS, Keys

LB, NODE, ADDRESS = "lb.corp.example", "node1.corp.example", "10.0.0.1"
Change = Callable[["Case"], None]
CHANGES: list[tuple[str, str, Change]] = []


def change(class_of: str, *variants):
    """Registers a function as one change, or as one for each variant, which it then takes as its second argument."""
    def register(function):
        title = function.__name__.replace("_", "-")
        if not variants:
            CHANGES.append((class_of, title, function))
        for variant in variants:
            words = "-".join(map(str, variant)) if isinstance(variant, tuple) else str(variant)
            CHANGES.append((class_of, f"{title}({words})",
                            lambda case, variant=variant: function(case, variant)))
        return function
    return register


class Case:
    """A root, an intermediate authority and a server, and who shows and trusts which."""

    def __init__(self, keys: Keys, random: random.Random):
        self.keys, self.random, self.taken = keys, random, []
        kind = random.choice(["p256", "p256", "rsa2048"])
        self.root = self.authority("Root", kind)
        self.middle = self.authority("Issuing", kind, self.root, length=random.choice([0, None]))
        self.leaf = self.server(common(LB), self.middle)
        self.served: Optional[list[Certificate]] = None
        self.before: list[Certificate] = []
        self.after: list[Certificate] = []
        self.anchors: list[Certificate] = [self.root]
        self.host = LB
        # OpenSSL's server does not show the chain, so that another one has to.
        self.is_raw = False

    def key(self, kind: str):
        key = self.keys.draw(kind, self.taken, self.random)
        self.taken.append(key)
        return key

    def authority(self, title: str, kind: str = "p256", issuer: Optional[Certificate] = None,
                  length: Optional[int] = None, key=None) -> Certificate:
        made = Certificate(common(title), key or self.key(kind), issuer)
        made.basic(True, length)
        made.usage("keyCertSign", "cRLSign")
        made.subject_key()
        if issuer is not None:
            made.authority_key(issuer.key.identifier)
        return made

    def server(self, subject, issuer: Optional[Certificate], kind: Optional[str] = None) -> Certificate:
        made = Certificate(subject, self.key(kind or self.random.choice(["p256", "rsa2048"])), issuer)
        made.basic(False)
        made.usage("digitalSignature", "keyEncipherment")
        made.purposes("server")
        made.names(("DNS", LB))
        made.subject_key()
        made.authority_key(made.issuer.key.identifier)
        return made

    def chain(self) -> list[Certificate]:
        if self.served is not None:
            return self.served
        return [self.leaf, *self.before, self.middle, *self.after]

    def all(self) -> list[Certificate]:
        return [self.leaf, self.middle, self.root]

    def at(self, place: str) -> Certificate:
        return {"leaf": self.leaf, "middle": self.middle, "root": self.root}[place]

    def self_signed(self) -> None:
        """Makes the server its own authority."""
        self.leaf.issuer = self.leaf
        self.leaf.authority_key(self.leaf.key.identifier)
        self.served, self.anchors = [self.leaf], [self.leaf]


PLACES = ["leaf", "middle", "root"]

# Names.

SAN_SETS = {
    "lb": [("DNS", LB)],
    "lb-node": [("DNS", LB), ("DNS", NODE)],
    "node": [("DNS", NODE)],
    "none": [],
    "ip": [("IP", ADDRESS)],
    "ip-lb": [("IP", ADDRESS), ("DNS", LB)],
    "ip-as-dns": [("DNS", ADDRESS)],
    "other-ip": [("IP", "10.0.0.9")],
    "ip6": [("IP", "fd00::1")],
    "email": [("email", "a@corp.example")],
    "uri": [("URI", "https://lb.corp.example/")],
    "dir": [("dir", "Example")],
    "other-name": [("other", "a@corp.example")],
    "wildcard": [("DNS", "*.corp.example")],
    "wildcard-one-label": [("DNS", "*.example")],
    "wildcard-alone": [("DNS", "*")],
    "wildcard-start": [("DNS", "l*.corp.example")],
    "wildcard-end": [("DNS", "*b.corp.example")],
    "wildcard-inside": [("DNS", "l*b.corp.example")],
    "wildcard-second": [("DNS", "lb.*.example")],
    "wildcards-two": [("DNS", "*.*.example")],
    "wildcard-last": [("DNS", "lb.corp.*")],
    "wildcard-first": [("DNS", "l*.corp.example"), ("DNS", LB)],
    "wildcard-behind": [("DNS", LB), ("DNS", "l*.corp.example")],
    "wildcard-idn": [("DNS", "xn--*.corp.example")],
    "idn": [("DNS", "xn--bcher-kva.corp.example"), ("DNS", LB)],
    "idn-broken": [("DNS", "xn--a.corp.example"), ("DNS", LB)],
    "idn-alone": [("DNS", "xn--bcher-kva.corp.example")],
    "upper": [("DNS", LB.upper())],
    "dot": [("DNS", LB + ".")],
    "underscore": [("DNS", "a_b.corp.example"), ("DNS", LB)],
    "space": [("DNS", " " + LB)],
    "empty": [("DNS", "")],
    "empty-lb": [("DNS", ""), ("DNS", LB)],
    "nul": [("DNS", LB + "\0.corp.example")],
    "latin": [("DNS", "b\xfccher.corp.example"), ("DNS", LB)],
    "short-ip": [("octets", "0a0000"), ("DNS", LB)],
    "long-label": [("DNS", "a" * 64 + ".corp.example"), ("DNS", LB)],
}
SUBJECTS = {
    "lb": common(LB),
    "node": common(NODE),
    "none": [(O, "utf8", "Example")],
    "words": common("Impala"),
    "lb-node": [(CN, "utf8", LB), (CN, "utf8", NODE)],
    "node-lb": [(CN, "utf8", NODE), (CN, "utf8", LB)],
    "wildcard": common("*.corp.example"),
    "wildcard-start": common("l*.corp.example"),
    "ip": common(ADDRESS),
    "upper": common(LB.upper()),
    "dot": common(LB + "."),
    "printable": common(LB, "printable"),
    "t61": common(LB, "t61"),
    "bmp": common(LB, "bmp"),
    "universal": common(LB, "universal"),
    "ia5": common(LB, "ia5"),
    "idn": common("xn--bcher-kva.corp.example"),
}
HOSTS = [LB, LB, LB, LB, NODE, ADDRESS, "xn--bcher-kva.corp.example", "LB.corp.example", "a.lb.corp.example", "fd00::1"]


@change("names", *SAN_SETS)
def alternative(case, which):
    case.leaf.names(*SAN_SETS[which])


@change("names", *SUBJECTS)
def subject(case, which):
    case.leaf.subject = SUBJECTS[which]


@change("names", *sorted(set(HOSTS)))
def asked(case, host):
    case.host = host


@change("names")
def names_at_random(case):
    case.leaf.names(*SAN_SETS[case.random.choice(list(SAN_SETS))])
    case.leaf.subject = SUBJECTS[case.random.choice(list(SUBJECTS))]
    case.host = case.random.choice(HOSTS)


# Dates.

@change("dates", *[(place, when) for place in PLACES for when in ("expired", "future", "forever")])
def dates(case, variant):
    place, when = variant
    certificate = case.at(place)
    if when == "expired":
        certificate.begins, certificate.ends = NOW - 400 * DAY, NOW - 5 * DAY
    elif when == "future":
        certificate.begins, certificate.ends = NOW + 5 * DAY, NOW + 400 * DAY
    else:
        certificate.ends = NOW.replace(year=9999)


# E. Keys and signatures.

@change("E", *[(place, kind) for place in PLACES for kind in KINDS])
def key_kind(case, variant):
    place, kind = variant
    certificate = case.at(place)
    certificate.key = case.key(kind)
    certificate.subject_key()
    for below in case.all():
        if below.issuer is certificate and AUTHORITY_KEY in below.extensions:
            below.authority_key(certificate.key.identifier)


@change("signatures", *[(place, digest) for place in PLACES
                        for digest in ("md5", "sha1", "sha224", "sha384", "sha512", "pss-sha256")])
def signed_with(case, variant):
    place, digest = variant
    certificate = case.at(place)
    if digest in ("md5", "pss-sha256"):
        # Only RSA knows these.
        key_kind(case, ("root" if place in ("root", "middle") else "middle", "rsa2048"))
    certificate.hash = digest


@change("signatures", *PLACES)
def spoilt(case, place):
    case.at(place).spoil_signature = True


# Usage.

@change("usage", *[(place, purposes) for place in PLACES
                   for purposes in ("none", "server", "client", "any", "any+server", "client+server", "code", "empty", "sgc",
                                    "ocsp")])
def purposes(case, variant):
    place, words = variant
    certificate = case.at(place)
    if words == "none":
        certificate.extensions.pop(PURPOSE, None)
    elif words == "empty":
        certificate.purposes()
    else:
        certificate.purposes(*words.split("+"), critical=case.random.random() < 0.3)


@change("usage", *[("leaf", it) for it in ("none", "keyEncipherment", "keyAgreement", "digitalSignature", "keyCertSign",
                                            "digitalSignature+keyCertSign", "cRLSign", "nonRepudiation")],
        *[(place, it) for place in ("middle", "root")
          for it in ("none", "cRLSign", "digitalSignature", "keyCertSign", "keyCertSign+digitalSignature", "empty")])
def usage(case, variant):
    place, words = variant
    certificate = case.at(place)
    if words == "none":
        certificate.extensions.pop(USAGE, None)
    else:
        certificate.usage(*([] if words == "empty" else words.split("+")), critical=case.random.random() < 0.8)


@change("usage", *[(place, it) for place in PLACES
                   for it in ("none", "ca", "ca-not-critical", "not-ca", "not-ca-not-critical", "not-ca-with-length")])
def basic(case, variant):
    place, words = variant
    certificate = case.at(place)
    if words == "none":
        certificate.basic(None)
    else:
        certificate.basic(not words.startswith("not-ca"), 0 if words.endswith("length") else None,
                          critical=not words.endswith("not-critical"))


@change("usage", *[(place, it) for place in PLACES for it in ("client", "server", "ssl-ca", "email-ca")])
def netscape_type(case, variant):
    place, words = variant
    number = {"client": 0x80, "server": 0x40, "ssl-ca": 0x04, "email-ca": 0x02}[words]
    unused = next(at for at in range(8) if number >> at & 1)
    case.at(place).extensions[NETSCAPE_TYPE] = (case.random.random() < 0.3, der.bits(bytes([number]), unused))


# A. Who is a server?

@change("A", "plain", "ca", "no-basic", "no-names", "signs", "signs-ca", "version-1", "no-key-ids", "expired", "other-key",
        "client", "encipherment", "not-trusted", "no-usage")
def self_signed(case, words):
    case.self_signed()
    leaf = case.leaf
    if words == "ca":
        leaf.basic(True)
    elif words == "no-basic":
        leaf.basic(None)
    elif words == "no-names":
        leaf.names()
    elif words == "signs":
        leaf.usage("digitalSignature", "keyCertSign")
    elif words == "signs-ca":
        leaf.usage("digitalSignature", "keyCertSign")
        leaf.basic(True)
    elif words == "version-1":
        leaf.version = 1
    elif words == "no-key-ids":
        leaf.extensions.pop(SUBJECT_KEY)
        leaf.extensions.pop(AUTHORITY_KEY)
    elif words == "expired":
        dates(case, ("leaf", "expired"))
    elif words == "other-key":
        other = copy.copy(leaf)
        other.extensions = dict(leaf.extensions)
        other.key, other.issuer = case.key(leaf.key.kind), other
        other.subject_key()
        other.authority_key(other.key.identifier)
        case.anchors = [other]
    elif words == "client":
        leaf.purposes("client")
    elif words == "encipherment":
        leaf.usage("keyEncipherment")
    elif words == "not-trusted":
        case.anchors = [case.root]
    elif words == "no-usage":
        leaf.extensions.pop(USAGE)


@change("A", *PLACES[1:])
def authority_with_names(case, place):
    case.at(place).names(("DNS", "ca.corp.example"))


@change("A")
def server_signed_by_a_root_with_its_name(case):
    case.root.names(("DNS", LB))
    case.leaf.issuer = case.root
    case.leaf.authority_key(case.root.key.identifier)
    case.served = [case.leaf]


@change("A")
def server_signed_by_a_server(case):
    case.middle.names(("DNS", NODE))
    case.middle.basic(False)
    case.middle.purposes("server")


# B. Certificates that no path uses.

@change("B", "expired", "weak", "valid", "no-basic", "server")
def stray(case, words):
    extra = case.authority("Stray")
    if words == "server":
        extra = case.server(common(NODE), extra)
    if words == "expired":
        extra.begins, extra.ends = NOW - 400 * DAY, NOW - 5 * DAY
    elif words == "weak":
        extra.key, extra.hash = case.key("rsa1024"), "sha1"
    elif words == "no-basic":
        extra.basic(None)
    case.after = [*case.after, extra]


@change("B", "expired", "weak", "no-basic", "same-name", "critical")
def stray_anchor(case, words):
    extra = case.authority("Root" if words == "same-name" else "Stray root")
    if words == "expired":
        extra.begins, extra.ends = NOW - 400 * DAY, NOW - 5 * DAY
    elif words == "weak":
        extra.key, extra.hash = case.key("rsa1024"), "sha1"
        extra.subject_key()
    elif words == "no-basic":
        extra.basic(None)
    elif words == "critical":
        extra.extensions["1.2.3.4"] = (True, b"\x05\0")
    case.anchors = [extra, *case.anchors] if case.random.random() < 0.5 else [*case.anchors, extra]


@change("B", *[(trusted, state, served) for trusted in ("old", "new", "both") for state in ("valid", "expired")
               for served in ("cross", "cross+new", "none")])
def cross(case, variant):
    """The root is signed by an older root too."""
    trusted, state, served = variant
    old = case.authority("Old root")
    crossed = case.authority("Root", issuer=old, key=case.root.key)
    if state == "expired":
        crossed.begins, crossed.ends = NOW - 400 * DAY, NOW - 5 * DAY
    case.after = {"cross": [crossed], "cross+new": [crossed, case.root], "none": []}[served]
    case.anchors = {"old": [old], "new": [case.root], "both": [old, case.root]}[trusted]


@change("B", *[(first, trusted) for first in ("expired", "valid") for trusted in ("old", "new")])
def two_intermediates(case, variant):
    """The intermediate was renewed with the same key, and both are shown."""
    first, trusted = variant
    other = copy.copy(case.middle)
    other.extensions, other.serial = dict(case.middle.extensions), case.middle.serial + 2
    other.begins, other.ends = NOW - 400 * DAY, NOW - 5 * DAY
    case.served = [case.leaf, other, case.middle] if first == "expired" else [case.leaf, case.middle, other]


# C. Authority key identifiers.

@change("C", "wrong-id", "right-serial", "wrong-serial", "wrong-name", "id+right-serial", "id+wrong-serial", "none", "empty",
        "critical")
def authority_key(case, words):
    leaf, above = case.leaf, case.middle
    grand = above.issuer.subject
    if words == "wrong-id":
        leaf.authority_key(b"\1" * 20)
    elif words == "none":
        leaf.extensions.pop(AUTHORITY_KEY, None)
    elif words == "empty":
        leaf.authority_key()
    elif words == "critical":
        leaf.authority_key(above.key.identifier, critical=True)
    else:
        identifier = above.key.identifier if words.startswith("id+") else None
        serial = above.serial + (1 if words.endswith("wrong-serial") else 0)
        leaf.authority_key(identifier, common("Elsewhere") if words == "wrong-name" else grand, serial)


@change("C", *[(words, trusted) for words in ("id", "serial", "id+serial", "none") for trusted in ("new", "old", "both")])
def renewed_root(case, variant):
    """The root was renewed with the same key; what it signed names the old one."""
    words, trusted = variant
    new = case.authority("Root", key=case.root.key)
    new.serial = case.root.serial + 4
    new.ends = NOW + 900 * DAY
    if "id" not in words:
        case.middle.authority_key(None, case.root.subject, case.root.serial)
    elif "serial" in words:
        case.middle.authority_key(case.root.key.identifier, case.root.subject, case.root.serial)
    if words == "none":
        case.middle.extensions.pop(AUTHORITY_KEY)
    if case.random.random() < 0.5:
        dates(case, ("root", "expired"))
    case.anchors = {"new": [new], "old": [case.root], "both": [case.root, new]}[trusted]


@change("C", *PLACES)
def no_subject_key(case, place):
    case.at(place).extensions.pop(SUBJECT_KEY, None)


@change("C", *PLACES)
def subject_key_critical(case, place):
    case.at(place).subject_key(critical=True)


@change("C", "middle", "root")
def other_subject_key(case, place):
    case.at(place).subject_key(b"\2" * 20)


# D. Names of authorities.

@change("D", *[(place, form) for place in ("middle", "root")
               for form in ("printable", "upper", "spaces", "t61", "bmp", "other", "reordered")])
def issuer_written_otherwise(case, variant):
    place, form = variant
    issuer = case.at(place)
    for below in (case.leaf, case.middle):
        if below.issuer is not issuer:
            continue
        written = []
        for number, kind, text in issuer.subject:
            if form in ("printable", "t61", "bmp"):
                kind = form
            elif form == "upper":
                text = text.upper()
            elif form == "spaces":
                text = f"  {text.replace('', ' ', 0)}  "
            elif form == "other":
                text = text + " of elsewhere"
            written.append((number, kind, text))
        below.issuer_name = written[::-1] if form == "reordered" else written


@change("D", "rollover", "rollover-shown", "same-key")
def self_issued(case, words):
    """The root handed over to a new key with a certificate that its old key signed."""
    handed = case.authority("Root", issuer=case.root, key=case.root.key if words == "same-key" else None)
    handed.serial += 8
    case.middle.issuer = handed
    case.middle.authority_key(handed.key.identifier)
    case.after = [handed, *([case.root] if words == "rollover-shown" else [])]


# F. Empty subjects.

@change("F", "critical", "not-critical", "no-names")
def empty_subject(case, words):
    case.leaf.subject = []
    if words == "no-names":
        case.leaf.names()
    else:
        case.leaf.names(("DNS", LB), critical=words == "critical")


@change("F", "middle", "root")
def empty_authority(case, place):
    case.at(place).subject = []


# H. Critical extensions.

CRITICAL = {
    "unknown": ("1.3.6.1.4.1.99999.1", b"\x05\0"),
    "crl-points": ("2.5.29.31", der.sequence(der.sequence(der.context(0, der.context(0, general("URI", "http://a/crl")))))),
    "policies": ("2.5.29.32", der.sequence(der.sequence(der.oid("1.2.3.4.5")))),
    "any-policy": ("2.5.29.32", der.sequence(der.sequence(der.oid("2.5.29.32.0")))),
    "mappings": ("2.5.29.33", der.sequence(der.sequence(der.oid("1.2.3.4.5"), der.oid("1.2.3.4.6")))),
    "policy-constraints": ("2.5.29.36", der.sequence(der.context(1, b"\0", constructed=False))),
    "inhibit-any": ("2.5.29.54", der.integer(0)),
    "must-staple": ("1.3.6.1.5.5.7.1.24", der.sequence(der.integer(5))),
    "access": ("1.3.6.1.5.5.7.1.1", der.sequence(der.sequence(der.oid("1.3.6.1.5.5.7.48.2"), general("URI", "http://a/")))),
    "issuer-names": ("2.5.29.18", der.sequence(general("DNS", "ca.corp.example"))),
    "directory": ("2.5.29.9", der.sequence(der.sequence(der.oid("1.3.6.1.5.5.7.9.4"), der.set_of(der.string("printable", "DE"))))),
    "freshest": ("2.5.29.46", der.sequence(der.sequence(der.context(0, der.context(0, general("URI", "http://a/crl")))))),
    "private-period": ("2.5.29.16", der.sequence()),
    "sct": ("1.3.6.1.4.1.11129.2.4.2", der.octets(b"\0\0")),
    "poison": ("1.3.6.1.4.1.11129.2.4.3", b"\x05\0"),
    "netscape-comment": ("2.16.840.1.113730.1.13", der.string("ia5", "x")),
    "subject-info": ("1.3.6.1.5.5.7.1.11", der.sequence(der.sequence(der.oid("1.3.6.1.5.5.7.48.5"), general("URI", "http://a/")))),
}


@change("H", *[(place, which) for place in PLACES for which in CRITICAL])
def critical(case, variant):
    place, which = variant
    number, value = CRITICAL[which]
    case.at(place).extensions[number] = (True, value)


@change("H", *PLACES)
def purposes_critical(case, place):
    case.at(place).purposes("server", critical=True)


# I. Path lengths.

@change("I", *[(place, length, below) for place in ("middle", "root") for length in (0, 1)
               for below in ("authority", "self-issued", "nothing")])
def path_length(case, variant):
    place, length, below = variant
    case.middle.basic(True)
    case.root.basic(True)
    case.at(place).basic(True, length)
    if below == "nothing":
        return
    lower = case.authority("Issuing" if below == "self-issued" else "Lower", issuer=case.middle)
    case.leaf.issuer = lower
    case.leaf.authority_key(lower.key.identifier)
    case.before = [lower]


@change("I", 7, 9)
def deep(case, depth):
    case.middle.basic(True)
    above, shown = case.middle, []
    for number in range(depth - 1):
        above = case.authority(f"Level {number}", issuer=above, key=case.keys.by_kind["p256"][number % 10])
        above.serial += 1000 + number
        shown.insert(0, above)
    case.leaf.issuer = above
    case.leaf.authority_key(above.key.identifier)
    case.before = shown


# Name constraints.

TREES = {
    "dns": [("DNS", "corp.example")],
    "dns-dot": [("DNS", ".corp.example")],
    "dns-exact": [("DNS", LB)],
    "dns-other": [("DNS", "other.example")],
    "dns-empty": [("DNS", "")],
    "dns-upper": [("DNS", "CORP.EXAMPLE")],
    "ip": [("net", "10.0.0.0/8")],
    "ip-other": [("net", "192.168.0.0/16")],
    "ip-length-0": [("octets", "")],
    "ip-odd": [("octets", "0a000000ff00ff00")],
    "ip6": [("net", "fd00::/8")],
    "dir": [("dir", "Example")],
    "dir-other": [("dir", "Elsewhere")],
    "email": [("email", "corp.example")],
    "uri": [("URI", ".corp.example")],
    "dns+ip": [("DNS", "corp.example"), ("net", "10.0.0.0/8")],
    "other": [("other", "x")],
}


@change("constraints", *[(place, way, which) for place in ("middle", "root") for way in ("permitted", "excluded")
                         for which in TREES])
def constraints(case, variant):
    place, way, which = variant
    trees = TREES[which]
    permitted, excluded = (trees, []) if way == "permitted" else ([], trees)
    case.at(place).constraints(permitted, excluded, critical=case.random.random() < 0.7)
    drawn = case.random.random()
    if drawn < 0.3:
        case.leaf.names(("DNS", LB), ("IP", ADDRESS))
    elif drawn < 0.45:
        case.leaf.names()
    elif drawn < 0.55:
        case.leaf.names(("DNS", "*.corp.example"))


@change("constraints")
def constraints_of_a_server(case):
    case.leaf.constraints([("DNS", "corp.example")])


# Versions, policies.

@change("versions", *PLACES)
def version_1(case, place):
    case.at(place).version = 1


@change("versions")
def version_1_root_with_its_extensions(case):
    case.root.version = 2
    case.root.extensions = {}


@change("policies", "explicit", "explicit-with-policies", "explicit-root", "explicit-other", "mapped", "inhibited")
def policies(case, words):
    explicit = (True, der.sequence(der.context(0, b"\0", constructed=False)))
    policy = der.sequence(der.sequence(der.oid("1.2.3.4.5")))
    other = der.sequence(der.sequence(der.oid("1.2.3.4.6")))
    (case.root if words == "explicit-root" else case.middle).extensions["2.5.29.36"] = explicit
    if words == "explicit-with-policies":
        case.middle.extensions["2.5.29.32"] = case.leaf.extensions["2.5.29.32"] = (False, policy)
    elif words == "explicit-other":
        case.middle.extensions["2.5.29.32"], case.leaf.extensions["2.5.29.32"] = (False, policy), (False, other)
    elif words == "mapped":
        case.middle.extensions["2.5.29.32"], case.leaf.extensions["2.5.29.32"] = (False, policy), (False, other)
        case.middle.extensions["2.5.29.33"] = (True, der.sequence(der.sequence(der.oid("1.2.3.4.5"), der.oid("1.2.3.4.6"))))
    elif words == "inhibited":
        case.middle.extensions["2.5.29.36"] = (True, der.sequence(der.context(0, b"\0", constructed=False)))
        case.middle.extensions["2.5.29.54"] = (True, der.integer(0))
        case.middle.extensions["2.5.29.32"] = (False, policy)
        case.leaf.extensions["2.5.29.32"] = (False, der.sequence(der.sequence(der.oid("2.5.29.32.0"))))


# The order of the chain, and trust.

@change("order", "with-root", "reversed", "missing", "twice", "leaf-twice", "leaf-last", "root-first")
def order(case, words):
    before, middle = case.before, case.middle
    case.served = {
        "with-root": [case.leaf, *before, middle, *case.after, case.root],
        "reversed": [case.leaf, case.root, middle, *before],
        "missing": [case.leaf, *before],
        "twice": [case.leaf, *before, middle, middle],
        "leaf-twice": [case.leaf, case.leaf, *before, middle],
        "leaf-last": [case.leaf, middle, *before, case.leaf],
        "root-first": [case.leaf, case.root, *before, middle],
    }[words]


@change("trust", "intermediate", "leaf", "both", "leaf+root", "other", "intermediate-unserved", "root-by-other-certificate",
        "leaf-ca")
def trust(case, words):
    if words == "leaf-ca":
        case.leaf.basic(True)
    if words == "intermediate-unserved":
        case.served = [case.leaf, *case.before]
    case.anchors = {
        "intermediate": lambda: [case.middle],
        "intermediate-unserved": lambda: [case.middle],
        "leaf": lambda: [case.leaf],
        "leaf-ca": lambda: [case.leaf],
        "both": lambda: [case.middle, case.root],
        "leaf+root": lambda: [case.leaf, case.root],
        "other": lambda: [case.authority("Elsewhere")],
        "root-by-other-certificate": lambda: [case.authority("Root", key=case.root.key)],
    }[words]()
    if words == "root-by-other-certificate":
        case.anchors[0].serial += 6


@change("trust")
def signed_by_the_root(case):
    case.leaf.issuer = case.root
    case.leaf.authority_key(case.root.key.identifier)
    case.served = [case.leaf]
