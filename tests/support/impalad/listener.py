"""Listening sockets with one thread a connection, TLS on them when asked for, and a limit as impalad has it."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from typing import Callable, Optional

Serve = Callable[[socket.socket], None]
# impalad's --accepted_cnxn_setup_thread_pool_size.
_SETUP_THREADS = 2


class Listener:
    """A port. `serve` gets each connection in a thread of its own, after the TLS handshake.

    With `threads` (impalad's --fe_service_threads), connections beyond so many are taken and hear nothing until
    another one ends. With `setup_seconds`, two threads set connections up, as impalad's do, and take so long for each.
    """

    def __init__(
        self, bind: str, port: int, serve: Serve, tls: Optional[ssl.SSLContext] = None, threads: Optional[int] = None,
        setup_seconds: float = 0.0,
    ) -> None:
        self._serve = serve
        self._tls = tls
        self._threads = threading.Semaphore(threads) if threads else None
        self._setup_seconds = setup_seconds
        self._setup_threads = threading.Semaphore(_SETUP_THREADS)
        # Connections that are being set up or wait for that, and the most there were at once.
        self._counting = threading.Lock()
        self._setups = 0
        self._most_setups = 0
        self._waiting: set[int] = set()
        self._open: dict[int, str] = {}
        # Every connection there ever was.
        self.accepted = 0
        self._socket = socket.create_server((bind, port), backlog=256)
        self.port = self._socket.getsockname()[1]

    def close(self) -> None:
        """From here on connections are refused."""
        self._socket.close()

    def start(self) -> None:
        threading.Thread(target=self._accept, name=f"port {self.port}", daemon=True).start()

    @property
    def peers(self) -> list[str]:
        """The open connections, by the address that they come from."""
        return list(self._open.values())

    @property
    def waiting(self) -> int:
        """The connections that no thread serves or sets up yet."""
        return len(self._waiting) + max(0, self._setups - _SETUP_THREADS)

    @property
    def most_setups(self) -> int:
        """The most connections that were taken and not yet set up at once, since `forget`."""
        return self._most_setups

    def forget(self) -> None:
        with self._counting:
            self._most_setups = self._setups

    def _accept(self) -> None:
        while True:
            conn, peer = self._socket.accept()
            self.accepted += 1
            if self._setup_seconds:
                self._count_setup(1)
            threading.Thread(target=self._connection, args=(conn, f"{peer[0]}:{peer[1]}"), daemon=True).start()

    def _connection(self, conn: socket.socket, peer: str) -> None:
        key = id(conn)
        if self._threads:
            self._waiting.add(key)
            self._threads.acquire()
            self._waiting.discard(key)
        self._open[key] = peer
        if self._setup_seconds:
            self._set_up()
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
            if self._threads:
                self._threads.release()

    def _set_up(self) -> None:
        with self._setup_threads:
            time.sleep(self._setup_seconds)
        self._count_setup(-1)

    def _count_setup(self, change: int) -> None:
        with self._counting:
            self._setups += change
            self._most_setups = max(self._most_setups, self._setups)


def tls_context(cert: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def _say_goodbye(conn: socket.socket) -> None:
    """Sends TLS's close_notify, as impalad does, but waits only briefly for the other's."""
    if isinstance(conn, ssl.SSLSocket):
        conn.settimeout(0.1)
        conn.unwrap()
