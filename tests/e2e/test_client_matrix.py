"""Every cell of `pronk lint --clients` that a real client can confirm.

pronk shows one certificate on each of many ports. Real clients connect to all of them, by name and by address, and
what happens is compared with what pronk said it would be.

Two columns are emulated, since no such Python is in Debian 12: for Python 3.12 the function that it removed is deleted
before thrift is imported, and for Python 3.13 the flags are set that are in its default context. The matching and
verifying code is the real one in both cases. impala-shell 2.7–3.x, Hue and Thrift's C++ library are not run here;
rustls is, in tests/clients.
"""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import threading
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, Optional

import pytest

from lab import clients
from lab.certificates import Authority, Pair
from lab.config import Config
from lab.names import hosts_file, with_names
from lab.processes import PATIENCE, REPOSITORY, VENV, Pronk, free_port

LB = "lb.example.test"
NODE = "node.example.test"
ADDRESS = "127.0.59.1"
OLDER = REPOSITORY / "target" / "e2e-venv-older" / "bin" / "python"
PROBES = Path(__file__).parent / "probes"

SERVER = ("basicConstraints=CA:false", "extendedKeyUsage=serverAuth")
IDENTIFIERS = ("subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid:always")

# By stem: the subject, the alternative names, and the other extensions where they are not the usual ones.
NAMES: dict[str, tuple[str, str]] = {
    "cn-only": (f"/CN={LB}", ""),
    "cn-and-san": (f"/CN={LB}", f"DNS:{LB}"),
    "node-and-san": (f"/CN={NODE}", f"DNS:{NODE},DNS:{LB}"),
    "san-without-cn": ("/O=Example", f"DNS:{LB}"),
    "cn-but-san-node": (f"/CN={LB}", f"DNS:{NODE}"),
    "cn-but-san-ip": (f"/CN={LB}", "IP:10.0.0.1"),
    "cn-but-san-email": (f"/CN={LB}", "email:a@example.test"),
    "wildcard-san": ("/O=Example", "DNS:*.example.test"),
    "wildcard-cn": ("/CN=*.example.test", ""),
    "wildcard-deeper": ("/O=Example", "DNS:*.test"),
    "wildcard-partial": ("/O=Example", "DNS:l*.example.test"),
    "wildcard-partial-start": ("/O=Example", "DNS:*b.example.test"),
    "wildcard-inside": ("/O=Example", "DNS:l*b.example.test"),
    "wildcard-second-label": ("/O=Example", "DNS:lb.*.test"),
    "wildcards-two": ("/O=Example", "DNS:*.*.test"),
    "wildcard-foreign-first": (f"/CN={NODE}", f"DNS:l*.example.test,DNS:{LB}"),
    "wildcard-foreign-last": (f"/CN={NODE}", f"DNS:{LB},DNS:l*.example.test"),
    "two-cns-first": (f"/CN={LB}/CN={NODE}", ""),
    "two-cns-second": (f"/CN={NODE}/CN={LB}", ""),
    "upper-case": (f"/CN={LB.upper()}", f"DNS:{LB.upper()}"),
    "ip-san": (f"/CN={LB}", f"IP:{ADDRESS}"),
    "ip-cn": (f"/CN={ADDRESS}", ""),
    "ip-dns-san": ("/O=Example", f"DNS:{ADDRESS}"),
    "other": ("/CN=other.example.test", "DNS:other.example.test"),
}
EXTENSIONS: dict[str, Sequence[str]] = {
    "purpose-absent": ("basicConstraints=CA:false", *IDENTIFIERS),
    "purpose-client": ("basicConstraints=CA:false", "extendedKeyUsage=clientAuth", *IDENTIFIERS),
    "purpose-any": ("basicConstraints=CA:false", "extendedKeyUsage=anyExtendedKeyUsage", *IDENTIFIERS),
    "usage-encipherment": (*SERVER, "keyUsage=critical,keyEncipherment", *IDENTIFIERS),
    "usage-agreement": (*SERVER, "keyUsage=critical,keyAgreement", *IDENTIFIERS),
    "usage-revocation": (*SERVER, "keyUsage=critical,cRLSign", *IDENTIFIERS),
    "usage-signs": (*SERVER, "keyUsage=critical,digitalSignature,keyCertSign", *IDENTIFIERS),
    "authority-as-server": (
        "basicConstraints=critical,CA:true", "keyUsage=critical,digitalSignature,keyCertSign", *IDENTIFIERS),
    # openssl adds both unless told not to.
    "identifiers-absent": (*SERVER, "subjectKeyIdentifier=none", "authorityKeyIdentifier=none"),
}
# Authorities that lack something, each with one plain certificate.
CA = "basicConstraints=critical,CA:true"
SIGNS = "keyUsage=critical,keyCertSign,cRLSign"
AUTHORITIES: dict[str, Sequence[str]] = {
    "ca-not-critical": ("basicConstraints=CA:true", SIGNS, "subjectKeyIdentifier=hash"),
    "ca-without-usage": (CA, "subjectKeyIdentifier=hash"),
    "ca-without-constraints": (SIGNS, "subjectKeyIdentifier=hash"),
}


