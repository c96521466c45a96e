"""Ctrl-C in impala-shell cancels on a second connection: it must reach the impalad that runs the query."""

import pytest


@pytest.mark.parametrize("mode", ["passthrough", "offload", "re-encrypt"])
def test_cancel_reaches_the_same_member(fronts, tls_cluster, plain_cluster, folder, mode):
    front = fronts(
        **({"plain": plain_cluster} if mode == "offload" else {"tls": tls_cluster}),
        modes=[mode], virtual_server={"persistence": "source_addr"},
    )
    shell = front.interactive(mode, "hs2", folder)
    try:
        shell.type("select sleep(3600000);")
        shell.wait_for("Query state can be monitored at")
        shell.interrupt()
        # A cancel that went elsewhere is lost silently, and no prompt comes before the hour is over.
        assert "Cancelling Query" in shell.rest()
        assert "sample_08" in shell.run("show tables;")
    finally:
        shell.close()
