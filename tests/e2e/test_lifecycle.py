"""Sessions outlive what happens to pronk: a reload, and an orderly end."""

import os
import signal
import socket
import subprocess
import threading
import time

from lab.front import ADDRESS, HOST
from lab.processes import PATIENCE, free_port


def test_check_accepts_what_run_serves(front):
    done = subprocess.run(
        [str(front.pronk.binary), "check", str(front.write())], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr


def test_check_refuses_ssl_profiles_on_performance_l4(fronts, plain_cluster, folder):
    front = fronts(plain=plain_cluster)
    front.config.virtual_server(
        "vs-fast", ADDRESS, 21099, "pool-offload-hs2", "offload", HOST, type="performance-l4")
    file = front.config.write(folder / "refused.yaml")
    done = subprocess.run(
        [str(front.pronk.binary), "check", str(file)], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode != 0
    printed = done.stdout + done.stderr
    assert "vs-fast" in printed and "performance-l4" in printed and "client-ssl" in printed


def test_reload_adds_a_virtual_server_and_keeps_sessions(fronts, plain_cluster, folder):
    front = fronts(plain=plain_cluster, modes=["offload"])
    shell = front.interactive("offload", "hs2", folder)
    try:
        served_by = shell.served_by()
        port = front.ports["offload", "hs2"] = free_port()
        front.config.virtual_server("vs-new", ADDRESS, port, "pool-offload-hs2", "offload", HOST)
        front.write()
        os.kill(front.pronk.pid, signal.SIGHUP)
        wait_until_listening(port)
        assert front.shell("offload", "hs2", "show tables").code == 0
        printed = shell.run("select version();")
        assert served_by in printed and "Connection lost" not in printed
    finally:
        shell.close()


def test_stop_lets_a_query_finish(fronts, plain_cluster):
    front = fronts(plain=plain_cluster, modes=["offload"])
    ran = []
    before = under_way(plain_cluster)
    client = threading.Thread(
        target=lambda: ran.append(front.shell("offload", "hs2", "select sleep(3600000); select version()")))
    client.start()
    deadline = time.monotonic() + PATIENCE
    while under_way(plain_cluster) <= before:
        assert time.monotonic() < deadline, "no query came"
        time.sleep(0.02)
    front.pronk.terminate()
    front.pronk.wait_for(lambda record: record.get("message") == "draining", "the line 'draining'")
    for impalad in plain_cluster:
        impalad.finish()
    client.join(PATIENCE)
    assert front.pronk.ended() == 0
    assert ran and ran[0].code == 0, ran
    assert "SIMULATED" in ran[0].out


def wait_until_listening(port):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection((ADDRESS, port), timeout=1).close()
            return
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, f"port {port} is not served after the reload"
            time.sleep(0.02)


def under_way(impalads):
    """How many queries they execute; the statements by which a shell begins are finished at once."""
    return sum(impalad.metric("impala-server.backend-num-queries-executing") for impalad in impalads)
