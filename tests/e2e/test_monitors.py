"""Monitors that know Impala: daemons that drain, that are full, that serve no clients, on every kind of port."""

import json
import os
import random
import signal
import socket
import subprocess
import time

import pytest

from lab.clients import environment
from lab.front import HOST, MODES, PORTS
from lab.names import with_names
from lab.processes import PATIENCE, VENV

# A step of a probe may take as long as the interval, and the web UI has a third of it to answer in: long enough for a
# busy machine, short enough to wait for.
PATIENT = {"interval": "2s", "timeout": "60s", "jitter": False}
# Where it is the timeout that marks down.
QUICK = {**PATIENT, "interval": "500ms", "timeout": "5s"}
# Fetches one batch, says so, waits for a line, and fetches the rest.
_SLOW_READER = """
import sys
from impala.dbapi import connect
host, port, ca = sys.argv[1:]
cursor = connect(host, int(port), use_ssl=True, ca_cert=ca, timeout=60).cursor()
cursor.execute("select version()")
version = cursor.fetchall()[0][0]
cursor.set_arraysize(100)
cursor.execute("select rows(20000, 100)")
rows = len(cursor.fetchmany(100))
print(version, flush=True)
sys.stdin.readline()
while batch := cursor.fetchmany(1000):
    rows += len(batch)
print(rows, flush=True)
"""


def served_by(front, mode="offload", *options):
    """The impalad that a new session gets."""
    ran = front.shell(mode, "hs2", "select version()", "-B", "--quiet", *options)
    assert ran.code == 0, ran.text
    return ran.out.split(" on ")[1].split()[0]


def accepted(impalad, kind="hiveserver2"):
    """How many connections a port of an impalad has had."""
    return impalad.metric(f"impala.thrift-server.{kind}-frontend.connections-accepted")


def wait_for_all(front, mode, kind, impalads, availability="available"):
    for impalad in impalads:
        front.wait_for_status(mode, kind, impalad.name, availability)


