"""Daemons as child processes: started, waited for until they serve, and stopped."""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, Optional

REPOSITORY = Path(__file__).resolve().parents[3]
VENV = REPOSITORY / "target" / "e2e-venv" / "bin"
_IMPALAD = REPOSITORY / "tests" / "support" / "impalad" / "simulated_impalad.py"
# How long anything may take on a busy machine before a test gives up, in seconds.
PATIENCE = 60.0
# Sockets that hold ports; see `free_port`.
_HELD: list[socket.socket] = []


class NotServing(RuntimeError):
    """A daemon that ended, or stayed silent, instead of serving."""


def free_port() -> int:
    """A port that belongs to this process, on every IPv4 address, until the process ends.

    A socket that is bound and does not listen holds it. The kernel gives such a port to nobody who asks for any, be it
    to listen or for the near end of a connection, and lets our daemons bind it by number, as they set SO_REUSEADDR.
    """
    held = socket.socket()
    held.bind(("0.0.0.0", 0))
    # Not before it is bound, or two such sockets could share a port.
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _HELD.append(held)
    return held.getsockname()[1]


def port_or_free(address: str, port: int) -> int:
    """`port` when `address` has it free, else a free one. For people to recognize; tests take `free_port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            return free_port()
        return port or free_port()


class Impalad:
    """A simulated impalad. Port 0 in `ports` takes a free one; `ports` then has the real one."""

    def __init__(
        self,
        name: str,
        address: str,
        ports: Optional[Mapping[str, int]] = None,
        options: Sequence[object] = (),
        environment: Optional[Mapping[str, str]] = None,
        log: Optional[Path] = None,
        outlive_parent: bool = False,
    ) -> None:
        self.name = name
        self.address = address
        wanted = {"beeswax": 0, "hs2": 0, "http": 0, "web": 0, **(ports or {})}
        command = [VENV / "python", _IMPALAD, "--name", name, "--bind", address, *options]
        for kind, port in wanted.items():
            command += [f"--{kind}-port", port]
        if not outlive_parent:
            command.append("--stop-on-eof")
        errors = log.open("wb") if log else None
        self._process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL if outlive_parent else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **(environment or {})},
            # A Ctrl-C is for the parent, which then stops its daemons in order.
            start_new_session=True,
        )
        if errors:
            errors.close()
        # Filled in by `wait_ready`, so that several daemons can start at the same time.
        self.ports: dict[str, int] = {}

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_ready(self) -> Impalad:
        stdout = self._process.stdout
        ready, _, _ = select.select([stdout], [], [], PATIENCE)
        line = stdout.readline() if ready else b""
        if not line:
            self.kill()
            raise NotServing(f"the simulated impalad {self.name} did not start on {self.address}")
        message = json.loads(line)
        self.ports = {kind: message[kind] for kind in ("beeswax", "hs2", "http", "web")}
        return self

    def metric(self, name: str) -> Any:
        """A count of its web UI's."""
        return self._page("jsonmetrics")[name]

    def forget(self) -> None:
        """Begins to count the most connections in setup anew."""
        self._page("forget")

    def finish(self) -> None:
        """Has all queries that sleep finish now."""
        self._page("finish")

    def _page(self, page: str) -> Any:
        url = f"http://{self.address}:{self.ports['web']}/{page}?json"
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return json.load(answer)

    def kill(self) -> None:
        """As by a power cut: its clients get no goodbye."""
        self._process.kill()
        self._process.wait(timeout=PATIENCE)

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.kill()


class Pronk:
    """A running pronk. Its log is JSON, in a file; `records` reads it."""

    def __init__(self, binary: Path, config: Path, log: Path, options: Sequence[str] = ()) -> None:
        self.binary = binary
        self.admin_socket = config.parent / "admin.sock"
        self.log = log
        self._config = config
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [str(binary), "run", str(config), "--log-format", "json", "--admin-socket", str(self.admin_socket),
                 *options],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_ready(self) -> Pronk:
        self.wait_for(lambda record: record.get("message") == "serving", "the line 'serving'")
        return self

    def records(self, offset: int = 0) -> Iterator[dict[str, Any]]:
        """The log's records from byte `offset` on, flat: nested keys are joined with dots."""
        with self.log.open("rb") as lines:
            lines.seek(offset)
            for line in lines:
                if line.startswith(b"{") and line.endswith(b"\n"):
                    yield flat(json.loads(line))

    def mark(self) -> int:
        """Where the log ends now: records from here on are new."""
        return self.log.stat().st_size

    def wait_for(
        self, wanted: Callable[[dict[str, Any]], bool], what: str, offset: int = 0, seconds: float = PATIENCE
    ) -> dict[str, Any]:
        """The first record from `offset` on that is `wanted`."""
        deadline = time.monotonic() + seconds
        while True:
            ended = self._process.poll() is not None
            for record in self.records(offset):
                if wanted(record):
                    return record
            if ended or time.monotonic() > deadline:
                state = "has ended" if ended else "runs"
                raise NotServing(f"pronk {state} and did not log {what}:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.02)

    def closed(self, offset: int, virtual_server: str) -> dict[str, Any]:
        """The close record of the next connection of a virtual server."""

        def wanted(record: dict[str, Any]) -> bool:
            return record.get("message") == "connection closed" and record.get("virtual_server") == virtual_server

        return self.wait_for(wanted, f"a closed connection of {virtual_server}", offset)

    def command(self, *arguments: str) -> str:
        """Runs `pronk ARGUMENTS` against this one's admin socket; returns what it prints."""
        done = subprocess.run(
            [str(self.binary), *arguments, "--admin-socket", str(self.admin_socket)],
            capture_output=True, text=True, timeout=PATIENCE,
        )
        if done.returncode != 0:
            raise RuntimeError(f"pronk {' '.join(arguments)} failed: {done.stdout}{done.stderr}")
        return done.stdout

    def terminate(self) -> None:
        """Has it end in good order: SIGTERM drains."""
        self._process.send_signal(signal.SIGTERM)

    def ended(self, seconds: float = PATIENCE) -> int:
        """Waits for its end; returns the exit code."""
        try:
            return self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait(timeout=PATIENCE)

    def stop(self, seconds: float = PATIENCE) -> int:
        """Ends it in good order; returns the exit code."""
        self.terminate()
        return self.ended(seconds)


def pronk_binary(profile: str) -> Path:
    """The binary that PRONK_BIN names, or the one that cargo builds in `profile`, wherever it puts that."""
    named = os.environ.get("PRONK_BIN")
    if not named:
        script = REPOSITORY / "tests" / "support" / "pronk-binary.sh"
        built = subprocess.run([str(script), profile], stdout=subprocess.PIPE, text=True)
        if built.returncode != 0:
            raise FileNotFoundError("cargo does not build pronk; what it says is above")
        named = built.stdout.strip()
    binary = Path(named)
    if not binary.exists():
        raise FileNotFoundError(f"{binary} is missing")
    return binary.resolve()


def flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """One level of keys. tracing puts an event's own fields under `fields` and its spans' under `span`/`spans`."""
    result: dict[str, Any] = {}
    for span in [*record.get("spans", []), record.get("span") or {}]:
        result.update(_joined(span))
    for key, value in record.items():
        if key not in ("spans", "span", "fields"):
            result.update(_joined({key: value}))
    result.update(_joined(record.get("fields", {})))
    return result


def _joined(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, dict):
            result.update(_joined(value, f"{prefix}{key}."))
        else:
            result[prefix + key] = value
    return result


def stop_all(daemons: list[Any]) -> None:
    """Stops them in the reverse order of their start."""
    while daemons:
        daemons.pop().stop()
