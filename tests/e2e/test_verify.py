"""`pronk verify` against real daemons: what is broken on purpose is named with its remedy, and nothing is said of what is
well.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from lab import clients
from lab.certificates import Authority
from lab.config import Config
from lab.front import ADDRESS, HOST, Front
from lab.kerberos import REALM, Realm
from lab.names import hosts_file
from lab.processes import PATIENCE, REPOSITORY, free_port

# As in conftest.py, on addresses of their own.
_TLS = ("127.0.66.2", "127.0.66.3")
_PLAIN = ("127.0.68.2", "127.0.68.3")
_OTHERS = ("127.0.69.2", "127.0.69.3")
_FOUND = shutil.which("krb5kdc", path=os.environ.get("PATH", "") + ":/usr/sbin")
needs_kdc = pytest.mark.skipif(
    not _FOUND and os.environ.get("PRONK_E2E_KERBEROS") != "1",
    reason="no KDC here: run tests/e2e/setup.sh --kerberos",
)


class Verified(NamedTuple):
    code: int
    checks: list[dict]
    text: str

    @property
    def wrong(self) -> dict[str, dict]:
        return {check["id"]: check for check in self.checks if check["outcome"] in ("failed", "warning")}


class Site:
    """Two clusters and certificates that are valid for long, and runs of `pronk verify`."""

    def __init__(self, binary: Path, folder: Path, clusters) -> None:
        self.binary = binary
        self.folder = folder
        self.clusters = clusters
        self.authority = Authority(folder / "ca", days=390)
        self.other = Authority(folder / "other-ca", "Other CA", days=390)
        self.front_pair = self.authority.sign(HOST)
        self.wrong_pair = self.authority.sign("other.example.test")
        # Names that please every client, in passthrough too.
        nodes = [self.authority.sign(HOST, [f"node{number}.example.test"], f"node{number}") for number in (1, 2)]
        self.wrong_node = self.authority.sign("node9.example.test")
        self.tls = clusters.tls(2, nodes, addresses=_TLS)
        self.plain = clusters.plain(2, addresses=_PLAIN)
        self._count = 0

    def place(self) -> Path:
        self._count += 1
        place = self.folder / str(self._count)
        place.mkdir()
        return place

    def config(self, mode: str, impalads, pair=None, ca=None, port: int = 0, kind: str = "hs2", **pool) -> Path:
        """A file with one virtual server, which nobody serves."""
        config = Config()
        config.client_ssl(pair or self.front_pair)
        config.server_ssl(ca or self.authority.cert)
        for impalad in impalads:
            config.node(impalad, f"{impalad.name.split('-')[0]}.example.test")
        config.pool("pool", impalads, kind, **pool)
        config.virtual_server("vs", ADDRESS, port or free_port(), "pool", mode, HOST)
        return config.write(self.place() / "pronk.yaml")

    def verify(self, file: Path, *options, names=None, env=None, admin=None, prefix=(), ca=None) -> Verified:
        hosts = hosts_file(self.place() / "hosts", {HOST: ADDRESS} if names is None else names)
        admin = admin or self.folder / "no.sock"
        command = [*prefix, self.binary, "verify", file, "--json", "--ca-file", ca or self.authority.cert,
                   "--admin-socket", admin, *options]
        ran = clients.run(hosts, command, env)
        assert ran.out.startswith("{"), ran.text
        return Verified(ran.code, json.loads(ran.out)["checks"], ran.text)


@pytest.fixture(scope="module")
def site(binary, workspace, shared_clusters):
    return Site(binary, workspace / "verify", shared_clusters)


@pytest.fixture(scope="module")
def front(site):
    """A pronk in every mode before both clusters."""
    started = Front(site.place(), site.binary, site.authority.cert, site.front_pair, site.tls, site.plain)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def realm(workspace):
    started = Realm(workspace / "verify-realm")
    yield started
    started.stop()


@pytest.fixture(scope="module")
def kerberos(site, realm):
    """A pronk before a coordinator with Kerberos, and that one's keytab."""
    keytab = realm.keytab(f"impala/{HOST}", "impala/node1.example.test")
    environment = {**realm.environment, "KRB5_KTNAME": str(keytab)}
    plain = site.clusters.plain(
        1, addresses=["127.0.70.2"], options=["--auth", "kerberos"], environments=[environment])
    started = Front(
        site.place(), site.binary, site.authority.cert, site.front_pair, plain=plain, modes=["offload"])
    yield started, keytab
    started.stop()


