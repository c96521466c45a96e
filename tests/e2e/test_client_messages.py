"""The tables of clients' messages in docs/troubleshooting.md.

Each message is provoked with a real client in each mode, and the close code that pronk logs is one of its row's.
"""

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Callable, NamedTuple

import pytest

from lab import book, clients
from lab.certificates import Authority, Pair
from lab.front import ADDRESS, HOST, MODES, Front
from lab.kerberos import REALM, Realm
from lab.processes import REPOSITORY, VENV, Impalad, stop_all

OLDER = REPOSITORY / "target" / "e2e-venv-older" / "bin" / "python"
PROBES = Path(__file__).parent / "probes"
TERMINATED = ("offload", "re-encrypt")
PASSTHROUGH = ("passthrough",)

# Messages that no client here gives, and why.
NOT_RUN = {
    "Certificate error with remote host: hostname '…' doesn't match '…'": "impala-shell 2.7 to 3.x needs Python 2",
    "Invalid status 21": "Beeline is not run here",
    "TTransportException Could not connect to any of [(…)]": "it may have any cause",
}


class Lab:
    """Front ends before impalads, most with something wrong. They are started when they are needed."""

    def __init__(self, binary: Path, certificates: Any, folder: Path, clusters: Any, good: Front) -> None:
        self._binary, self._certificates, self._clusters = binary, certificates, clusters
        self.folder = folder
        self.good = good
        self._running: list[Any] = []
        self.misnamed = cache(self._misnamed)
        self.expired = cache(self._expired)
        self.with_ldap = cache(self._with_ldap)
        self.realm = cache(self._realm)
        self.alice = cache(self._alice)

    def before(self, mode: str, impalads: Sequence[Impalad], **keys: Any) -> Front:
        """A front end of one mode."""
        keys = {"certificate": self._certificates.front, "plain" if mode == "offload" else "tls": impalads, **keys}
        folder = self.folder / str(len(self._running))
        self._running.append(Front(folder, self._binary, self._certificates.authority.cert, modes=[mode], **keys))
        return self._running[-1]

    def impalads(self, mode: str, count: int = 1, **keys: Any) -> list[Impalad]:
        """Impalads with TLS or without, as the mode has them."""
        return (self.plain_impalads if mode == "offload" else self.tls_impalads)(count, **keys)

    def plain_impalads(self, count: int = 1, **keys: Any) -> list[Impalad]:
        return self._clusters.plain(count, **keys)

    def tls_impalads(self, count: int = 1, **keys: Any) -> list[Impalad]:
        return self._clusters.tls(count, **keys)

    def showing(self, mode: str, front: Pair, node: Pair) -> Front:
        """A front end that shows its clients a certificate: its own, or in passthrough the impalad's."""
        if mode == "passthrough":
            return self.before(mode, self.tls_impalads(pairs=[node]))
        return self.before(mode, self.impalads(mode), certificate=front)

    def stop(self) -> None:
        stop_all(self._running)

    def _misnamed(self, mode: str) -> Front:
        return self.showing(mode, self._certificates.wrong_front, self._certificates.wrong_node)

    def _expired(self, mode: str) -> Front:
        extensions = [f"subjectAltName=DNS:{HOST}"]
        expired = self._certificates.authority.issue(f"expired-{mode}", f"/CN={HOST}", extensions, days=-1)
        return self.showing(mode, expired, expired)

    def _with_ldap(self, mode: str) -> Front:
        return self.before(mode, self.impalads(mode, options=["--auth", "ldap", "--ldap-password", "right"]))

    def _realm(self) -> Realm:
        # With PRONK_E2E_KERBEROS=1 a missing KDC is a failure, not a reason to skip.
        found = shutil.which("krb5kdc", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if not found and os.environ.get("PRONK_E2E_KERBEROS") != "1":
            pytest.skip("no KDC here: run tests/e2e/setup.sh --kerberos")
        self._running.append(Realm(self.folder / "realm"))
        return self._running[-1]

    def _alice(self) -> Mapping[str, str]:
        """The environment of a user with a ticket."""
        return self.realm().login("alice")


@pytest.fixture(scope="module")
def lab(binary: Path, certificates: Any, workspace: Path, shared_clusters: Any, front: Front) -> Iterator[Lab]:
    folder = workspace / "messages"
    folder.mkdir()
    started = Lab(binary, certificates, folder, shared_clusters, front)
    yield started
    started.stop()


class Said(NamedTuple):
    """What a client said of a connection, whose record is the front end's first after `mark`: of this member, or any."""

    text: str
    front: Front
    mark: int
    member: str = ""

    def closed(self, virtual_server: str) -> dict[str, Any]:
        def wanted(record: dict[str, Any]) -> bool:
            return (
                record.get("message") == "connection closed" and record["virtual_server"] == virtual_server
                and record.get("member", "").startswith(self.member))

        return self.front.pronk.wait_for(wanted, f"the closed connection of {virtual_server}", self.mark)


class Case(NamedTuple):
    message: str
    cause: str
    modes: Sequence[str]
    provoke: Callable[[Lab, str], Said]


CASES: list[Case] = []


def says(message: str, cause: str, modes: Sequence[str] = MODES) -> Callable[[Any], Any]:
    """What is decorated makes a client give the message for this cause, in each mode."""

    def register(provoke: Any) -> Any:
        CASES.append(Case(message, cause, modes, provoke))
        return provoke

    return register


def run(front: Front, command: Sequence[object], given: str = "") -> Said:
    mark = front.pronk.mark()
    return Said(clients.run(front.hosts, command, given=given).text, front, mark)


def shell(front: Front, mode: str, *options: object, kind: str = "hs2", **keys: Any) -> Said:
    mark = front.pronk.mark()
    # One try is enough: over HTTP impala-shell makes four, with pauses.
    ran = front.shell(mode, kind, "show tables", "--connect_max_tries=1", *options, **keys)
    assert ran.code != 0, ran.text
    return Said(ran.text, front, mark)


def old_impyla(front: Front, mode: str, *options: str) -> Said:
    target = json.dumps([[HOST, front.ports[mode, "hs2"]]])
    said = run(front, [OLDER, PROBES / "impyla_probe.py", *options, front.ca], target)
    return said._replace(text=json.loads(said.text.splitlines()[0])[0]["error"])


def java(front: Front, mode: str, ca: Path) -> Said:
    if shutil.which("javac") is None:
        reason = "NOT TESTED: Java's messages need a JDK (openjdk-17-jdk-headless)"
        # A skip is one letter among many; a warning is printed.
        warnings.warn(reason, stacklevel=2)
        pytest.skip(reason)
    target = f"{HOST}:{front.ports[mode, 'hs2']}"
    return run(front, ["java", "-XX:TieredStopAtLevel=1", PROBES / "Probe.java", ca, target])


@cache
def unknown_authority(folder: Path) -> Path:
    return Authority(folder / "unknown", "Unknown CA").cert


@says("Hostname we connected to", "the CN of the certificate")
def impyla_on_python_3_12(lab: Lab, mode: str) -> Said:
    return old_impyla(lab.misnamed(mode), mode, "--without-match-hostname")


@says("hostname '", "neither the SANs nor the CN")
def impyla_on_python_3_11(lab: Lab, mode: str) -> Said:
    return old_impyla(lab.misnamed(mode), mode)


@says("[SSL: CERTIFICATE_VERIFY_FAILED]", "the front-end name is not among the SANs")
def another_name(lab: Lab, mode: str) -> Said:
    return shell(lab.misnamed(mode), mode)


@says("No subject alternative", "the front-end name is not among the SANs")
def another_name_in_java(lab: Lab, mode: str) -> Said:
    front = lab.misnamed(mode)
    return java(front, mode, front.ca)


@says("IP address mismatch", "the client connects by IP")
def by_address(lab: Lab, mode: str) -> Said:
    secure = ("--ssl", f"--ca_cert={lab.good.ca}", "-q", "show tables")
    return run(lab.good, clients.shell_command("hs2", ADDRESS, lab.good.ports[mode, "hs2"], *secure))


@says("unable to get local issuer", "the client does not trust")
def unknown_issuer(lab: Lab, mode: str) -> Said:
    secure = ("--ssl", f"--ca_cert={unknown_authority(lab.folder)}", "-q", "show tables")
    return run(lab.good, clients.shell_command("hs2", HOST, lab.good.ports[mode, "hs2"], *secure))


@says("PKIX path", "the client does not trust")
def unknown_issuer_in_java(lab: Lab, mode: str) -> Said:
    return java(lab.good, mode, unknown_authority(lab.folder))


@says("certificate has expired", "the certificate has expired")
def expired(lab: Lab, mode: str) -> Said:
    return shell(lab.expired(mode), mode)


@says("[Errno 104]", "a client without TLS connects")
def without_tls(lab: Lab, mode: str) -> Said:
    return shell(lab.good, mode, tls=False)


@says("Socket error 32", "a client without TLS connects")
def without_tls_by_beeswax(lab: Lab, mode: str) -> Said:
    return shell(lab.good, mode, kind="beeswax", tls=False)


@says("The handshake operation", "a TLS client connects to an impalad without TLS", PASSTHROUGH)
def tls_to_plaintext(lab: Lab, mode: str) -> Said:
    return shell(lab.before(mode, lab.plain_impalads()), mode, "-t", "3000")


@says("[Errno 104]", "a TLS client connects to a virtual server with server-ssl only", ["server-ssl-only"])
def tls_to_server_ssl_only(lab: Lab, mode: str) -> Said:
    return shell(lab.before(mode, lab.tls_impalads()), mode)


def lost(lab: Lab, mode: str, statement: str, words: str) -> Said:
    """A session at a terminal whose impalad is killed, before a statement or during it."""
    impalads = {impalad.name: impalad for impalad in lab.impalads(mode, 2)}
    front = lab.before(mode, list(impalads.values()), pool={"reselect_tries": 2})
    home = lab.folder / f"home-{len(statement)}-{mode}"
    home.mkdir()
    session = front.interactive(mode, "hs2", home)
    try:
        served_by = session.served_by()
        mark = front.pronk.mark()
        if "sleep" in statement:
            session.type(statement)
            session.wait_for("Query state can be monitored at")
            impalads[served_by].kill()
        else:
            impalads[served_by].kill()
            session.type(statement)
        return Said(session.wait_for(words) + session.rest(), front, mark, served_by)
    finally:
        session.close()


@says("Connection lost", "the impalad stopped or failed during the session")
def lost_session(lab: Lab, mode: str) -> Said:
    return lost(lab, mode, "show tables;", "Connection lost")


@says("Error communicating", "the impalad stopped or failed during a query")
def lost_query(lab: Lab, mode: str) -> Said:
    return lost(lab, mode, "select sleep(3600000);", "Error communicating")


def nobody_is_up(lab: Lab, mode: str) -> Said:
    (impalad,) = lab.impalads(mode)
    quick = {"type": "tcp", "interval": "500ms", "timeout": "2s"}
    front = lab.before(mode, [impalad], monitors={"quick": quick}, pool={"monitors": ["quick"]})
    impalad.kill()
    front.wait_for_status(mode, "hs2", impalad.name, "offline")
    return shell(front, mode)


@says("TSocket read 0 bytes", "no member is up", TERMINATED)
def no_member(lab: Lab, mode: str) -> Said:
    return nobody_is_up(lab, mode)


@says("[Errno 104]", "in passthrough no member is up", PASSTHROUGH)
def no_member_in_passthrough(lab: Lab, mode: str) -> Said:
    return nobody_is_up(lab, mode)


@says("TSocket read 0 bytes", "a client without SASL")
def without_sasl(lab: Lab, mode: str) -> Said:
    return shell(lab.with_ldap(mode), mode)


@says("TSocket read 0 bytes", "an impalad with TLS is behind", ["offload"])
def offload_to_tls(lab: Lab, mode: str) -> Said:
    return shell(lab.before(mode, lab.tls_impalads()), mode)


@says("The read operation timed out", "a SASL client")
def sasl_to_none(lab: Lab, mode: str) -> Said:
    return shell(lab.good, mode, "-l", "-u", "alice", "--ldap_password_cmd=printf right", "-t", "3000")


@says("Could not start SASL", "the client uses another realm")
def another_realm(lab: Lab, mode: str) -> Said:
    alice = lab.alice()
    elsewhere = lab.folder / "elsewhere.conf"
    known = Path(alice["KRB5_CONFIG"]).read_text()
    elsewhere.write_text(known.replace(f".example.test = {REALM}", ".example.test = ELSEWHERE.TEST"))
    return shell(lab.good, mode, "-k", env={**alice, "KRB5_CONFIG": str(elsewhere)})


@says("Bad status: 3", "the front end's principal")
def keytab_without_the_front_end(lab: Lab, mode: str) -> Said:
    realm = lab.realm()
    # The realm has the front end's principal, and the keytab has not.
    realm.keytab(f"impala/{HOST}")
    environment = {**realm.environment, "KRB5_KTNAME": str(realm.keytab("impala/node1.example.test"))}
    impalads = lab.impalads(mode, options=["--auth", "kerberos"], environments=[environment])
    return shell(lab.before(mode, impalads), mode, "-k", env=lab.alice())


def row_of(case: Case) -> tuple[book.Row, str]:
    """The row of the case's cause, and the whole message that it has."""
    (row,) = [row for row in book.rows() if row.cause.startswith(case.cause)]
    (message,) = [message for message in row.messages if message.startswith(case.message)]
    return row, message


@pytest.mark.parametrize(("case", "mode"), [
    pytest.param(case, mode, id=f"{case.provoke.__name__}-{mode}") for case in CASES for mode in case.modes])
def test_message_comes_with_a_code_of_its_row(lab: Lab, case: Case, mode: str) -> None:
    row, message = row_of(case)
    said = case.provoke(lab, mode)
    assert book.pattern(message).search(said.text), said.text
    kind = "beeswax" if "beeswax" in case.provoke.__name__ else "hs2"
    closed = said.closed(f"{mode}-{kind}")
    assert closed["close.code"] in row.codes_in(mode), closed


def test_every_message_of_the_book_is_provoked() -> None:
    provoked = {(*row_of(case), mode == "passthrough") for case in CASES for mode in case.modes}
    missing = [
        (row.cause, message, "in passthrough" if passthrough else "")
        for row in book.rows()
        for message in row.messages
        for passthrough, codes in ((False, row.codes), (True, row.passthrough_codes))
        if codes and message not in NOT_RUN and (row, message, passthrough) not in provoked
    ]
    assert not missing
