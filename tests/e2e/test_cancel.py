"""Ctrl-C in impala-shell: it comes on a second connection, which must reach the coordinator that runs the query."""

import time

import pytest

from lab.processes import PATIENCE

CASES = [(mode, kind) for mode in ("passthrough", "re-encrypt") for kind in ("hs2", "beeswax")]


def running(impalads):
    """The impalads that execute a query, by name."""
    return [impalad.name for impalad in impalads if impalad.metric("impala-server.backend-num-queries-executing")]


def wait_until_running(impalads, wanted):
    deadline = time.monotonic() + PATIENCE
    while running(impalads) != wanted:
        assert time.monotonic() < deadline, f"queries run on {running(impalads)}, not on {wanted}"


@pytest.fixture
def shell(fronts, tls_cluster, folder, request):
    mode, kind, keys = request.param
    front = fronts(tls=tls_cluster, modes=[mode], virtual_server=keys)
    shell = front.interactive(mode, kind, folder)
    yield shell
    shell.close()


@pytest.mark.parametrize("shell", [(*case, {"cancel_affinity": True}) for case in CASES], indirect=True)
def test_ctrl_c_cancels_with_three_coordinators(shell, tls_cluster):
    name = shell.served_by()
    shell.type("select sleep(3600000);")
    shell.wait_for("Query state can be monitored at")
    wait_until_running(tls_cluster, [name])
    shell.interrupt()
    # Not after the whole query, which takes an hour.
    printed = shell.rest()
    assert "Cancel" in printed, printed
    wait_until_running(tls_cluster, [])
    # The session goes on.
    assert shell.served_by() == name


@pytest.mark.parametrize("shell", [("re-encrypt", "hs2", {})], indirect=True)
def test_without_affinity_the_cancel_goes_to_a_coordinator_that_knows_nothing_of_the_query(shell, tls_cluster):
    name = shell.served_by()
    shell.type("select sleep(3600000);")
    shell.wait_for("Query state can be monitored at")
    wait_until_running(tls_cluster, [name])
    shell.interrupt()
    # The others have fewer connections.
    shell.wait_for("Invalid or unknown query handle|Cancelling Query|Failed to reconnect and close")
    assert running(tls_cluster) == [name], "the query runs on"