def of_front(site, front, *options, **keys):
    return site.verify(front.config_file, *options, admin=front.pronk.admin_socket, **keys)


def assert_all_well(verified):
    assert not verified.wrong, json.dumps(verified.wrong, indent=1)
    assert verified.code == 0, verified.text


def test_nothing_is_said_where_all_is_well(site, front):
    verified = of_front(site, front)
    assert_all_well(verified)
    answering = {check["about"] for check in verified.checks if check["id"] == "front-end"}
    assert answering == {f"{mode}-{kind}" for mode, kind in front.ports}, "all modes and protocols"
    assert {check["outcome"] for check in verified.checks} == {"ok"}


def test_people_read_a_line_for_each_step(site, front):
    hosts = hosts_file(site.place() / "hosts", {HOST: ADDRESS})
    base = [site.binary, "verify", front.config_file, "--admin-socket", front.pronk.admin_socket]
    ran = clients.run(hosts, [*base, "--ca-file", site.authority.cert])
    lines = ran.out.splitlines()
    assert ran.code == 0 and len(lines) == 10 and lines[-1].startswith("All is well"), ran.text
    wrong = clients.run(hosts, [*base, "--ca-file", site.other.cert])
    assert wrong.code == 1 and "  FAILED  " in wrong.out and "do: " in wrong.out, wrong.text


def test_before_the_start_ports_are_free_and_front_ends_skipped(site):
    verified = site.verify(site.config("offload", site.plain))
    assert_all_well(verified)
    assert [check["id"] for check in verified.checks if check["outcome"] == "skipped"] == ["not-running"]


@pytest.mark.parametrize("id, keys", [
    ("source", {"source": ["10.0.0.0/8"]}), ("disabled", {"state": "disabled"}), ("rate-limit", {"rate_limit": 1}),
    ("connection-limit", {"connection_limit": 1})])
def test_rule_that_refuses_this_machine_is_no_fault(site, id, keys):
    front = Front(site.place(), site.binary, site.authority.cert, site.front_pair, plain=site.plain, modes=["offload"],
                  virtual_server=keys)
    port = front.ports["offload", "hs2"]
    held = socket.create_connection((ADDRESS, port), timeout=PATIENCE) if id == "connection-limit" else None
    try:
        if held:
            deadline = time.monotonic() + PATIENCE
            while "the client is reset" not in front.pronk.command("explain", "offload-hs2", "127.0.0.1"):
                assert time.monotonic() < deadline
                time.sleep(0.02)
        verified = of_front(site, front, "--virtual-server", "offload-hs2")
        assert_all_well(verified)
        assert [check["id"] for check in verified.checks if check["outcome"] == "skipped"] == [id]
    finally:
        if held:
            held.close()
        front.stop()


@needs_kdc
def test_nothing_is_said_where_kerberos_is_well(site, realm, kerberos):
    front, keytab = kerberos
    assert_all_well(of_front(site, front, "--keytab", keytab, env=realm.environment))
    verified = of_front(site, front, "--keytab", keytab, env=realm.login("alice"))
    assert_all_well(verified)
    (ticket,) = [check for check in verified.checks if check["id"] == "ticket" and check["outcome"] == "ok"]
    assert "keytab decrypts" in ticket["message"]
    shown = {check["about"] for check in verified.checks if check["id"] == "ticket-shown"}
    assert {"offload-hs2", "offload-beeswax"} < shown and len(shown) == 4, "the virtual servers and their members"


def wrong_name(site, _front):
    front = Front(site.place(), site.binary, site.authority.cert, site.wrong_pair, plain=site.plain, modes=["offload"])
    try:
        return of_front(site, front)
    finally:
        front.stop()


def wrong_ca_of_clients(site, front):
    return of_front(site, front, "--virtual-server", "offload-hs2", ca=site.other.cert)


def wrong_ca_toward_members(site, _front):
    return site.verify(site.config("re-encrypt", site.tls, ca=site.other.cert))


def wrong_name_of_member(site, _front):
    tls = site.clusters.tls(1, [site.wrong_node], addresses=_OTHERS[:1])
    return site.verify(site.config("re-encrypt", tls))


def expired(site, front):
    return of_front(site, front, "--virtual-server", "offload-hs2", "--now", int(time.time()) + 400 * 86_400)