def test_draining_impalad_gets_no_connection_and_its_clients_keep_fetching(fronts, clusters, web_port):
    impalads = clusters.plain(2, ports={"web": web_port})
    front = fronts(plain=impalads, modes=["offload"], monitor={**PATIENT, "web_port": web_port})
    wait_for_all(front, "offload", "hs2", impalads)
    command = [VENV / "python", "-c", _SLOW_READER, HOST, front.ports["offload", "hs2"], front.ca]
    reader = subprocess.Popen(
        [str(part) for part in with_names(front.hosts, command)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment())
    try:
        name = reader.stdout.readline().split(" on ")[1].split()[0]
        (draining,) = [each for each in impalads if each.name == name]
        (other,) = [each for each in impalads if each.name != name]

        os.kill(draining.pid, signal.SIGRTMIN)
        status = front.wait_for_status("offload", "hs2", name, "unavailable", "it shuts down gracefully")
        assert "it gets no new connection, those that it has go on" in status["reason"]
        before = accepted(draining)
        assert [served_by(front) for _ in range(4)] == [other.name] * 4
        assert accepted(draining) == before, "not even a probe"

        rest, _ = reader.communicate("go on\n", timeout=PATIENCE)
        assert rest.strip() == "20000"
    finally:
        reader.kill()
        reader.wait()


def test_shutdown_statement_is_seen_by_the_port_where_the_web_ui_is_closed(fronts, clusters, web_port):
    impalads = clusters.plain(2, ports={"web": web_port}, options=["--web-login", "monitor:right"])
    front = fronts(plain=impalads, modes=["offload"], monitor={**PATIENT, "web_port": web_port})
    wait_for_all(front, "offload", "hs2", impalads)
    said = front.pronk.wait_for(
        lambda record: "the web UI does not answer" in record.get("message", ""), "that the web UI is closed")
    assert "needs a user and a password" in said["reason"]

    ran = front.shell("offload", "hs2", "select version(); :shutdown()", "-B", "--quiet")
    name = ran.out.split(" on ")[1].split()[0]
    front.wait_for_status("offload", "hs2", name, "unavailable", "it says that it is being shut down")
    (other,) = [each.name for each in impalads if each.name != name]
    assert [served_by(front) for _ in range(3)] == [other] * 3
    # Beeswax says nothing of it.
    front.wait_for_status("offload", "beeswax", name, "available")


def test_web_ui_lets_in_whoever_has_the_password(fronts, clusters, web_port, folder):
    (impalad,) = clusters.tls(1, ports={"web": web_port}, options=["--web-tls", "--web-login", "monitor:right"])
    secret = folder / "web.pass"
    secret.write_text("right\n")
    secret.chmod(0o600)
    # Verified: the password goes to nobody else.
    web = {"web_port": web_port, "web_server_ssl": "impalad-backend", "user": "monitor", "password_file": str(secret)}
    front = fronts(tls=[impalad], modes=["re-encrypt"], monitor={**PATIENT, **web})
    wait_for_all(front, "re-encrypt", "beeswax", [impalad])
    os.kill(impalad.pid, signal.SIGRTMIN)
    front.wait_for_status("re-encrypt", "beeswax", impalad.name, "unavailable", "it shuts down gracefully")
    assert "right" not in front.pronk.log.read_text()


def test_full_coordinator_gets_no_connection_and_comes_back(fronts, clusters, web_port):
    impalads = clusters.plain(2, ports={"web": web_port}, options=["--service-threads", "3"])
    front = fronts(
        plain=impalads, modes=["offload"], monitor={**PATIENT, "web_port": web_port, "service_threads": 3})
    wait_for_all(front, "offload", "hs2", impalads)
    full, other = impalads
    # Clients that go past pronk.
    held = [socket.create_connection((full.address, full.ports["hs2"]), timeout=PATIENCE) for _ in range(3)]
    try:
        reason = "use all of its 3 service threads"
        front.wait_for_status("offload", "hs2", full.name, "unavailable", reason)
        assert [served_by(front) for _ in range(4)] == [other.name] * 4
    finally:
        for connection in held:
            connection.close()
    front.wait_for_status("offload", "hs2", full.name, "available")
    assert sorted(served_by(front) for _ in range(2)) == [full.name, other.name]


@pytest.mark.parametrize("auth", ["none", "ldap"])
def test_built_in_monitor_serves_every_mode(fronts, clusters, auth):
    # By the ports it knows what they speak. No other test has them on these addresses.
    ports = {"beeswax": 21000, "hs2": 21050, "http": 28000, "web": 25000}
    of_their_own = [f"127.{random.randint(64, 254)}.{random.randint(0, 255)}.{last}" for last in (2, 3)]
    tls, plain = ([address] for address in of_their_own)
    impalads = {
        "tls": clusters.tls(1, addresses=tls, ports=ports, options=["--auth", auth]),
        "plain": clusters.plain(1, addresses=plain, ports=ports, options=["--auth", auth]),
    }
    front = fronts(**impalads, modes=[*MODES, "server-ssl-only"], pool={"monitors": ["impala"]})
    for mode in [*MODES, "server-ssl-only"]:
        for kind in PORTS:
            wait_for_all(front, mode, kind, impalads["plain" if mode == "offload" else "tls"])
    if auth == "none":
        assert {served_by(front, mode) for mode in ("passthrough", "re-encrypt")} == {"node1-tls"}
        assert served_by(front) == "node1-plain"


def test_passthrough_finds_out_what_impalads_speak(fronts, clusters):
    impalads = clusters.plain(2)
    front = fronts(tls=impalads, modes=["passthrough"], monitor={**PATIENT, "web_port": 0})
    for kind in PORTS:
        wait_for_all(front, "passthrough", kind, impalads)
    servers = json.loads(front.pronk.command("show", "map", "--json"))["virtual_servers"]
    assert {each["mode"] for each in servers} == {"plain"}, "what probes find out is told"
    mark = front.pronk.mark()
    assert front.shell("passthrough", "hs2", "show tables", tls=False).code == 0
    assert front.pronk.closed(mark, "passthrough-hs2")["mode"] == "plain"


def test_wrong_certificate_takes_an_impalad_offline_where_pronk_verifies_it(fronts, clusters, certificates):
    impalads = clusters.tls(2, pairs=[certificates.nodes[0], certificates.wrong_node])
    front = fronts(tls=impalads, modes=["passthrough", "re-encrypt"], monitor={**QUICK, "web_port": 0})
    good, wrong = impalads
    reason = "showed a certificate with the wrong name: it must be for node2.example.test"
    front.wait_for_status("re-encrypt", "hs2", wrong.name, "offline", reason)
    front.wait_for_status("re-encrypt", "hs2", good.name, "available")
    assert [served_by(front, "re-encrypt") for _ in range(3)] == [good.name] * 3
    wait_for_all(front, "passthrough", "hs2", impalads)


@pytest.mark.parametrize("mode, auth", [("offload", "none"), ("offload", "ldap"), ("re-encrypt", "none"),
                                        ("re-encrypt", "ldap")])
def test_port_that_takes_connections_and_answers_none_is_unavailable(fronts, clusters, web_port, mode, auth):
    # The monitor believes in more threads than there are, so only the port tells.
    start = clusters.plain if mode == "offload" else clusters.tls
    (impalad,) = start(1, ports={"web": web_port}, options=["--service-threads", "1", "--auth", auth])
    key = "plain" if mode == "offload" else "tls"
    front = fronts(**{key: [impalad]}, modes=[mode], monitor={**PATIENT, "web_port": web_port})
    front.wait_for_status(mode, "hs2", impalad.name, "available")
    with socket.create_connection((impalad.address, impalad.ports["hs2"]), timeout=PATIENCE):
        front.wait_for_status(mode, "hs2", impalad.name, "unavailable", "its service threads are all busy")
    front.wait_for_status(mode, "hs2", impalad.name, "available")


@pytest.mark.parametrize("auth", ["none", "ldap"])
@pytest.mark.parametrize("mode", ["offload", "re-encrypt"])
def test_every_port_is_up_by_its_own_protocol(fronts, clusters, mode, auth):
    impalads = (clusters.plain if mode == "offload" else clusters.tls)(2, options=["--auth", auth])
    key = "plain" if mode == "offload" else "tls"
    # Without the web UI, so that the ports alone decide.
    front = fronts(**{key: impalads}, modes=[mode], monitor={**PATIENT, "web_port": 0})
    for kind in PORTS:
        wait_for_all(front, mode, kind, impalads)


def test_executor_is_refused_with_the_reason(fronts, clusters, web_port):
    impalads = clusters.plain(2, ports={"web": web_port}, own_options=[(), ("--executor-only",)])
    front = fronts(plain=impalads, modes=["offload"], monitor={**PATIENT, "web_port": web_port})
    coordinator, executor = impalads
    front.wait_for_status("offload", "hs2", executor.name, "offline", "executor-only: it opens no client ports")
    assert [served_by(front) for _ in range(2)] == [coordinator.name] * 2
    text = front.pronk.command("show", "map")
    assert "executor-only: it opens no client ports" in text


def test_killed_impalad_is_down_after_the_timeout(fronts, clusters, web_port):
    impalads = clusters.plain(2, ports={"web": web_port})
    front = fronts(plain=impalads, modes=["offload"], monitor={**QUICK, "web_port": web_port})
    wait_for_all(front, "offload", "hs2", impalads)
    killed = time.monotonic()
    impalads[0].kill()
    front.wait_for_status("offload", "hs2", impalads[0].name, "offline", "cannot connect")
    assert time.monotonic() - killed >= 3, "one failed probe is not enough"
    assert served_by(front) == impalads[1].name
