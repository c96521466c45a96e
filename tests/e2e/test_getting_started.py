"""The walk of docs/getting-started.md and the README's commands, as they are pasted, in an empty folder.

Only what a test machine lacks is put in: the addresses of the cluster, a port that is free, and the name in a hosts file.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from lab.clients import environment
from lab.names import hosts_file, with_names
from lab.processes import PATIENCE, VENV, Impalad, free_port, stop_all

REPOSITORY = Path(__file__).resolve().parents[2]
HOST = "f5-impala.sjc.example.com"
NODES = {f"10.17.84.{last}": f"127.0.84.{last}" for last in (2, 3, 4)}


def commands(page: str) -> list[str]:
    """The blocks of a page that are for a shell, in order."""
    return re.findall(r"^```sh\n(.*?)^```$", (REPOSITORY / page).read_text(), re.M | re.S)


@pytest.fixture
def cluster():
    """Three impalads without TLS. Returns the ports that all of them have."""
    ports = {"hs2": free_port(), "beeswax": free_port()}
    running = [
        Impalad(f"nightly56-{address.rsplit('.', 1)[1]}", address, ports) for address in NODES.values()
    ]
    yield [impalad.wait_ready() for impalad in running] and ports
    stop_all(running)


@pytest.mark.parametrize("page", ["docs/getting-started.md", "README.md"])
def test_commands_run_as_pasted(page, cluster, binary, folder):
    listen = {"21050": free_port(), "21000": free_port()}
    blocks = commands(page)
    script = "\n".join(blocks)
    assert len(blocks) >= 1 and "pronk init" in script and "impala-shell" in script
    script = script.replace("--port 21050,21000", f"--port {listen['21050']}:{cluster['hs2']},"
                            f"{listen['21000']}:{cluster['beeswax']}")
    for address, here in NODES.items():
        script = script.replace(address, here)
    script = script.replace(f"{HOST}:21050", f"{HOST}:{listen['21050']}")
    script = script.replace("vs-impala-21050", f"vs-impala-{listen['21050']}")
    # A person takes longer than a script from one command to the next.
    script = script.replace("impala-shell ", f"{WAIT}impala-shell ", 1)
    file = folder / "walk.sh"
    file.write_text(f"set -eum\ntrap 'kill $(jobs -p) 2>/dev/null || :' EXIT\n{script}")
    empty = folder / "empty"
    empty.mkdir()
    path = f"{binary.parent}:{VENV}:{os.environ['PATH']}"
    hosts = hosts_file(folder / "hosts", {HOST: "127.0.0.1"})
    own = {"PATH": path, "PRONK_ADMIN_SOCKET": str(folder / "admin.sock"), "XDG_STATE_HOME": str(folder)}
    ran = subprocess.run(
        with_names(hosts, ["bash", file]), cwd=empty, env=environment(own), capture_output=True, text=True,
        timeout=4 * PATIENCE)
    told = ran.stdout + ran.stderr
    assert ran.returncode == 0, told
    for expected in ("wrote pronk.yaml", "pronk.yaml: ok", "sample_08", "available"):
        assert expected in told, f"{expected}: {told}"
    assert not re.search(r"^(warning|error)\b", told, re.M), told
    print(told)


WAIT = """for _ in $(seq 600); do
    map=$(pronk show map 2>&1 || :)
    case $map in *unknown:*) ;; *available:*) break ;; esac
    sleep 0.1
done
"""
