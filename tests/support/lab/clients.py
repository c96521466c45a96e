"""The real clients: impala-shell and impyla, run where the front end's name resolves."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from .names import with_names
from .processes import PATIENCE, VENV


@dataclass(frozen=True)
class Ran:
    """What a client printed, and how long it took."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def text(self) -> str:
        return self.out + self.err


def shell_command(protocol: str, host: str, port: int, *options: object) -> list[object]:
    return [VENV / "impala-shell", f"--protocol={protocol}", "-i", f"{host}:{port}", *options]


def environment(extra: Optional[Mapping[str, str]] = None) -> dict[str, str]:
    """The caller's, without what would change how a client prints or authenticates."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KRB5", "IMPALA_"))}
    # In the user's home impala-shell would read settings and write history; with the user's tickets it would
    # turn a failed connection into a second try with Kerberos.
    nowhere = {"HOME": "/nonexistent", "KRB5CCNAME": "FILE:/nonexistent/tickets"}
    return {**kept, **nowhere, "PYTHONWARNINGS": "ignore", **(extra or {})}


def run(
    hosts: Path, command: Sequence[object], env: Optional[Mapping[str, str]] = None, timeout: float = 2 * PATIENCE,
    given: str = "",
) -> Ran:
    """Runs a client to its end, with `given` on its standard input. A client that hangs is killed and raises
    `subprocess.TimeoutExpired`.
    """
    started = time.monotonic()
    done = subprocess.run(
        with_names(hosts, command), input=given, capture_output=True, text=True, env=environment(env), timeout=timeout,
    )
    return Ran(done.returncode, done.stdout, done.stderr, time.monotonic() - started)