def wrong_port(site, _front):
    file = site.config("offload", site.plain[:1])
    port = f"{site.plain[0].name}:{site.plain[0].ports['hs2']}"
    file.write_text(file.read_text().replace(port, f"{site.plain[0].name}:{free_port()}"))
    return site.verify(file)


def closed_port(site, _front):
    (plain,) = site.clusters.plain(1, addresses=_OTHERS[1:])
    file = site.config("offload", [plain])
    plain.kill()
    return site.verify(file)


def not_an_impalad(site, _front):
    with socket.create_server((ADDRESS, 0)) as server:
        file = site.config("offload", site.plain[:1])
        text = file.read_text().replace(f"address: {site.plain[0].address}", f"address: {ADDRESS}")
        member = f"{site.plain[0].name}:{site.plain[0].ports['hs2']}"
        file.write_text(text.replace(member, f"{site.plain[0].name}:{server.getsockname()[1]}"))
        return site.verify(file)


def full_coordinator(site, _front):
    (plain,) = site.clusters.plain(1, addresses=["127.0.71.2"], options=["--service-threads", 2])
    held = [socket.create_connection((plain.address, plain.ports["hs2"]), timeout=PATIENCE) for _ in range(2)]
    try:
        return site.verify(site.config("offload", [plain]))
    finally:
        for connection in held:
            connection.close()


def only_ipv6(site, front):
    return of_front(site, front, names={HOST: "::1"})


def no_address(site, front):
    return of_front(site, front, names={"something.else.test": ADDRESS})


def elsewhere(site, front):
    return of_front(site, front, names={HOST: "127.0.99.9"})


def two_addresses(site, front):
    return of_front(site, front, names={HOST: f"{ADDRESS} {HOST}\n127.0.99.9"})


def plaintext_member(site, _front):
    return site.verify(site.config("re-encrypt", site.plain))


def tls_member(site, _front):
    return site.verify(site.config("offload", site.tls))


def mixed_sasl(site, _front):
    (ldap,) = site.clusters.plain(1, addresses=["127.0.72.2"], options=["--auth", "ldap"])
    return site.verify(site.config("offload", [ldap, site.plain[1]]))


def mixed_tls(site, _front):
    return site.verify(site.config("passthrough", [site.tls[0], site.plain[1]]))


def unexpected_sasl(site, _front):
    (ldap,) = site.clusters.plain(1, addresses=["127.0.73.2"], options=["--auth", "ldap"])
    file = site.config("offload", [ldap], monitors=["watch"])
    monitor = "monitors:\n  watch: { type: impala, sasl: false, web-port: 0 }\n"
    file.write_text(file.read_text() + "\n" + monitor.replace(", web-port: 0", f", web-port: {ldap.ports['web']}"))
    return site.verify(file)


def few_descriptors(site, _front):
    return site.verify(site.config("offload", site.plain), prefix=["prlimit", "--nofile=100:100"])


def port_of_another(site, _front):
    with socket.create_server((ADDRESS, 0)) as server:
        return site.verify(site.config("offload", site.plain, port=server.getsockname()[1]))


def not_reloaded(site, front):
    return site.verify(site.config("offload", site.plain), admin=front.pronk.admin_socket)


def edited(site, _front):
    front = Front(site.place(), site.binary, site.authority.cert, site.front_pair, plain=site.plain, modes=["offload"])
    try:
        text = front.config_file.read_text()
        front.config_file.write_text(text.replace("least-connections-node", "round-robin"))
        return of_front(site, front)
    finally:
        front.stop()


def unknown_node(site, _front):
    file = site.config("offload", site.plain[:1])
    file.write_text(file.read_text().replace(f"address: {site.plain[0].address}", "address: nowhere.example.test"))
    return site.verify(file)


def draining(site, _front):
    (plain,) = site.clusters.plain(1, addresses=["127.0.74.2"])
    front = Front(site.place(), site.binary, site.authority.cert, site.front_pair, plain=[plain], modes=["offload"])
    try:
        assert front.shell("offload", "hs2", ":shutdown()").code == 0
        return of_front(site, front, "--virtual-server", "offload-hs2")
    finally:
        front.stop()


def wrong_password(site, _front):
    (ldap,) = site.clusters.plain(
        1, addresses=["127.0.75.2"], options=["--auth", "ldap", "--ldap-password", "right"])
    front = Front(site.place(), site.binary, site.authority.cert, site.front_pair, plain=[ldap], modes=["offload"])
    password = site.place() / "password"
    try:
        password.write_text("right\n")
        password.chmod(0o600)
        login = ("--virtual-server", "offload-hs2", "--user", "alice", "--password-file", password)
        assert_all_well(of_front(site, front, *login))
        password.write_text("wrong\n")
        return of_front(site, front, *login)
    finally:
        front.stop()


