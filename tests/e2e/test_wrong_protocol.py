"""A client and a port that do not speak the same: refused at once, and explained in the log."""

import socket

import pytest

from lab.front import ADDRESS, PORTS

# Well below every timeout that could otherwise end the connection (10 s for a handshake), in milliseconds.
AT_ONCE = 5_000


@pytest.mark.parametrize("kind", PORTS)
@pytest.mark.parametrize("mode", ["offload", "re-encrypt"])
def test_plaintext_client_to_a_tls_virtual_server(front, mode, kind):
    mark = front.pronk.mark()
    # One try is enough: over HTTP impala-shell makes four, with pauses.
    ran = front.shell(mode, kind, "show tables", "--connect_max_tries=1", tls=False)
    assert ran.code != 0
    closed = front.pronk.closed(mark, f"{mode}-{kind}")
    assert closed["close.who"] == "client", closed
    assert diagnosed(front, mark, "without TLS")
    assert closed["ms_total"] < AT_ONCE, closed


def test_plaintext_bytes_are_answered_by_a_close(front):
    with socket.create_connection((ADDRESS, front.ports["offload", "hs2"]), timeout=AT_ONCE / 1000) as client:
        client.sendall(bytes.fromhex("80010001") + b"\0\0\0\x07GetInfo")
        try:
            left = client.recv(1)
        except ConnectionResetError:
            left = b""
    # A TLS alert is an answer, too; whoever gets it did not ask in TLS and sees garbage, then the end.
    assert left in (b"", b"\x15")


def test_tls_client_to_a_virtual_server_that_expects_plaintext(fronts, tls_cluster):
    front = fronts(tls=tls_cluster, modes=["server-ssl-only"])
    mark = front.pronk.mark()
    ran = front.shell("server-ssl-only", "hs2", "show tables", "-t", "20000")
    assert ran.code != 0
    closed = front.pronk.closed(mark, "server-ssl-only-hs2")
    assert closed["close.who"] == "client", closed
    assert diagnosed(front, mark, "TLS")
    assert closed["ms_total"] < AT_ONCE, closed
    # The client that speaks plaintext there is served.
    assert front.shell("server-ssl-only", "hs2", "show tables", tls=False).code == 0


def test_re_encrypt_to_impalads_without_tls(fronts, plain_cluster):
    # Such an impalad takes a ClientHello for the length of a message and waits for the rest.
    front = fronts(tls=plain_cluster, modes=["re-encrypt"], server_ssl={"handshake_timeout": "2s"})
    assert_member_is_blamed(front, "re-encrypt")


def test_offload_to_impalads_with_tls(fronts, tls_cluster):
    front = fronts(plain=tls_cluster, modes=["offload"])
    assert_member_is_blamed(front, "offload")


def diagnosed(front, mark, words):
    """Whether the log says what the client spoke, in the close record or in one of its own."""
    return any(words in str(record) for record in front.pronk.records(mark))


def assert_member_is_blamed(front, mode):
    mark = front.pronk.mark()
    ran = front.shell(mode, "hs2", "show tables", "-t", "30000")
    assert ran.code != 0
    closed = front.pronk.closed(mark, f"{mode}-hs2")
    assert closed["close.who"] == "member", closed
    assert "node" in str(closed.get("member")), closed
