"""Coordinators whose service threads are all in use: clients wait in pronk's queue, and know when it is too long."""

import json
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest
from impala.dbapi import connect

from lab.clients import environment
from lab.front import ADDRESS
from lab.names import with_names
from lab.processes import PATIENCE

THREADS = 3


@pytest.fixture
def full(fronts, clusters, web_port, request):
    """A front end with a queue before two impalads, and the connections past pronk that fill them."""
    impalads = clusters.plain(2, ports={"web": web_port}, options=["--service-threads", THREADS])
    front = fronts(
        plain=impalads, modes=["offload"],
        pool={"queue_on_connection_limit": True, "queue_time_limit": getattr(request, "param", "1h")},
        monitor={
            # Long enough for a busy machine: the web UI has a third of the interval to answer in.
            "interval": "2s", "timeout": "60s", "web_port": web_port, "service_threads": THREADS, "jitter": False})
    for impalad in impalads:
        front.wait_for_status("offload", "hs2", impalad.name, "available")
    held = {impalad.name: [] for impalad in impalads}

    def fill(impalad):
        place = (impalad.address, impalad.ports["hs2"])
        held[impalad.name] = [socket.create_connection(place, timeout=PATIENCE) for _ in range(THREADS)]
        front.wait_for_status("offload", "hs2", impalad.name, "unavailable", "service threads")

    yield front, impalads, held, fill
    for connection in (each for connections in held.values() for each in connections):
        connection.close()


def queued(front):
    servers = json.loads(front.pronk.command("show", "map", "--json"))["virtual_servers"]
    return max(server["pool"]["queued"] for server in servers)


def wait_until_queued(front, wanted):
    """Until the map says how many wait."""
    deadline = time.monotonic() + PATIENCE
    while queued(front) != wanted:
        assert time.monotonic() < deadline, f"{queued(front)} wait, not {wanted}"


def came(front):
    """How many clients have come to the virtual server."""
    stats = json.loads(front.pronk.command("show", "stats", "--json"))
    return max(server["connections"]["total"] for server in stats["virtual_servers"])


def trusting_anybody():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def start_shell(front):
    command = front.shell_command("offload", "hs2", "-q", "select version()", "-B", "--quiet")
    return subprocess.Popen(
        with_names(front.hosts, command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, env=environment())


def test_clients_wait_for_a_thread_and_are_served(full):
    front, (first, second), held, fill = full
    fill(first)
    accepted = "impala.thrift-server.hiveserver2-frontend.connections-accepted"
    before = first.metric(accepted)
    for _ in range(3):
        ran = front.shell("offload", "hs2", "select version()", "-B", "--quiet")
        assert second.name in ran.out, ran.text
    assert first.metric(accepted) == before, "a full coordinator gets no connection, not even a probe"

    fill(second)
    shell = start_shell(front)
    try:
        wait_until_queued(front, 1)
        assert "1 connections wait" in front.pronk.command("show", "map")
        for connection in held[first.name]:
            connection.close()
        printed, _ = shell.communicate(timeout=PATIENCE)
        assert first.name in printed, printed
        assert queued(front) == 0
    finally:
        shell.kill()
        shell.wait()


def test_clients_are_served_in_the_order_in_which_they_came(fronts, plain_cluster, folder):
    front = fronts(
        plain=plain_cluster[:1], modes=["offload"],
        pool={"queue_on_connection_limit": True, "member": {"connection_limit": 1}})
    holder = front.interactive("offload", "hs2", folder)
    served = []

    def client(number):
        connection = connect(ADDRESS, front.ports["offload", "hs2"], use_ssl=True, timeout=PATIENCE)
        cursor = connection.cursor()
        cursor.execute("select version()")
        # Before the connection, and with it the only place, is given back.
        served.append(number)
        cursor.close()
        connection.close()

    try:
        clients = [threading.Thread(target=client, args=(number,), daemon=True) for number in range(4)]
        for number, thread in enumerate(clients):
            thread.start()
            wait_until_queued(front, number + 1)
        assert served == []
        holder.quit()
        for thread in clients:
            thread.join(PATIENCE)
        assert served == [0, 1, 2, 3]
        assert queued(front) == 0
    finally:
        holder.close()


@pytest.mark.parametrize("full", ["3s"], indirect=True)
def test_client_that_waits_too_long_is_told(full):
    front, impalads, _, fill = full
    for impalad in impalads:
        fill(impalad)
    offset = front.pronk.mark()
    ran = front.shell("offload", "hs2", "select version()", "-B", "--quiet")
    assert ran.code != 0
    closed = front.pronk.closed(offset, "offload-hs2")
    assert closed["close.code"] == "queue-timeout" and "fe_service_threads" in closed["close.remedy"]
    assert 3_000 <= closed["ms_queue"] < 10_000, "an error after the queue's time, not a silence of minutes"


def test_client_that_resets_is_out_of_the_queue(full):
    front, impalads, _, fill = full
    for impalad in impalads:
        fill(impalad)
    offset = front.pronk.mark()
    with socket.create_connection((ADDRESS, front.ports["offload", "hs2"]), timeout=PATIENCE) as tcp:
        client = trusting_anybody().wrap_socket(tcp)
        client.sendall(b"request")
        wait_until_queued(front, 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    wait_until_queued(front, 0)
    assert front.pronk.closed(offset, "offload-hs2")["close.code"] == "client-left-queue"


def test_client_that_was_killed_in_the_queue_is_in_nobodys_way(full):
    front, impalads, held, fill = full
    for impalad in impalads:
        fill(impalad)
    killed, shell = start_shell(front), None
    try:
        wait_until_queued(front, 1)
        killed.kill()
        killed.wait()
        shell = start_shell(front)
        # The one that was killed has left, if its system has sent RST; after FIN it keeps its place for now.
        deadline = time.monotonic() + PATIENCE
        while came(front) < 2 or queued(front) < 1:
            assert time.monotonic() < deadline, "the second client does not come"
        held[impalads[0].name][0].close()
        printed, _ = shell.communicate(timeout=PATIENCE)
        assert impalads[0].name in printed, printed
        wait_until_queued(front, 0)
    finally:
        for each in (killed, shell):
            if each is not None:
                each.kill()
                each.wait()


def test_a_free_thread_is_given_to_one_client(full):
    front, impalads, held, fill = full
    for impalad in impalads:
        fill(impalad)
    first = impalads[0]
    waiting = "impala.thrift-server.hiveserver2-frontend.connection-setup-queue-size"
    shells = []
    try:
        for count in (1, 2, 3):
            shells.append(start_shell(front))
            wait_until_queued(front, count)
        held[first.name][0].close()
        most, deadline = 0, time.monotonic() + 2 * PATIENCE
        while any(shell.poll() is None for shell in shells):
            assert time.monotonic() < deadline, "not everybody is served"
            most = max(most, first.metric(waiting))
        # They are not sent to wait in silence there: one may, for a moment, behind a connection that ends or a probe.
        assert most <= 1
        assert shells[0].returncode == 0 and first.name in shells[0].stdout.read()
    finally:
        for shell in shells:
            shell.kill()
            shell.wait()
