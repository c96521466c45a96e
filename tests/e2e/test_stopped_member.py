"""A coordinator that hangs (SIGSTOP) under load: who waits for it, and when it is out."""

import os
import signal
import threading
import time

import pytest
from impala.dbapi import connect

from lab.front import ADDRESS, MODES
from lab.processes import PATIENCE

INTERVAL, TIMEOUT, CONNECT_TIMEOUT = 2.0, 8.0, 3.0
# What a busy machine takes for everything else.
SLACK = 5.0


@pytest.mark.parametrize("mode", MODES)
def test_new_sessions_wait_for_a_stopped_coordinator_once_at_most(fronts, clusters, mode):
    kind = "plain" if mode == "offload" else "tls"
    impalads = getattr(clusters, kind)(2)
    front = fronts(
        **{kind: impalads}, modes=[mode], pool={"slow_ramp_time": "0s"},
        monitor={"interval": f"{INTERVAL:.0f}s", "timeout": f"{TIMEOUT:.0f}s"},
        protocol={"connect_timeout": f"{CONNECT_TIMEOUT:.0f}s"})
    for impalad in impalads:
        front.wait_for_status(mode, "hs2", impalad.name, "available")
    stopped, survivor = impalads
    opened, failed, enough = [], [], threading.Event()

    def client():
        while not enough.is_set():
            begun = time.monotonic()
            try:
                connection = connect(ADDRESS, front.ports[mode, "hs2"], use_ssl=True, timeout=PATIENCE)
                cursor = connection.cursor()
                cursor.execute("select version()")
                opened.append((begun, time.monotonic() - begun))
                cursor.close()
                connection.close()
            except Exception as error:
                failed.append((begun, repr(error)))

    clients = [threading.Thread(target=client, daemon=True) for _ in range(4)]
    for thread in clients:
        thread.start()
    try:
        while len(opened) < 20:
            assert not failed, failed
        os.kill(stopped.pid, signal.SIGSTOP)
        at = time.monotonic()
        front.wait_for_status(mode, "hs2", stopped.name, "offline")
        out = time.monotonic() - at
    finally:
        os.kill(stopped.pid, signal.SIGCONT)
        enough.set()
        for thread in clients:
            thread.join(PATIENCE)
    # Sessions that it had at that moment hang with it.
    later = [took for begun, took in opened if begun > at]
    waited = [took for took in later if took > CONNECT_TIMEOUT]
    print(f"{mode}: {len(later)} sessions, the longest {max(later):.1f} s, {len(waited)} waited; it was out after {out:.1f} s")
    assert not [error for begun, error in failed if begun > at], failed
    assert max(later) < CONNECT_TIMEOUT + SLACK
    # Only those that were under way together.
    assert len(waited) <= len(clients)
    assert TIMEOUT - INTERVAL - SLACK < out < TIMEOUT + SLACK
