#!/usr/bin/env python3
"""A simulated impalad: test support, not product.

It speaks Impala's client protocols for real (Beeswax, HiveServer2 binary and over HTTP, TLS, SASL),
so that impala-shell, impyla and JDBC can be run against it, but it knows a handful of statements only:
SHOW TABLES, SELECT 1, SELECT VERSION() (which names the daemon), SELECT USER(), SELECT SLEEP(ms),
SELECT ROWS(n, bytes) and :SHUTDOWN().

Prints one line of JSON with its ports when all of them listen.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import threading
from typing import Callable, Optional

from beeswax_service import BeeswaxService
from engine import Engine
from hs2 import Hs2Service
from http_frontend import HttpFrontend
from listener import Listener, tls_context
from sasl_server import SaslRefused, negotiate
from thrift.protocol.TBinaryProtocol import TBinaryProtocolAcceleratedFactory
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TBufferedTransport, TFramedTransport, TTransportException
from web import WebServer


class BinaryFrontend:
    """A port with Thrift's binary protocol: SASL first unless `auth` is `none`, then one service."""

    def __init__(self, service: Callable, engine: Engine, auth: str, password: Optional[str]) -> None:
        self._service = service
        self._engine = engine
        self._auth = auth
        self._password = password
        self._protocols = TBinaryProtocolAcceleratedFactory()

    def serve(self, conn: socket.socket) -> None:
        user = ""
        if self._auth != "none":
            try:
                user = negotiate(conn, self._auth, self._password)
            except SaslRefused as refused:
                print(f"SASL: {refused}", file=sys.stderr, flush=True)
                return
        raw = TSocket()
        raw.setHandle(conn)
        # After SASL every message has a length before it; without SASL they follow one another.
        transport = TBufferedTransport(raw, 65536) if self._auth == "none" else TFramedTransport(raw)
        protocol = self._protocols.getProtocol(transport)
        service = self._service(self._engine, user)
        processor = service.processor()
        try:
            while True:
                processor.process(protocol, protocol)
        except TTransportException as ended:
            if ended.type != TTransportException.END_OF_FILE:
                raise OSError(str(ended)) from ended
        finally:
            service.connection_lost()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--name", default=socket.gethostname(), help="shown by SELECT VERSION()")
    parser.add_argument("--bind", default="127.0.0.1", metavar="ADDRESS")
    for port, default in (("beeswax", 21000), ("hs2", 21050), ("http", 28000), ("web", 25000)):
        parser.add_argument(f"--{port}-port", type=int, default=default, help="0 takes a free one (%(default)s)")
    parser.add_argument("--tls-cert", metavar="PEM", help="with --tls-key: TLS on the three client ports")
    parser.add_argument("--tls-key", metavar="PEM")
    parser.add_argument("--auth", choices=("none", "ldap", "kerberos"), default="none",
                        help="kerberos takes any key of the keytab that KRB5_KTNAME names")
    parser.add_argument("--ldap-password", metavar="WORD", help="the one that is right (default: any)")
    parser.add_argument("--service-threads", type=int, metavar="N",
                        help="connections that a client port serves at once (default: any number)")
    parser.add_argument("--setup-seconds", type=float, default=0.0, metavar="S",
                        help="what each of a client port's two setup threads takes for a connection (default: 0)")
    parser.add_argument("--peer", action="append", default=[], metavar="URL",
                        help="another daemon's web UI: /backends lists it for as long as it answers")
    parser.add_argument("--executor-only", action="store_true",
                        help="as with --is_coordinator=false: the client ports stay closed")
    parser.add_argument("--web-login", metavar="USER:WORD", help="what the web UI asks for (default: nothing)")
    parser.add_argument("--web-tls", action="store_true", help="the certificate serves the web UI as well")
    parser.add_argument("--stop-on-eof", action="store_true",
                        help="stop when standard input ends, so that no daemon outlives its parent")
    args = parser.parse_args()
    if bool(args.tls_cert) != bool(args.tls_key):
        parser.error("--tls-cert and --tls-key go together")
    return args


def main() -> None:
    args = arguments()
    engine = Engine(args.name, is_coordinator=not args.executor_only)
    tls = tls_context(args.tls_cert, args.tls_key) if args.tls_cert else None
    auth = (args.auth, args.ldap_password)
    # The names are those in Impala's metrics.
    services = {
        "beeswax": (args.beeswax_port, BinaryFrontend(BeeswaxService, engine, *auth)),
        "hiveserver2": (args.hs2_port, BinaryFrontend(Hs2Service, engine, *auth)),
        "hiveserver2-http": (args.http_port, HttpFrontend(engine, *auth)),
    }
    frontends = {
        name: Listener(args.bind, port, service.serve, tls, args.service_threads, args.setup_seconds)
        for name, (port, service) in services.items()
    }
    web_tls = tls if args.web_tls else None
    web = Listener(args.bind, args.web_port, WebServer(engine, frontends, args.web_login, args.peer).serve, web_tls)
    engine.web_url = f"{'https' if web_tls else 'http'}://{args.bind}:{web.port}"
    for listener in frontends.values():
        listener.close() if args.executor_only else listener.start()
    web.start()

    stopping = threading.Event()
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: stopping.set())
    # Impala's own signal for a graceful shutdown: keep serving, take nothing new.
    signal.signal(signal.SIGRTMIN, lambda *_: setattr(engine, "quiescing", True))
    if args.stop_on_eof:
        threading.Thread(target=lambda: (sys.stdin.buffer.read(), stopping.set()), daemon=True).start()

    print(json.dumps({
        "ready": True, "name": args.name, "bind": args.bind, "pid": os.getpid(),
        "beeswax": frontends["beeswax"].port, "hs2": frontends["hiveserver2"].port,
        "http": frontends["hiveserver2-http"].port, "web": web.port,
    }), flush=True)
    # The kernel may hand a signal to any thread, and Python runs its handler in this one only, once it wakes up.
    while not stopping.wait(0.05):
        pass
    # Threads are busy with clients that know nothing of this; a daemon's end cuts them off.
    os._exit(0)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"simulated_impalad: {error}")
