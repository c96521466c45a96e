"""Three sessions at once: each member gets one, and the statistics say so."""

import json
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.mark.parametrize("mode, kind", [("passthrough", "beeswax"), ("offload", "hs2"), ("re-encrypt", "hs2")])
def test_three_shells_land_on_three_members(fronts, tls_cluster, plain_cluster, folder, mode, kind):
    members = plain_cluster if mode == "offload" else tls_cluster
    front = fronts(**{"plain" if mode == "offload" else "tls": members})
    shells = []
    try:
        for _ in members:
            shells.append(front.interactive(mode, kind, folder))
        assert sorted(shell.served_by() for shell in shells) == sorted(each.name for each in members)
        for shell in shells:
            shell.quit()
    finally:
        for shell in shells:
            shell.close()

    stats = json.loads(front.pronk.command("show", "stats", "--json"))
    totals = connections(stats, "total")
    for member in members:
        assert totals[f"{member.name}:{member.ports[kind]}"] == 1, stats

    table = front.pronk.command("show", "stats")
    network_map = front.pronk.command("show", "map")
    assert "Current" in table and "Maximum" in table and "Total" in table
    for member in members:
        assert f"{member.name}:{member.ports[kind]}" in table
        assert f"{member.name}:{member.ports[kind]}" in network_map


def connections(stats: Any, figure: str) -> dict[str, int]:
    """`figure` of every member's connections, wherever in the document the members are.

    A member is in several pools of ours, of which one is in use."""
    found: dict[str, int] = {}
    for name, entry in _named(stats):
        if "connections" in entry:
            found[name] = max(found.get(name, 0), entry["connections"][figure])
    return found


def _named(part: Any, key: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(part, dict):
        yield part.get("member") or part.get("name") or key, part
        for name, inner in part.items():
            yield from _named(inner, name)
    elif isinstance(part, list):
        for inner in part:
            yield from _named(inner, key)