def nobody_logs_in(site, front):
    password = site.place() / "password"
    password.write_text("x\n")
    password.chmod(0o600)
    return of_front(site, front, "--virtual-server", "offload-hs2", "--user", "alice", "--password-file", password)


# What is broken, the checks that name it, and words of the remedy.
BROKEN = [
    (wrong_name, {"san-missing-frontend"}, "issue the certificate anew"),
    (wrong_ca_of_clients, {"chain-missing-intermediate"}, "the truststore of clients"),
    (wrong_ca_toward_members, {"chain-missing-intermediate"}, "`ca-file`"),
    (wrong_name_of_member, {"san-missing-node"}, ""),
    (expired, {"expired"}, ""),
    (wrong_port, {"member-refuses"}, "correct the member's port"),
    (closed_port, {"member-refuses"}, "start its impalad"),
    (not_an_impalad, {"member-silent"}, "service threads"),
    (full_coordinator, {"member-silent"}, "--fe_service_threads"),
    (only_ipv6, {"name-only-ipv6"}, "[::]"),
    (no_address, {"name-does-not-resolve"}, "in DNS"),
    (elsewhere, {"name-elsewhere"}, "correct the record in DNS"),
    (two_addresses, {"name-has-other-addresses"}, "remove the record"),
    (plaintext_member, {"member-speaks-plaintext"}, "take the server-ssl profile away"),
    (tls_member, {"member-speaks-tls"}, "give the virtual server a server-ssl profile"),
    (mixed_sasl, {"members-differ-in-sasl"}, "authenticate alike"),
    (mixed_tls, {"members-differ-in-tls"}, "speak alike"),
    (unexpected_sasl, {"monitor-fails"}, "`sasl`"),
    (few_descriptors, {"few-descriptors"}, "LimitNOFILE"),
    (port_of_another, {"port-taken"}, "ss -ltnp"),
    (not_reloaded, {"port-not-served"}, "pronk reload"),
    (edited, {"not-reloaded"}, "pronk reload --dry-run"),
    (unknown_node, {"node-does-not-resolve"}, "`address`"),
    (draining, {"member-draining"}, "wait until it is started again"),
    (wrong_password, {"login-refused"}, "password"),
    (nobody_logs_in, {"login-not-asked-for"}, "--enable_ldap_auth"),
]


@pytest.mark.parametrize("broken, ids, remedy", BROKEN, ids=[case[0].__name__ for case in BROKEN])
def test_what_is_broken_is_named_with_its_remedy(site, front, broken, ids, remedy):
    verified = broken(site, front)
    assert ids <= verified.wrong.keys(), json.dumps(verified.wrong, indent=1)
    failed = any(check["outcome"] == "failed" for check in verified.wrong.values())
    assert verified.code == (1 if failed else 0)
    assert all(check["remedy"] for check in verified.wrong.values())
    assert all(remedy in verified.wrong[each]["remedy"] for each in ids), verified.wrong
    documents = (REPOSITORY / "docs" / "verify.md").read_text() + (REPOSITORY / "docs" / "lint-checks.md").read_text()
    assert all(f"`{each}`" in documents or f" {each}" in documents for each in verified.wrong), "in the documents"


def test_what_cannot_be_verified_exits_with_2_or_3(site, front):
    def code(*options):
        return clients.run(front.hosts, [site.binary, "verify", *options]).code

    assert code(site.folder / "nothing.yaml") == 3
    assert code(front.config_file, "--virtual-server", "nope") == 2
    assert code(front.config_file, "--user", "alice") == 2
    assert code(front.config_file, "--ca-file", site.folder / "nothing.pem") == 3


