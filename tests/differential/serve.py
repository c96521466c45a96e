"""A TLS server that shows the chain that a client asks for.

    serve.py FOLDER

Prints its port on 127.0.0.1. A client sends the number of a case and a line feed before TLS begins. The server takes
every key and signature, so that it is the client alone that refuses.
"""

from __future__ import annotations

import functools
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

FOLDER = Path(sys.argv[1])
AT_ONCE = 16


@functools.lru_cache(maxsize=64)
def context(case: int) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers("ALL:@SECLEVEL=0")
    made.load_dh_params(FOLDER / "dh.pem")
    made.num_tickets = 0
    made.load_cert_chain(FOLDER / f"{case}.chain.pem", FOLDER / f"{case}.key.pem")
    return made


def number(connection: socket.socket) -> int:
    digits = b""
    while (byte := connection.recv(1)) not in (b"\n", b""):
        digits += byte
    return int(digits)


def serve(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        try:
            connection.settimeout(10)
            case = number(connection)
            with context(case).wrap_socket(connection, server_side=True) as tls:
                # A client of TLS 1.3 judges after the server has done its part.
                tls.send(b"+")
                tls.recv(1)
        except (OSError, ValueError):
            connection.close()


def main() -> None:
    parameters = ["openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048"]
    (FOLDER / "dh.pem").write_bytes(subprocess.run(parameters, capture_output=True, check=True).stdout)
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(listener.getsockname()[1], flush=True)
    for _ in range(AT_ONCE):
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
    sys.stdin.read()


main()
