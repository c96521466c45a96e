"""pronk before a cluster, with a virtual server for every TLS mode and every protocol."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Optional

from . import clients
from .certificates import Pair
from .config import Config
from .interactive import Shell
from .names import hosts_file
from .processes import PATIENCE, VENV, Impalad, Pronk, free_port

HOST = "lb.example.test"
ADDRESS = "127.0.57.1"
# The protocols, by impala-shell's names.
PROTOCOLS = {"beeswax": "beeswax", "hs2": "hs2", "http": "hs2-http"}
PORTS = tuple(PROTOCOLS)
MODES = ("passthrough", "offload", "re-encrypt")
# Connects, runs each statement, and prints the rows as JSON.
_IMPYLA = """
import json, sys
from impala.dbapi import connect
host, port, ca, *statements = sys.argv[1:]
cursor = connect(host, int(port), use_ssl=True, ca_cert=ca, timeout=60).cursor()
for statement in statements:
    cursor.execute(statement)
    print(json.dumps(cursor.fetchall()))
"""


class Front:
    """Virtual servers named `MODE-KIND` on one address, whose host name only our clients know.

    `tls` and `plain` are the same cluster with and without TLS on its ports; a mode whose impalads are not given is
    left out. `pool`, `server_ssl`, `virtual_server` and `protocol` are further keys for all pools, for that profile,
    for all virtual servers, and for their protocol profile; `monitor` has keys of impala monitors, which then watch all
    pools; `monitors` are further ones by name.
    """

    def __init__(
        self,
        folder: Path,
        binary: Path,
        ca: Path,
        certificate: Pair,
        tls: Sequence[Impalad] = (),
        plain: Sequence[Impalad] = (),
        modes: Sequence[str] = MODES,
        pool: Optional[Mapping[str, object]] = None,
        server_ssl: Optional[Mapping[str, object]] = None,
        virtual_server: Optional[Mapping[str, object]] = None,
        protocol: Optional[Mapping[str, object]] = None,
        monitor: Optional[Mapping[str, object]] = None,
        monitors: Optional[Mapping[str, Mapping[str, object]]] = None,
    ) -> None:
        self._monitor = monitor
        folder.mkdir(parents=True, exist_ok=True)
        self.ca = ca
        self.hosts = hosts_file(folder / "hosts", {HOST: ADDRESS})
        self.config = Config()
        self.config.client_ssl(certificate)
        self.config.server_ssl(ca, **(server_ssl or {}))
        self.ports: dict[tuple[str, str], int] = {}
        self.config_file = folder / "pronk.yaml"
        if protocol:
            self.config.protocol("front-end", **protocol)
            virtual_server = {"protocol": "front-end", **(virtual_server or {})}
        for name, keys in (monitors or {}).items():
            self.config.monitor(name, **keys)
        for impalad in (*tls, *plain):
            self.config.node(impalad, f"{impalad.name.split('-')[0]}.example.test")
        for mode in modes:
            members = plain if mode == "offload" else tls
            if members:
                self._add_mode(mode, members, pool or {}, virtual_server or {})
        self.pronk = Pronk(binary, self.write(), folder / "pronk.log").wait_ready()

    def _add_mode(
        self, mode: str, members: Sequence[Impalad], pool: Mapping[str, object], virtual_server: Mapping[str, object],
    ) -> None:
        for kind in PORTS:
            name = f"{mode}-{kind}"
            port = self.ports[mode, kind] = free_port()
            # A client's HTTP requests come on several connections and belong to one session.
            needs_it = kind == "http" and "cancel_affinity" not in virtual_server
            sticky = {"persistence": "source_addr"} if needs_it else {}
            keys = {**sticky, **virtual_server}
            if self._monitor is not None:
                self.config.monitor(f"watch-{name}", type="impala", protocol=PROTOCOLS[kind], **self._monitor)
                pool = {**pool, "monitors": [f"watch-{name}"]}
            self.config.pool(f"pool-{name}", members, kind, **pool)
            self.config.virtual_server(name, ADDRESS, port, f"pool-{name}", mode, HOST, **keys)

    def write(self) -> Path:
        return self.config.write(self.config_file)

    def shell_command(self, mode: str, kind: str, *options: object, tls: bool = True) -> list[object]:
        secure = ("--ssl", f"--ca_cert={self.ca}") if tls else ()
        return clients.shell_command(PROTOCOLS[kind], HOST, self.ports[mode, kind], *secure, *options)

    def shell(
        self, mode: str, kind: str, sql: str, *options: object, tls: bool = True,
        env: Optional[Mapping[str, str]] = None, timeout: float = 2 * PATIENCE,
    ) -> clients.Ran:
        """Runs statements in impala-shell."""
        command = self.shell_command(mode, kind, "-q", sql, *options, tls=tls)
        return clients.run(self.hosts, command, env, timeout)

    def impyla(self, mode: str, *statements: str) -> clients.Ran:
        """Runs statements with impyla; prints each one's rows as a line of JSON."""
        command = [VENV / "python", "-c", _IMPYLA, HOST, self.ports[mode, "hs2"], self.ca, *statements]
        return clients.run(self.hosts, command)

    def interactive(self, mode: str, kind: str, home: Path) -> Shell:
        """impala-shell as a person has it, at a terminal."""
        return Shell(self.hosts, self.shell_command(mode, kind), home)

    def statuses(self, mode: str, kind: str) -> dict[str, dict[str, str]]:
        """What the network map says of the members of a virtual server, by the impalads' names."""
        servers = json.loads(self.pronk.command("show", "map", "--json"))["virtual_servers"]
        (members,) = [each["pool"]["members"] for each in servers if each["name"] == f"{mode}-{kind}"]
        return {member["name"].rpartition(":")[0]: member["status"] for member in members}

    def wait_for_status(self, mode: str, kind: str, name: str, availability: str, reason: str = "") -> dict[str, str]:
        """Waits until the network map says this of a member; `reason` is a part of the reason."""
        deadline = time.monotonic() + PATIENCE
        while True:
            status = self.statuses(mode, kind)[name]
            if status["availability"] == availability and reason in status["reason"]:
                return status
            assert time.monotonic() < deadline, (
                f"{name} is never {availability} ({reason}): {status}\n{self.pronk.log.read_text()[-3000:]}")
            time.sleep(0.02)

    def stop(self) -> int:
        return self.pronk.stop()