class Endpoint(NamedTuple):
    """A port that shows one certificate, and the name or address to reach it by."""

    certificate: str
    host: str
    port: int


class Lab(NamedTuple):
    hosts: Path
    trust: Path
    endpoints: list[Endpoint]
    short_key: Pair
    # By client, certificate's stem and host: accepts, why.
    verdicts: dict[tuple[str, str, str], tuple[bool, str]]

    def run(self, command: Sequence[object], given: Optional[str] = None) -> str:
        """Runs a probe where the names resolve; returns what it prints."""
        done = subprocess.run(
            with_names(self.hosts, command), input=given, capture_output=True, text=True, env=clients.environment(),
            timeout=5 * PATIENCE,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def probe(self, *command: object, endpoints: Optional[Sequence[Endpoint]] = None) -> list[tuple[bool, str]]:
        """Runs a probe in Python over all endpoints; for each, whether it connected, and the error."""
        targets = json.dumps([[each.host, each.port] for each in endpoints or self.endpoints])
        outcomes = json.loads(self.run([*command, self.trust], targets))
        return [("error" not in outcome, outcome.get("error", "")) for outcome in outcomes]

    def compare(
        self, client: str, outcomes: Sequence[tuple[bool, str]], endpoints: Optional[Sequence[Endpoint]] = None
    ) -> None:
        """Fails with every cell in which the client and pronk's matrix differ."""
        endpoints = endpoints or self.endpoints
        assert len(outcomes) == len(endpoints)
        # A port that is not served would look like a refusal, and so would a lab in which nothing connects.
        foreign = [(each, error) for each, (ok, error) in zip(endpoints, outcomes) if not ok and not refused(error)]
        assert not foreign, f"{client}: errors that are not about certificates: {foreign}"
        assert {ok for ok, _ in outcomes} == {True, False}
        wrong = []
        for endpoint, (connected, error) in zip(endpoints, outcomes):
            accepts, why = self.verdicts[client, endpoint.certificate, endpoint.host]
            if accepts != connected:
                wrong.append(f"{endpoint.certificate} by {endpoint.host}: pronk says {accepts} ({why}), but: {error}")
        assert not wrong, f"{client}:\n" + "\n".join(wrong)


def refused(error: str) -> bool:
    """Whether the error is a client's about a certificate."""
    words = ("certificate", "doesn't match", "does not match", "PKIX", "no appropriate commonName", "No name matching",
             "No subject alternative", "wildcard", "verify error", "Extended key usage", "KeyUsage")
    return any(word in error for word in words)


@pytest.fixture(scope="module")
def lab(binary: Path, workspace: Path, plain_cluster: list[Any]) -> Iterator[Lab]:
    folder = workspace / "matrix"
    folder.mkdir()
    pairs = issue(folder / "certificates")
    short_key = pairs.pop("short-key")
    config = Config()
    config.node(plain_cluster[0], "node1.example.test")
    config.pool("impala", plain_cluster[:1], "hs2")
    ports = {}
    for stem, pair in pairs.items():
        ports[stem] = free_port()
        config.client_ssl(pair, f"ssl-{stem}")
        config.virtual_server(f"vs-{stem}", ADDRESS, ports[stem], "impala", "offload", client_ssl=f"ssl-{stem}")
    pronk = Pronk(binary, config.write(folder / "pronk.yaml"), folder / "pronk.log").wait_ready()
    endpoints = [Endpoint(stem, host, port) for stem, port in ports.items() for host in (LB, ADDRESS)]
    trust = folder / "trust.pem"
    trust.write_text("".join(path.read_text() for path in sorted(folder.glob("certificates/*/ca.pem"))))
    verdicts = matrix(binary, folder / "certificates")
    yield Lab(hosts_file(folder / "hosts", {LB: ADDRESS}), trust, endpoints, short_key, verdicts)
    assert pronk.stop() == 0


def issue(folder: Path) -> dict[str, Pair]:
    """Makes every certificate, each authority's in a folder of its own."""
    good = Authority(folder / "good", "Good CA")
    pairs = {}
    for stem, (subject, alternatives) in NAMES.items():
        extensions = [*SERVER, *IDENTIFIERS, *([f"subjectAltName={alternatives}"] if alternatives else [])]
        pairs[stem] = good.issue(stem, subject, extensions)
    for stem, extensions in EXTENSIONS.items():
        pairs[stem] = good.issue(stem, f"/CN={LB}", [*extensions, f"subjectAltName=DNS:{LB},IP:{ADDRESS}"])
    pairs["subject-empty"] = good.issue("subject-empty", "/", [*SERVER, *IDENTIFIERS, f"subjectAltName=DNS:{LB}"])
    usual = [*SERVER, *IDENTIFIERS, f"subjectAltName=DNS:{LB},IP:{ADDRESS}"]
    pairs["signature-sha1"] = good.issue("signature-sha1", f"/CN={LB}", usual, digest="sha1")
    pairs["short-key"] = good.issue("short-key", f"/CN={LB}", usual, new_key=("-newkey", "rsa:1024", "-nodes"))
    for stem, lacking in AUTHORITIES.items():
        authority = Authority(folder / stem, stem, lacking)
        pairs[stem] = authority.issue(stem, f"/CN={LB}", [*SERVER, *IDENTIFIERS, f"subjectAltName=DNS:{LB}"])
    return pairs


def matrix(binary: Path, certificates: Path) -> dict[tuple[str, str, str], tuple[bool, str]]:
    command = [binary, "lint", certificates, "--hostname", LB, "--hostname", ADDRESS, "--clients", "--format", "json"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=PATIENCE)
    # Most of these certificates have findings; that is what they are for.
    assert done.returncode in (0, 1), done.stderr
    return {
        (verdict["client"], Path(row["source"]).stem, row["hostname"]): (verdict["accepts"], verdict["why"])
        for row in json.loads(done.stdout)["clients"]["rows"]
        for verdict in row["verdicts"]
    }


@pytest.mark.parametrize(("certificate", "host", "options", "message"), [
    ("node-and-san", LB, ("--without-match-hostname",),
     f'Hostname we connected to "{LB}" doesn\'t match certificate provided commonName "{NODE}"'),
    ("other", LB, (), f"hostname '{LB}' doesn't match 'other.example.test'"),
    ("wildcard-partial", LB, (), "partial wildcards in leftmost label are not supported"),
])
def test_older_impyla_says_what_the_guide_says(lab, certificate, host, options, message):
    endpoints = [each for each in lab.endpoints if each[:2] == (certificate, host)]
    [(connected, error)] = lab.probe(OLDER, PROBES / "impyla_probe.py", *options, endpoints=endpoints)
    assert not connected
    assert message in error


def test_impyla(lab):
    lab.compare("impala-shell-4.6", lab.probe(VENV / "python", PROBES / "impyla_probe.py"))


def test_older_impyla(lab):
    """impala-shell 4.0–4.5 has the same thrift library, which decides, beneath it."""
    outcomes = lab.probe(OLDER, PROBES / "impyla_probe.py")
    lab.compare("impyla-python-3.11", outcomes)
    lab.compare("impala-shell-4.0-4.5", outcomes)


def test_older_impyla_on_python_3_12(lab):
    """An emulation: thrift's own code, on a Python that lacks `ssl.match_hostname` because the probe deletes it."""
    outcomes = lab.probe(OLDER, PROBES / "impyla_probe.py", "--without-match-hostname")
    lab.compare("impyla-python-3.12", outcomes)


def test_python_ssl(lab):
    lab.compare("impala-shell-4.6", lab.probe(VENV / "python", PROBES / "ssl_probe.py"))


def test_python_ssl_with_the_flags_of_python_3_13(lab):
    """An emulation: the flags are those of Python 3.13, the verifying is OpenSSL's."""
    lab.compare("python-3.13", lab.probe(VENV / "python", PROBES / "ssl_probe.py", "--strict"))


def test_impala_shell(lab):
    """By name everywhere, and by address where that makes a difference: each takes most of a second."""
    by_address = ("ip-san", "ip-cn", "ip-dns-san")
    endpoints = [each for each in lab.endpoints if each.host == LB or each.certificate in by_address]

    def connect(endpoint: Endpoint) -> tuple[bool, str]:
        options = ("--ssl", f"--ca_cert={lab.trust}", "-B", "--quiet", "-q", "select 1")
        ran = clients.run(lab.hosts, clients.shell_command("hs2", endpoint.host, endpoint.port, *options))
        return ran.code == 0 and ran.out.strip() == "1", ran.text

    with ThreadPoolExecutor(4) as pool:
        lab.compare("impala-shell-4.6", list(pool.map(connect, endpoints)), endpoints)


def test_openssl(lab):
    lab.compare("openssl", openssl(lab, lab.endpoints))


def openssl(lab: Lab, endpoints: Sequence[Endpoint]) -> list[tuple[bool, str]]:
    def connect(endpoint: Endpoint) -> tuple[bool, str]:
        check = "-verify_hostname" if endpoint.host == LB else "-verify_ip"
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"{ADDRESS}:{endpoint.port}", "-CAfile", lab.trust, "-brief",
             "-verify_return_error", check, endpoint.host],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
        )
        return done.returncode == 0, done.stdout + done.stderr

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(connect, endpoints))


