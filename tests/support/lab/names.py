"""Host names for one command only, without touching the machine's hosts file.

The command runs in a mount namespace of its own, in which another file lies over /etc/hosts.
"""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_OVERLAY = 'mount --bind "$0" /etc/hosts && exec "$@"'


def hosts_file(path: Path, addresses: Mapping[str, str]) -> Path:
    """Writes a hosts file with the machine's own entries and `addresses` (name to address)."""
    lines = [f"{address} {name}" for name, address in addresses.items()]
    path.write_text("\n".join([*lines, Path("/etc/hosts").read_text()]))
    return path


def with_names(hosts: Path, command: Sequence[object]) -> list[str]:
    """`command`, to be run where the names in the `hosts` file resolve."""
    return [*_unshare(), "sh", "-c", _OVERLAY, str(hosts), *map(str, command)]


@functools.cache
def _unshare() -> Sequence[str]:
    if os.geteuid() == 0:
        return ("unshare", "-m")
    # A user namespace gives an ordinary user the right to mount, where the kernel's settings allow it.
    command = ("unshare", "-r", "-m")
    if subprocess.run([*command, "true"], stderr=subprocess.DEVNULL, timeout=10).returncode != 0:
        raise RuntimeError("this system forbids user namespaces (unshare -r -m): run as root instead")
    return command
