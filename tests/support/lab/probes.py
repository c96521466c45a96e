"""Programs that are clients and tell what happens to them, a line of JSON each time."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .clients import environment
from .names import with_names
from .processes import PATIENCE, REPOSITORY, VENV


class Probe:
    """A running probe of tests/e2e/probes."""

    def __init__(self, hosts: Path, name: str, *arguments: object) -> None:
        command = [VENV / "python", REPOSITORY / "tests" / "e2e" / "probes" / f"{name}.py", *arguments]
        self._process = subprocess.Popen(
            with_names(hosts, command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment())
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            self._lines.put(json.loads(line))

    def next(self, count: int, seconds: float = 2 * PATIENCE) -> list[dict[str, Any]]:
        """The next `count` lines."""
        deadline = time.monotonic() + seconds
        lines = []
        while len(lines) < count:
            try:
                lines.append(self._lines.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                raise AssertionError(f"{len(lines)} of {count} lines came: {lines[-3:]}") from None
        return lines

    def ready(self) -> list[dict[str, Any]]:
        """The lines that have come, after a moment's wait for one."""
        try:
            lines = [self._lines.get(timeout=0.02)]
            while not self._lines.empty():
                lines.append(self._lines.get_nowait())
            return lines
        except queue.Empty:
            return []

    def tell(self) -> None:
        """Sends a line."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def finish(self) -> list[dict[str, Any]]:
        """Ends its input, waits for its end, and returns the lines that nobody has read."""
        self._process.stdin.close()
        self._process.wait(timeout=PATIENCE)
        self._reader.join(PATIENCE)
        return self.ready()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(timeout=PATIENCE)


def all_next(probes: Sequence[Probe], count: int, seconds: float = 2 * PATIENCE) -> list[dict[str, Any]]:
    """The next `count` lines of each."""
    return [line for probe in probes for line in probe.next(count, seconds)]
