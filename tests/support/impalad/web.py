"""The debug web server (port 25000), as far as a load balancer's monitors read it."""

from __future__ import annotations

import base64
import json
import socket
import urllib.request
from http.server import BaseHTTPRequestHandler
from typing import Any, Optional, Sequence
from urllib.parse import parse_qs, urlsplit

from engine import Engine
from listener import Listener


class WebServer:
    """Answers from the engine's and the listeners' present state."""

    def __init__(self, engine: Engine, frontends: dict[str, Listener], login: Optional[str] = None,
                 peers: Sequence[str] = ()) -> None:
        self.engine = engine
        self.peers = peers
        self.frontends = frontends
        # What a request must carry, as with impalad's --webserver_password_file.
        self.authorization = f"Basic {base64.b64encode(login.encode()).decode()}" if login else None

    def serve(self, conn: socket.socket) -> None:
        _Request(conn, ("", 0), self)

    def page(self, path: str) -> Any:
        """The JSON page at `path`; None when there is none."""
        if path == "/":
            return {"version": self.engine.version, **self._role(), "shutdown_status": self._shutdown_status()}
        if path == "/backends":
            own = self._row(self.engine.name, self.engine.web_url, self._role())
            return {"backends": [own, *filter(None, map(self._peer, self.peers))]}
        if path == "/sessions":
            peers = [peer for listener in self.frontends.values() for peer in listener.peers]
            return {"connections": [{"network_address": peer} for peer in peers]}
        if path == "/forget":
            for listener in self.frontends.values():
                listener.forget()
            return {}
        if path == "/finish":
            self.engine.finish()
            return {}
        if path == "/jsonmetrics":
            return self._metrics()
        return None

    def _row(self, address: str, url: Optional[str], role: dict[str, bool]) -> dict[str, Any]:
        return {"address": address, "webserver_url": url, **role, "is_active": True, "is_blacklisted": False,
                "admission_slots": 8, "admission_slots_in_use": self.engine.counts()[1], "num_admitted": 0}

    def _peer(self, url: str) -> Optional[dict[str, Any]]:
        """A peer's row by its own word; the statestore drops those that are gone."""
        try:
            with urllib.request.urlopen(f"{url}/?json", timeout=10) as page:
                told = json.load(page)
        except OSError:
            return None
        role = {key: told[key] for key in ("is_coordinator", "is_executor", "is_quiescing")}
        return self._row(urlsplit(url).netloc, url, role)

    def _role(self) -> dict[str, bool]:
        return {"is_coordinator": self.engine.is_coordinator, "is_executor": True, "is_quiescing": self.engine.quiescing}

    def _shutdown_status(self) -> str:
        return "shutdown grace period left: 2m, deadline left: 1h" if self.engine.quiescing else ""

    def _metrics(self) -> dict[str, Any]:
        sessions, operations, executing = self.engine.counts()
        metrics: dict[str, Any] = {
            "impala-server.ready": True,
            "catalog.ready": True,
            "impala-server.num-open-hiveserver2-sessions": sessions,
            "impala-server.num-queries-registered": operations,
            "impala-server.backend-num-queries-executing": executing,
            "memory.rss": 1 << 30,
            "mem-tracker.process.limit": 4 << 30,
            "admission-controller.local-num-queued.default-pool": 0,
        }
        for name, listener in self.frontends.items():
            prefix = f"impala.thrift-server.{name}-frontend"
            metrics[f"{prefix}.connections-in-use"] = len(listener.peers)
            metrics[f"{prefix}.connection-setup-queue-size"] = listener.waiting
            metrics[f"{prefix}.timedout-cnxn-requests"] = 0
            # Impala has no such count; tests tell by it whether a daemon was connected to at all.
            metrics[f"{prefix}.connections-accepted"] = listener.accepted
            # Nor this one: the most connections that were being set up at once since /forget.
            metrics[f"{prefix}.most-setups"] = listener.most_setups
        return metrics


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: WebServer

    def do_GET(self) -> None:
        wanted = self.server.authorization
        if wanted and self.headers.get("Authorization") != wanted:
            self._answer(401, "who are you?", "text/plain")
            return
        url = urlsplit(self.path)
        if url.path == "/healthz":
            self._answer(200, "OK", "text/plain")
            return
        page = self.server.page(url.path)
        if page is None:
            self._answer(404, "no such page", "text/plain")
            return
        wanted = parse_qs(url.query).get("metric")
        if wanted:
            page = {name: value for name, value in page.items() if name in wanted}
        self._answer(200, json.dumps(page), "application/json")

    def _answer(self, code: int, body: str, kind: str) -> None:
        data = body.encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_request(self, code="-", size="-") -> None:
        """Quiet: monitors ask every few seconds."""