def test_java(lab):
    lab.compare("java", java(lab, lab.endpoints))


def java(lab: Lab, endpoints: Sequence[Endpoint]) -> list[tuple[bool, str]]:
    binary = shutil.which("java")
    if binary is None or shutil.which("javac") is None:
        reason = "NOT TESTED: Java's column of the client matrix needs a JDK (openjdk-17-jdk-headless)"
        # A skip is one letter among many; a warning is printed.
        warnings.warn(reason, stacklevel=2)
        pytest.skip(reason)
    targets = [f"{each.host}:{each.port}" for each in endpoints]
    lines = lab.run([binary, "-XX:TieredStopAtLevel=1", PROBES / "Probe.java", lab.trust, *targets]).splitlines()
    return [(line.startswith("ok "), line) for line in lines]


@pytest.fixture
def short_key(lab: Lab) -> Iterator[Endpoint]:
    """A server with an RSA key of 1024 bits, which pronk would not serve with."""
    pair = lab.short_key
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(*pair)
    listener = socket.create_server((ADDRESS, 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return  # the listener was shut down
            with plain:
                try:
                    context.wrap_socket(plain, server_side=True).close()
                except OSError:
                    pass  # the client refused the certificate

    thread = threading.Thread(target=serve)
    thread.start()
    yield Endpoint(pair.cert.stem, LB, listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    listener.close()


def test_short_rsa_key(lab, short_key):
    outcomes = {
        "impala-shell-4.6": lab.probe(VENV / "python", PROBES / "ssl_probe.py", endpoints=[short_key]),
        "openssl": openssl(lab, [short_key]),
    }
    for client, [(connected, error)] in outcomes.items():
        assert "key too weak" in error
        assert (connected, lab.verdicts[client, "short-key", LB][0]) == (False, False), client
    [(connected, error)] = java(lab, [short_key])
    assert (connected, lab.verdicts["java", "short-key", LB][0]) == (True, True), error
