"""pronk's configuration file, put together as the guide does: nodes, pools, profiles, virtual servers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

from .certificates import Pair
from .processes import Impalad

# The TLS mode follows from the SSL profiles that a virtual server names, and from nothing else.
MODES: Mapping[str, Sequence[str]] = {
    "passthrough": (),
    "offload": ("client-ssl",),
    "re-encrypt": ("client-ssl", "server-ssl"),
    "server-ssl-only": ("server-ssl",),
}
# Names, paths, durations, and addresses with or without a port; never a number.
_PLAIN = re.compile(r"[A-Za-z/][\w./:-]*\w|\d+(\.\d+){3}(:\d+)?|\d+[a-z]+")
_YAML_WORDS = ("true", "false", "yes", "no", "on", "off", "null")
_PROFILE_NAMES = {"client-ssl": "impala-frontend", "server-ssl": "impalad-backend"}


class Config:
    """Grows by calls, then is written as YAML."""

    def __init__(self) -> None:
        sections = ("nodes", "pools", "monitors", "profiles", "virtual-servers")
        self._file: dict[str, dict[str, Any]] = {section: {} for section in sections}

    def node(self, impalad: Impalad, hostname: str) -> None:
        self._file["nodes"][impalad.name] = {"address": impalad.address, "hostname": hostname}

    def pool(
        self, name: str, impalads: Sequence[Impalad], kind: str, member: Optional[Mapping[str, Any]] = None, **keys: Any
    ) -> None:
        """A pool of every impalad's port `kind`; further tmsh keys, and those of each member, with `_` for `-`."""
        addresses = [f"{impalad.name}:{impalad.ports[kind]}" for impalad in impalads]
        self._file["pools"][name] = {
            "monitors": ["tcp"],
            "load-balancing-mode": "least-connections-node",
            "members": [{"member": each, **_dashed(member)} for each in addresses] if member else addresses,
            **_dashed(keys),
        }

    def client_ssl(self, pair: Pair, name: str = _PROFILE_NAMES["client-ssl"], **keys: Any) -> None:
        chain = [{"cert": str(pair.cert), "key": str(pair.key)}]
        self._file["profiles"][name] = {
            "type": "client-ssl", "defaults-from": "clientssl", "cert-key-chain": chain, **_dashed(keys)}

    def server_ssl(self, ca: Path, name: str = _PROFILE_NAMES["server-ssl"], **keys: Any) -> None:
        self._file["profiles"][name] = {
            "type": "server-ssl", "defaults-from": "serverssl", "ca-file": str(ca), **_dashed(keys)}

    def protocol(self, name: str, **keys: Any) -> None:
        self._file["profiles"][name] = {"type": "tcp", "defaults-from": "tcp", **_dashed(keys)}

    def virtual_server(
        self, name: str, address: str, port: int, pool: str, mode: str, hostname: Optional[str] = None, **keys: Any
    ) -> None:
        profiles = {kind: _PROFILE_NAMES[kind] for kind in MODES[mode]}
        named = {"hostname": hostname} if hostname else {}
        self._file["virtual-servers"][name] = {
            "destination": f"{address}:{port}", **named, "pool": pool, **profiles, **_dashed(keys)}

    def monitor(self, name: str, **keys: Any) -> None:
        self._file["monitors"][name] = _dashed(keys)

    def write(self, path: Path) -> Path:
        sections = [f"{name}:\n{self._section(name)}" for name, entries in self._file.items() if entries]
        path.write_text("\n".join(sections))
        return path

    def _section(self, name: str) -> str:
        entries = self._file[name]
        if name == "nodes":  # short, so one line each
            return "".join(f"  {node}: {_flow(keys)}\n" for node, keys in entries.items())
        return _block(entries, 1)


def _dashed(keys: Mapping[str, Any]) -> dict[str, Any]:
    return {key.replace("_", "-"): value for key, value in keys.items()}


def _block(mapping: Mapping[str, Any], depth: int) -> str:
    """The mapping as YAML in block style, lists in flow style."""
    lines = []
    for key, value in mapping.items():
        indent = "  " * depth
        if isinstance(value, dict):
            lines.append(f"{indent}{key}:\n{_block(value, depth + 1)}")
        else:
            lines.append(f"{indent}{key}: {_flow(value)}\n")
    return "".join(lines)


def _flow(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_flow(each) for each in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key}: {_flow(each)}" for key, each in value.items()) + " }"
    # JSON's scalars are YAML's; what YAML takes for a string anyway needs no quotes.
    plain = isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _YAML_WORDS
    return value if plain else json.dumps(value)
