"""A coordinator that is killed under two hundred clients."""

import time

import pytest

from lab.front import HOST
from lab.probes import Probe, all_next
from lab.processes import PATIENCE

PROCESSES, SESSIONS = 4, 50
MOST_SETUPS = "impala.thrift-server.hiveserver2-frontend.most-setups"


@pytest.mark.parametrize("setup_limit", [2, 0])
def test_only_its_own_connections_break_and_nobody_storms_the_others(fronts, clusters, setup_limit):
    # Each of the two setup threads takes 100 ms for a connection, as with a directory server behind it.
    impalads = clusters.plain(3, options=["--setup-seconds", "0.1"])
    front = fronts(
        plain=impalads, modes=["offload"],
        pool={"service_down_action": "reset", "setup_limit": setup_limit, "monitors": ["calm"]},
        monitors={"calm": {"type": "tcp", "interval": "1h", "timeout": "4h"}})
    for impalad in impalads:
        front.wait_for_status("offload", "hs2", impalad.name, "available")
    place = (HOST, front.ports["offload", "hs2"])
    probes = [Probe(front.hosts, "crowd", *place, front.ca, SESSIONS) for _ in range(PROCESSES)]
    try:
        opened = all_next(probes, SESSIONS)
        per_daemon = [sum(line["daemon"] == impalad.name for line in opened) for impalad in impalads]
        assert sum(per_daemon) == PROCESSES * SESSIONS and min(per_daemon) >= 60, per_daemon

        killed, *others = impalads
        for impalad in others:
            impalad.forget()
        before = time.monotonic()
        killed.kill()
        deadline, broken, again = time.monotonic() + 2 * PATIENCE, [], []
        while len(again) < per_daemon[0]:
            assert time.monotonic() < deadline, (len(broken), len(again), per_daemon)
            for probe in probes:
                for line in probe.ready():
                    (broken if line["event"] == "broken" else again).append(line)

        assert len(broken) == per_daemon[0], "only its own"
        assert {line["daemon"] for line in broken} == {killed.name}
        # At once for a busy machine; the monitor would look again in an hour.
        late = [line["when"] - before for line in broken if line["when"] - before > 20]
        assert not late, late
        assert {line["how"] for line in broken} == {"ECONNRESET"}
        assert {line["daemon"] for line in again} == {impalad.name for impalad in others}
        assert {line["tries"] for line in again} == {1}, "whoever comes back is served at once, or after a wait"

        most = [impalad.metric(MOST_SETUPS) for impalad in others]
        if setup_limit:
            # One more may be a monitor's.
            assert max(most) <= setup_limit + 1, most
        else:
            assert max(most) > 10, f"nobody is in a hurry, so this shows nothing: {most}"

        for probe in probes:
            probe.tell()
        alive = all_next(probes, SESSIONS)
        assert len(alive) == PROCESSES * SESSIONS and {line["event"] for line in alive} == {"alive"}
        assert all(line["answering"] == line["daemon"] != killed.name for line in alive), "each on its own session"
    finally:
        for probe in probes:
            probe.stop()
