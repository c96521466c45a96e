"""A coordinator that shuts down gracefully under load: what it does not fail itself does not fail."""

import os
import signal
import time

import pytest

from lab.front import HOST
from lab.probes import Probe
from lab.processes import port_or_free

# The daemon's own words to whoever opens a session, or asks for more in one that is open.
ITS_OWN = "Server is being shut down"


@pytest.mark.parametrize("mode", ["offload", "re-encrypt"])
def test_nothing_fails_but_what_the_daemon_refuses(fronts, clusters, mode):
    web_port = port_or_free("0.0.0.0", 0)
    impalads = (clusters.plain if mode == "offload" else clusters.tls)(3, ports={"web": web_port})
    key = "plain" if mode == "offload" else "tls"
    front = fronts(**{key: impalads}, modes=[mode], monitor={"interval": "900ms", "timeout": "20s", "web_port": web_port})
    for impalad in impalads:
        front.wait_for_status(mode, "hs2", impalad.name, "available")
    leaving = impalads[0]
    load = Probe(front.hosts, "load", HOST, front.ports[mode, "hs2"], front.ca, 8)
    try:
        before = load.next(40)
        assert {line["daemon"] for line in before} == {impalad.name for impalad in impalads}, "it is a load for all"
        os.kill(leaving.pid, signal.SIGRTMIN)
        front.wait_for_status(mode, "hs2", leaving.name, "unavailable", "it shuts down gracefully")
        visible = time.monotonic()
        accepted = "impala.thrift-server.hiveserver2-frontend.connections-accepted"
        at_once = leaving.metric(accepted)
        after = []
        while sum(line["opened"] > visible for line in after) < 60:
            after += load.next(1)
        assert leaving.metric(accepted) == at_once, "it gets connections after it was seen to shut down"
    finally:
        rest = load.finish()
    sessions = [*before, *after, *rest]
    assert sum(line["statements"] for line in sessions) > 150
    failed = [line for line in sessions if line["failed"]]
    assert all(ITS_OWN in line["failed"] for line in failed), failed
    assert all(line["opened"] < visible for line in failed), "nobody is refused once it is seen"
    assert {line["daemon"] for line in failed} <= {leaving.name, None}, "a session that it refused has no name"
    late = {line["daemon"] for line in sessions if line["opened"] > visible}
    assert late == {impalad.name for impalad in impalads[1:]}
