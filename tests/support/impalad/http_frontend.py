"""hs2-http (port 28000): HiveServer2 messages in the bodies of `POST /cliservice`."""

from __future__ import annotations

import base64
import binascii
import secrets
import socket
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler
from typing import Optional

from engine import Engine
from hs2 import Hs2Service
from sasl_server import acceptor, plain_user
from thrift.protocol.TBinaryProtocol import TBinaryProtocolAcceleratedFactory
from thrift.transport.TTransport import TMemoryBuffer

_COOKIE = "impala.auth"


class HttpFrontend:
    """What all hs2-http connections of a daemon share."""

    def __init__(self, engine: Engine, auth: str, password: Optional[str]) -> None:
        self.engine = engine
        self.auth = auth
        self.password = password
        # Users by cookie. Another daemon does not know these: Impala signs them with a secret of the process.
        self.cookies: dict[str, str] = {}
        self.protocols = TBinaryProtocolAcceleratedFactory()

    def serve(self, conn: socket.socket) -> None:
        _Request(conn, ("", 0), self)


class _Request(BaseHTTPRequestHandler):
    """A connection, with as many requests as the client makes on it."""

    protocol_version = "HTTP/1.1"
    server: HttpFrontend

    def do_POST(self) -> None:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.split("?")[0].rstrip("/") not in ("/cliservice", ""):
            self._answer(404)
            return
        known = SimpleCookie(self.headers.get("Cookie", "")).get(_COOKIE)
        user = self.server.cookies.get(known.value) if known else None
        headers = {}
        if user is None:
            user, headers = self._authenticate()
            if user is None:
                self._answer(401, headers)
                return
        reply = TMemoryBuffer()
        protocols = self.server.protocols
        service = Hs2Service(self.server.engine, user)
        service.processor().process(protocols.getProtocol(TMemoryBuffer(body)), protocols.getProtocol(reply))
        self._answer(200, {"Content-Type": "application/x-thrift", **headers}, reply.getvalue())

    def do_OPTIONS(self) -> None:
        self._answer(200, {"Allow": "POST, OPTIONS"})

    def do_GET(self) -> None:
        # Impala drops a GET without an answer, and so do we.
        self.close_connection = True

    def _authenticate(self) -> tuple[Optional[str], dict[str, str]]:
        """The user and headers to answer with; no user means the request is refused."""
        auth = self.server.auth
        if auth == "none":
            return "", {}
        scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
        try:
            token = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            token = b""
        if auth == "ldap":
            user = plain_user(b"\0" + token.replace(b":", b"\0", 1), self.server.password)
            return self._welcome(user, {}) if scheme == "Basic" and user else (None, {"WWW-Authenticate": "Basic"})
        if scheme == "Negotiate" and token:
            return self._negotiate(token)
        return None, {"WWW-Authenticate": "Negotiate"}

    def _negotiate(self, token: bytes) -> tuple[Optional[str], dict[str, str]]:
        import gssapi

        try:
            context = acceptor()
            answer = context.step(token)
        except gssapi.exceptions.GSSError as error:
            self.log_error("%s", error)
            return None, {"WWW-Authenticate": "Negotiate"}
        headers = {"WWW-Authenticate": "Negotiate " + base64.b64encode(answer or b"").decode()}
        return self._welcome(str(context.initiator_name), headers)

    def _welcome(self, user: str, headers: dict[str, str]) -> tuple[str, dict[str, str]]:
        cookie = secrets.token_urlsafe(16)
        self.server.cookies[cookie] = user
        return user, {**headers, "Set-Cookie": f"{_COOKIE}={cookie};HttpOnly;Max-Age=86400"}

    def _answer(self, code: int, headers: Optional[dict[str, str]] = None, body: bytes = b"") -> None:
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code="-", size="-") -> None:
        """Quiet: a line a request would drown what matters."""
