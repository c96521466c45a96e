"""Listening sockets with one thread a connection, and TLS on them when asked for."""

from __future__ import annotations

import socket
import ssl
import threading
from typing import Callable, Optional

Serve = Callable[[socket.socket], None]


class Listener:
    """A port. `serve` gets each connection in a thread of its own, after the TLS handshake."""

    def __init__(self, bind: str, port: int, serve: Serve, tls: Optional[ssl.SSLContext] = None) -> None:
        self._serve = serve
        self._tls = tls
        self._open: dict[int, str] = {}
        self._socket = socket.create_server((bind, port), backlog=256)
        self.port = self._socket.getsockname()[1]

    def start(self) -> None:
        threading.Thread(target=self._accept, name=f"port {self.port}", daemon=True).start()

    @property
    def peers(self) -> list[str]:
        """The open connections, by the address that they come from."""
        return list(self._open.values())

    def _accept(self) -> None:
        while True:
            conn, peer = self._socket.accept()
            threading.Thread(target=self._connection, args=(conn, f"{peer[0]}:{peer[1]}"), daemon=True).start()

    def _connection(self, conn: socket.socket, peer: str) -> None:
        key = id(conn)
        self._open[key] = peer
        try:
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                conn = self._tls.wrap_socket(conn, server_side=True)
            self._serve(conn)
            _say_goodbye(conn)
        except OSError:
            pass  # a peer that left, or one that does not speak TLS: both are daily life for a server
        finally:
            conn.close()
            del self._open[key]


def tls_context(cert: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def _say_goodbye(conn: socket.socket) -> None:
    """Sends TLS's close_notify, as impalad does, but waits only briefly for the other's."""
    if isinstance(conn, ssl.SSLSocket):
        conn.settimeout(0.1)
        conn.unwrap()
