"""Real clients, pronk, and simulated impalads on loopback. Prepare with tests/e2e/setup.sh.

PRONK_BIN names the binary to test; without it, cargo builds one.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

import pytest

_SUPPORT = Path(__file__).resolve().parents[1] / "support"
sys.path[:0] = [str(_SUPPORT), str(_SUPPORT / "impalad")]

from lab.certificates import Authority, Pair  # noqa: E402
from lab.front import HOST, Front  # noqa: E402
from lab.processes import Impalad, free_port, pronk_binary, stop_all  # noqa: E402

# node1, node2 and node3, first with TLS on their ports and then without: nothing else differs.
_TLS_ADDRESSES = ("127.0.56.2", "127.0.56.3", "127.0.56.4")
_PLAIN_ADDRESSES = ("127.0.58.2", "127.0.58.3", "127.0.58.4")


class Certificates(NamedTuple):
    """What a cluster's administrator had signed, and two mistakes."""

    authority: Authority
    front: Pair
    # As the guide advises for passthrough: the node's name, and the front end's as a further one.
    nodes: Sequence[Pair]
    wrong_front: Pair
    wrong_node: Pair


@pytest.fixture(scope="session")
def binary() -> Path:
    try:
        return pronk_binary("debug")
    except FileNotFoundError as missing:
        pytest.exit(str(missing), returncode=2)


@pytest.fixture(scope="session")
def workspace() -> Iterator[Path]:
    """A folder with a short name: a socket's path has 108 bytes at most."""
    folder = Path(tempfile.mkdtemp(prefix="pronk-e2e-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def folder(workspace: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=workspace))


@pytest.fixture(scope="session")
def certificates(workspace: Path) -> Certificates:
    authority = Authority(workspace / "ca")
    nodes = [authority.sign(f"node{number}.example.test", [HOST]) for number in (1, 2, 3)]
    return Certificates(
        authority,
        authority.sign(HOST),
        nodes,
        wrong_front=authority.sign("other.example.test"),
        wrong_node=authority.sign("node1.example.test", file="node1-only"),
    )


class Clusters:
    """Starts impalads, and stops the ones it started."""

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates
        self._running: list[Impalad] = []

    def tls(self, count: int = 3, pairs: Optional[Sequence[Pair]] = None, **keys: Any) -> list[Impalad]:
        pairs = pairs or self._certificates.nodes
        return self._start("tls", _TLS_ADDRESSES[:count], pairs, keys)

    def plain(self, count: int = 3, **keys: Any) -> list[Impalad]:
        return self._start("plain", _PLAIN_ADDRESSES[:count], None, keys)

    def stop(self) -> None:
        stop_all(self._running)

    def _start(self, kind: str, addresses: Sequence[str], pairs: Optional[Sequence[Pair]], keys: Any) -> list[Impalad]:
        addresses = keys.pop("addresses", addresses)
        environments = keys.pop("environments", [None] * len(addresses))
        own_options = keys.pop("own_options", [()] * len(addresses))
        started = []
        for number, address in enumerate(addresses):
            options = [*keys.get("options", ()), *own_options[number]]
            if pairs:
                options += ["--tls-cert", pairs[number].cert, "--tls-key", pairs[number].key]
            name = f"node{number + 1}-{kind}"
            ports = keys.get("ports")
            started.append(Impalad(name, address, ports, options=options, environment=environments[number]))
            self._running.append(started[-1])
        return [impalad.wait_ready() for impalad in started]


@pytest.fixture(scope="session")
def shared_clusters(certificates: Certificates) -> Iterator[Clusters]:
    clusters = Clusters(certificates)
    yield clusters
    clusters.stop()


@pytest.fixture(scope="session")
def tls_cluster(shared_clusters: Clusters) -> list[Impalad]:
    """Three impalads with TLS, for tests that leave them as they are."""
    return shared_clusters.tls()


@pytest.fixture(scope="session")
def plain_cluster(shared_clusters: Clusters) -> list[Impalad]:
    """Three impalads without TLS, for tests that leave them as they are."""
    return shared_clusters.plain()


@pytest.fixture
def clusters(certificates: Certificates) -> Iterator[Clusters]:
    """For tests that need impalads of their own."""
    own = Clusters(certificates)
    yield own
    own.stop()


@pytest.fixture
def web_port() -> int:
    """A port for the web UIs of a cluster, which a monitor expects to be the same everywhere."""
    return free_port()


FrontFactory = Callable[..., Front]


@pytest.fixture
def fronts(binary: Path, certificates: Certificates, folder: Path) -> Iterator[FrontFactory]:
    """Starts pronk before the given impalads, and stops it after the test."""
    running: list[Front] = []

    def start(**keys: Any) -> Front:
        keys.setdefault("certificate", certificates.front)
        running.append(Front(folder / str(len(running)), binary, certificates.authority.cert, **keys))
        return running[-1]

    yield start
    stop_all(running)


@pytest.fixture(scope="session")
def front(
    binary: Path, certificates: Certificates, workspace: Path, tls_cluster: list[Impalad], plain_cluster: list[Impalad]
) -> Iterator[Front]:
    """One pronk with every mode and protocol before the shared impalads."""
    started = Front(
        workspace / "front", binary, certificates.authority.cert, certificates.front, tls_cluster, plain_cluster)
    yield started
    assert started.stop() == 0, "pronk ends in good order on SIGTERM"
