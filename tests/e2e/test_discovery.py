"""A pool that fills itself with the coordinators of a cluster, and one that goes by how busy they are."""

import json
import os
import signal
import time

from lab.probes import Probe
from lab.processes import PATIENCE, free_port

ADDRESSES = ("127.0.58.2", "127.0.58.3", "127.0.58.4")


def members(front):
    servers = json.loads(front.pronk.command("show", "map", "--json"))["virtual_servers"]
    (pool,) = [server["pool"] for server in servers if server["name"] == "offload-hs2"]
    return {member["addresses"][0]: member["discovered"] for member in pool["members"]}


def wait_for_members(front, wanted):
    deadline = time.monotonic() + PATIENCE
    while members(front) != wanted:
        assert time.monotonic() < deadline, f"{members(front)}, not {wanted}\n{front.pronk.log.read_text()[-2000:]}"
        time.sleep(0.02)


def served_by(front):
    ran = front.shell("offload", "hs2", "select version()", "-B", "--quiet")
    assert ran.code == 0, ran.text
    return ran.out.split(" on ")[1].split()[0]


def test_pool_follows_the_cluster(fronts, clusters, web_port):
    hs2_port = free_port()
    peers = [part for address in ADDRESSES for part in ("--peer", f"http://{address}:{web_port}")]
    impalads = clusters.plain(3, ports={"web": web_port, "hs2": hs2_port}, options=peers)
    front = fronts(
        plain=impalads[:1], modes=["offload"],
        pool={"discover": "impala", "discover_interval": "200ms", "slow_ramp_time": 0, "discover_port": hs2_port},
        monitor={"interval": "1s", "timeout": "30s", "web_port": web_port, "jitter": False})
    first, second, third = ADDRESSES
    wait_for_members(front, {first: False, second: True, third: True})
    deadline = time.monotonic() + 2 * PATIENCE
    while {served_by(front) for _ in range(3)} != {impalad.name for impalad in impalads}:
        assert time.monotonic() < deadline

    # One that shuts down leaves, and what it runs is finished.
    os.kill(impalads[1].pid, signal.SIGRTMIN)
    wait_for_members(front, {first: False, third: True})
    impalads[2].kill()
    wait_for_members(front, {first: False})
    assert served_by(front) == impalads[0].name


def test_least_load_keeps_away_from_a_coordinator_that_others_keep_busy(fronts, clusters, web_port):
    impalads = clusters.plain(2, ports={"web": web_port})
    front = fronts(
        plain=impalads, modes=["offload"], pool={"load_balancing_mode": "least-load"},
        monitor={"interval": "2s", "timeout": "60s", "web_port": web_port, "jitter": False})
    for impalad in impalads:
        front.wait_for_status("offload", "hs2", impalad.name, "available")
    # Clients that go past pronk, as another front end's do.
    busy, idle = impalads
    direct = Probe(front.hosts, "direct", busy.address, busy.ports["hs2"], 6)
    try:
        direct.next(6)

        def explained():
            return front.pronk.command("explain", "offload-hs2", "127.0.0.1")

        deadline = time.monotonic() + PATIENCE
        while "has work for 6." not in explained():
            assert time.monotonic() < deadline, explained()
        assert [served_by(front) for _ in range(4)] == [idle.name] * 4
    finally:
        direct.stop()
