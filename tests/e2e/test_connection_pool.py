"""An application's pool of idle sessions whose coordinator is restarted: its places are free at once."""

import json
import time

import pytest
from impala.dbapi import connect

from lab.front import ADDRESS, MODES
from lab.processes import PATIENCE

SESSIONS = 30


@pytest.mark.parametrize("mode", MODES)
def test_idle_sessions_of_a_restarted_coordinator_hold_no_place(mode, fronts, clusters):
    start = clusters.plain if mode == "offload" else clusters.tls
    (coordinator,) = start(1)
    key = "plain" if mode == "offload" else "tls"
    front = fronts(**{key: [coordinator]}, modes=[mode], pool={"member": {"connection_limit": SESSIONS}})

    def session():
        connection = connect(ADDRESS, front.ports[mode, "hs2"], use_ssl=True, timeout=PATIENCE)
        cursor = connection.cursor()
        cursor.execute("select version()")
        cursor.fetchall()
        return connection

    pool = [session() for _ in range(SESSIONS)]
    assert at_coordinator(front) == SESSIONS
    with pytest.raises(Exception, match="."):
        session()

    coordinator.kill()
    killed = time.monotonic()
    while at_coordinator(front) > 0:
        assert time.monotonic() < killed + PATIENCE, f"{at_coordinator(front)} places are taken"
    print(f"{mode}: all places were free after {time.monotonic() - killed:.2f} s")
    # The pool does not look at its connections until it uses them.
    start(1, ports=coordinator.ports)
    front.wait_for_status(mode, "hs2", coordinator.name, "available")
    newcomers = [session() for _ in range(SESSIONS)]
    assert at_coordinator(front) == SESSIONS
    for connection in [*newcomers, *pool]:
        try:
            connection.close()
        except Exception:
            # Those of the pool are broken, as they would be without pronk.
            assert connection in pool


def at_coordinator(front):
    """How many connections the coordinator has for HiveServer2, as pronk counts them."""
    stats = json.loads(front.pronk.command("show", "stats", "--json"))
    (pool,) = [pool for pool in stats["pools"] if pool["name"].endswith("hs2")]
    (member,) = pool["members"]
    return member["connections"]["current"]