@needs_kdc
class TestKerberos:
    def wrong(self, site, kerberos, realm, *options, env=None):
        front, keytab = kerberos
        options = options or ("--keytab", keytab)
        verified = of_front(site, front, *options, env=env or realm.environment)
        return verified.wrong

    def test_keytab_without_the_front_end(self, site, kerberos, realm):
        keytab = realm.keytab("impala/node7.example.test")
        check = self.wrong(site, kerberos, realm, "--keytab", keytab)["principal-not-in-keytab"]
        assert f"impala/{HOST}@{REALM}" in check["message"] and "node7" in check["message"]
        assert "ktadd -norandkey" in check["remedy"] and "Cloudera Manager" in check["remedy"]

    def test_impalad_that_does_not_accept_tickets_of_the_front_end(self, site, realm):
        keytab = realm.keytab("impala/node8.example.test")
        realm.keytab(f"impala/{HOST}")
        environment = {**realm.environment, "KRB5_KTNAME": str(keytab)}
        (plain,) = site.clusters.plain(
            1, addresses=["127.0.76.2"], options=["--auth", "kerberos"], environments=[environment])
        verified = site.verify(site.config("offload", [plain]), env=realm.login("dave"))
        check = verified.wrong["ticket-not-accepted"]
        assert f"impala/{HOST}" in check["message"] and "ktadd -norandkey" in check["remedy"]

    def test_keytab_with_an_old_key(self, site, kerberos, realm):
        old = site.place() / "old.keytab"
        shutil.copy(kerberos[1], old)
        # This cache has a ticket for the old key.
        erin = realm.login("erin")
        subprocess.run(["kvno", f"impala/{HOST}"], env={**os.environ, **erin}, check=True)
        cache = Path(erin["KRB5CCNAME"].removeprefix("FILE:"))
        tickets = cache.read_bytes()
        realm.change_key(f"impala/{HOST}")
        try:
            for env in (realm.environment, realm.login("bob"), erin):
                wrong = self.wrong(site, kerberos, realm, "--keytab", old, env=env)
                assert "ktadd" in wrong["kvno-differs"]["remedy"]
                with_ticket = {"ticket-not-decrypted", "ticket-not-accepted"} if env != realm.environment else set()
                assert with_ticket <= wrong.keys(), json.dumps(wrong, indent=1)
            assert cache.read_bytes() == tickets, "the user's cache stays as it is"
        finally:
            # The daemon takes any key of its keytab, so the new one is added for the tests that follow.
            realm.keytab(f"impala/{HOST}", "impala/node1.example.test")

    def test_clock_that_is_wrong(self, site, kerberos, realm):
        front, keytab = kerberos
        wrong = self.wrong(site, kerberos, realm, "--keytab", keytab, "--now", int(time.time()) + 900)
        assert "NTP" in wrong["clock-skew"]["remedy"] and wrong["clock-skew"]["outcome"] == "failed"

    def test_principal_that_the_kdc_does_not_know(self, site, realm, kerberos):
        front, _ = kerberos
        other = Realm(site.place())
        try:
            other.keytab("impala/node1.example.test")
            env = other.login("carol")
            wrong = self.wrong(site, kerberos, realm, "--keytab", other.keytab("impala/node1.example.test"), env=env)
        finally:
            other.stop()
        assert "addprinc -randkey" in wrong["principal-unknown"]["remedy"]
        assert "ticket-refused" in wrong

    def test_kdc_that_is_gone(self, site, kerberos, realm):
        conf = site.place() / "krb5.conf"
        text = Path(realm.environment["KRB5_CONFIG"]).read_text()
        conf.write_text(re.sub(r"kdc = 127.0.0.1:\d+", f"kdc = 127.0.0.1:{free_port()}", text))
        wrong = self.wrong(site, kerberos, realm, env={**realm.environment, "KRB5_CONFIG": str(conf)})
        assert "[realms]" in wrong["kdc-silent"]["remedy"]

    def test_name_that_clients_do_not_ask_for(self, site, kerberos, realm):
        front, keytab = kerberos
        conf = site.place() / "krb5.conf"
        text = Path(realm.environment["KRB5_CONFIG"]).read_text()
        conf.write_text(text.replace("rdns = false", "").replace("dns_canonicalize_hostname = false", ""))
        env = {**realm.environment, "KRB5_CONFIG": str(conf)}
        names = {"vip-7.example.test": f"{ADDRESS} vip-7.example.test\n{ADDRESS}", HOST: ADDRESS}
        wrong = of_front(site, front, "--keytab", keytab, env=env, names=names).wrong
        assert "rdns = false" in wrong["canonical-name-differs"]["remedy"]

    def test_keytab_where_nobody_takes_kerberos(self, site, front, kerberos, realm):
        verified = of_front(site, front, "--virtual-server", "offload-hs2", "--keytab", kerberos[1])
        assert "leave --keytab out" in verified.wrong["kerberos-not-spoken"]["remedy"]
