"""A coordinator that shuts down gracefully under load: what it does not fail itself does not fail."""

import os
import signal
import time

import pytest

from lab.front import HOST
from lab.probes import Probe

# The daemon's own words to whoever opens a session, or asks for more in one that is open.
ITS_OWN = "Server is being shut down"


# The web UI has a third of the interval to answer in.
MONITOR = {"interval": "3s", "timeout": "60s"}
THREADS = 8


@pytest.mark.parametrize("mode", ["offload", "re-encrypt"])
def test_nothing_fails_but_what_the_daemon_refuses(fronts, clusters, web_port, mode):
    impalads = (clusters.plain if mode == "offload" else clusters.tls)(3, ports={"web": web_port})
    key = "plain" if mode == "offload" else "tls"
    front = fronts(**{key: impalads}, modes=[mode], monitor={**MONITOR, "web_port": web_port})
    for impalad in impalads:
        front.wait_for_status(mode, "hs2", impalad.name, "available")
    leaving = impalads[0]
    load = Probe(front.hosts, "load", HOST, front.ports[mode, "hs2"], front.ca, THREADS)
    try:
        before = load.next(40)
        assert {line["daemon"] for line in before} == {impalad.name for impalad in impalads}, "it is a load for all"
        os.kill(leaving.pid, signal.SIGRTMIN)
        front.wait_for_status(mode, "hs2", leaving.name, "unavailable", "it shuts down gracefully")
        visible = time.monotonic()
        accepted = "impala.thrift-server.hiveserver2-frontend.connections-accepted"
        after = []
        # Each thread's connection that was on its way has come once the thread has begun another session.
        while {line["thread"] for line in after if line["begun"] > visible} != set(range(THREADS)):
            after += load.next(1)
        by_then = leaving.metric(accepted)
        while sum(line["begun"] > visible for line in after) < 60:
            after += load.next(1)
        assert leaving.metric(accepted) == by_then, "it gets connections after it was seen to shut down"
    finally:
        rest = load.finish()
    sessions = [*before, *after, *rest]
    assert sum(line["statements"] for line in sessions) > 150
    failed = [line for line in sessions if line["failed"]]
    assert all(ITS_OWN in line["failed"] for line in failed), failed
    assert all(line["begun"] < visible for line in failed), "nobody is refused once it is seen"
    assert {line["daemon"] for line in failed} <= {leaving.name, None}, "a session that it refused has no name"
    late = {line["daemon"] for line in sessions if line["begun"] > visible}
    assert late == {impalad.name for impalad in impalads[1:]}


def test_shell_sees_its_query_through_and_reconnects_elsewhere(fronts, clusters, web_port, folder):
    impalads = clusters.tls(3, ports={"web": web_port})
    front = fronts(tls=impalads, modes=["re-encrypt"], monitor={**MONITOR, "web_port": web_port})
    for impalad in impalads:
        front.wait_for_status("re-encrypt", "hs2", impalad.name, "available")
    shell = front.interactive("re-encrypt", "hs2", folder)
    try:
        (leaving,) = [impalad for impalad in impalads if impalad.name == shell.served_by()]
        shell.type("select sleep(3600000);")
        shell.wait_for("Query state can be monitored at")
        os.kill(leaving.pid, signal.SIGRTMIN)
        front.wait_for_status("re-encrypt", "hs2", leaving.name, "unavailable", "it shuts down gracefully")
        assert leaving.metric("impala-server.backend-num-queries-executing") == 1, "the query runs on"
        leaving.finish()
        assert "Fetched 1 row" in shell.rest()

        assert ITS_OWN in shell.run("show tables;")
        place = f"{HOST}:{front.ports['re-encrypt', 'hs2']}"
        assert f"Connected to {place}" in shell.run(f"connect {place};")
        assert shell.served_by() in {impalad.name for impalad in impalads} - {leaving.name}
    finally:
        shell.close()
