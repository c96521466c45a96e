"""Shows pronk at work: the guide's two ports in three TLS modes, with real impala-shells.

All of it is on loopback: two clusters of three simulated impalads, one without TLS (nightly56) and one with
it (nightly57), and one pronk with six virtual servers before them. For each virtual server three impala-shells
are open at the same time, as in the guide's "Verification", and each should get an impalad of its own.

KEEP=1 leaves everything running and prints how to connect and how to stop. PRONK_BIN names the binary; without it,
cargo builds one for release.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from lab.certificates import Authority  # noqa: E402
from lab.clients import shell_command  # noqa: E402
from lab.config import Config  # noqa: E402
from lab.interactive import Shell, daemon  # noqa: E402
from lab.names import hosts_file, with_names  # noqa: E402
from lab.processes import Impalad, Pronk, port_or_free, pronk_binary, stop_all  # noqa: E402

HOST = "impala.example.test"
# One name, three addresses: each shell is told which one the name means.
FRONTS = {"passthrough": "127.0.12.1", "offload": "127.0.12.2", "re-encrypt": "127.0.12.3"}
EXPLAINED = {
    "passthrough": "TLS goes through to the impalads, whose certificates carry the front end's name, too",
    "offload": "TLS ends at pronk; the impalads have none",
    "re-encrypt": "TLS ends at pronk, which opens TLS of its own to the impalads and checks their names",
}
KINDS = {"beeswax": 21000, "hs2": 21050}
SESSIONS = 3


class Demo:
    """Everything that runs, and the folder with its files."""

    def __init__(self, binary: Path, keep: bool) -> None:
        self._binary = binary
        self._keep = keep
        self._told = False
        self._running: list[Any] = []
        self.failures: list[str] = []
        self.folder = Path(tempfile.mkdtemp(prefix="pronk-demo-"))
        self.hosts: dict[str, Path] = {}
        self.ports: dict[tuple[str, str], int] = {}

    def start(self) -> None:
        authority = Authority(self.folder / "certificates", "Demo CA")
        self.ca = authority.cert
        print("One pronk before two clusters of simulated impalads, all on loopback:\n")
        print(f"{'nightly56':12}127.0.56.2-4, three impalads without TLS")
        print(f"{'nightly57':12}127.0.57.2-4, three impalads with TLS")
        plain = [self._impalad(f"nightly56-{number}", f"127.0.56.{number}") for number in (2, 3, 4)]
        secure = []
        for number in (2, 3, 4):
            pair = authority.sign(f"nightly57-{number}.example.test", [HOST])
            options = ("--tls-cert", pair.cert, "--tls-key", pair.key)
            secure.append(self._impalad(f"nightly57-{number}", f"127.0.57.{number}", options))
        for impalad in (*plain, *secure):
            impalad.wait_ready()

        config = Config()
        config.client_ssl(authority.sign(HOST))
        config.server_ssl(authority.cert)
        for impalad in (*plain, *secure):
            config.node(impalad, f"{impalad.name}.example.test")
        for cluster, impalads in (("nightly56", plain), ("nightly57", secure)):
            for kind, port in KINDS.items():
                config.pool(f"pool-{cluster}-impala-{port}", impalads, kind)
        for mode, address in FRONTS.items():
            self.hosts[mode] = hosts_file(self.folder / f"hosts-{mode}", {HOST: address})
            cluster = "nightly56" if mode == "offload" else "nightly57"
            for kind, port in KINDS.items():
                self.ports[mode, kind] = self._port(address, port)
                config.virtual_server(
                    f"vs-{mode}-{port}", address, self.ports[mode, kind], f"pool-{cluster}-impala-{port}", mode, HOST)
        file = config.write(self.folder / "pronk.yaml")
        self.pronk = Pronk(self._binary, file, self.folder / "pronk.log")
        self._running.append(self.pronk)
        self.pronk.wait_ready()
        for mode, address in FRONTS.items():
            ports = " and ".join(str(self.ports[mode, kind]) for kind in KINDS)
            print(f"{mode:12}{HOST} = {address}, ports {ports}\n{'':12}{EXPLAINED[mode]}")

    def verify(self, mode: str, kind: str) -> None:
        """Three impala-shells at the same time through one virtual server; the first one's session is shown."""
        command = shell_command(kind, HOST, self.ports[mode, kind], "--ssl", f"--ca_cert={self.ca}")
        heading(f"{mode}, port {self.ports[mode, kind]}")
        print(f"$ impala-shell --protocol={kind} --ssl --ca_cert={self.ca.name} -i {HOST}:{self.ports[mode, kind]}")
        shells: list[Shell] = []
        try:
            for _ in range(SESSIONS):
                shells.append(Shell(self.hosts[mode], command, self.folder))
            first = shells[0]
            print(*[line for line in first.banner.splitlines() if line.startswith(("Connected", "Server"))], sep="\n")
            printed = first.run("show tables;")
            print(f"{first.prompt}show tables;\n{printed.rstrip()}\n{first.prompt}quit;")
            if "sample_08" not in printed:
                self.failures.append(f"{mode}, {kind}: no tables came")
            served = [daemon(shell.banner) or "nobody" for shell in shells]
            print(f"Three such sessions at once were served by {', '.join(served)}.")
            if len(set(served)) < SESSIONS:
                self.failures.append(f"{mode}, {kind}: the sessions were not spread: {', '.join(served)}")
            for shell in shells:
                shell.quit()
        except Exception as error:
            # What pexpect says has a page of internals after its first lines.
            self.failures.append(f"{mode}, {kind}: {first_lines(error)}")
            print(f"FAILED: {self.failures[-1]}")
        finally:
            for shell in shells:
                shell.close()

    def show(self) -> None:
        for what in ("map", "stats"):
            heading(f"pronk show {what}")
            print(self.pronk.command("show", what).rstrip())

    def explain_how_to_go_on(self) -> None:
        """Writes a script for each front end and one to stop, and says how to use them."""
        heading("Left running (KEEP=1)")
        for mode in FRONTS:
            base = shell_command("hs2", HOST, self.ports[mode, "hs2"], "--ssl", f"--ca_cert={self.ca}")
            self._script(mode, f'exec {shlex.join(with_names(self.hosts[mode], base))} "$@"')
        pids = " ".join(str(each.pid) for each in reversed(self._running))
        self._script("stop", f"kill {pids}\nrm -r {shlex.quote(str(self.folder))}")
        admin = f"--admin-socket {self.pronk.admin_socket}"
        print(f"connect  {' or '.join(str(self.folder / mode) for mode in FRONTS)}")
        print("         (impala-shell to port 21050; further options are passed on)")
        print(f"watch    {self._binary} show stats {admin}")
        print(f"         {self._binary} show map {admin}")
        print(f"read     {self.folder / 'pronk.yaml'} and {self.pronk.log}")
        print(f"stop     {self.folder / 'stop'}")

    def stop(self) -> None:
        stop_all(self._running)
        shutil.rmtree(self.folder)

    def _impalad(self, name: str, address: str, options: Sequence[object] = ()) -> Impalad:
        ports = {kind: self._port(address, port) for kind, port in KINDS.items()}
        log = self.folder / f"{name}.log"
        impalad = Impalad(name, address, ports, options, log=log, outlive_parent=self._keep)
        self._running.append(impalad)
        return impalad

    def _port(self, address: str, wanted: int) -> int:
        port = port_or_free(address, wanted)
        if port != wanted and not self._told:
            print("(Some of the usual ports are taken here: free ones are used in their place.)")
            self._told = True
        return port

    def _script(self, name: str, body: str) -> None:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)


def heading(text: str) -> None:
    line = f"── {text} "
    styled = f"\033[1m{line}\033[0m" if sys.stdout.isatty() else line
    print(f"\n{styled}{'─' * (78 - len(line))}")


def first_lines(error: Exception) -> str:
    return " ".join(str(error).split("\n<")[0].splitlines()[:3])


def main() -> int:
    keep = os.environ.get("KEEP") == "1"
    try:
        binary = pronk_binary("release")
    except FileNotFoundError as missing:
        sys.exit(str(missing))
    # Line by line also into a pipe, so that whoever reads along sees progress.
    sys.stdout.reconfigure(line_buffering=True)
    # Whatever ends the demo, its daemons are stopped and its folder removed.
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    demo = Demo(binary, keep)
    done = False
    try:
        demo.start()
        for mode in FRONTS:
            for kind in KINDS:
                demo.verify(mode, kind)
        demo.show()
        if keep:
            demo.explain_how_to_go_on()
        done = True
    except KeyboardInterrupt:
        demo.failures.append("interrupted")
    except RuntimeError as error:
        demo.failures.append(str(error))
    finally:
        if not (keep and done):
            demo.stop()
    heading("Result")
    for failure in demo.failures:
        print(f"FAILED: {failure}")
    if not demo.failures:
        print(f"All {len(FRONTS) * len(KINDS)} virtual servers served {SESSIONS} impala-shells each.")
    return 1 if demo.failures else 0


if __name__ == "__main__":
    sys.exit(main())
