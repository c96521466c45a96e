"""A throw-away Kerberos realm: a KDC as a plain process on loopback, its files in one folder."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from .processes import PATIENCE, NotServing, free_port

REALM = "EXAMPLE.TEST"
_ADDRESS = "127.0.0.1"
# The Debian packages put the servers where an ordinary user's PATH does not look.
_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


class Realm:
    """A KDC with keytabs and a user's tickets made on demand."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._port = free_port()
        self.environment: dict[str, str] = self._write_configuration()
        self._run("kdb5_util", "create", "-s", "-r", REALM, "-P", "master")
        self._process = subprocess.Popen(
            ["krb5kdc", "-n", "-P", str(folder / "kdc.pid")], env=self._all(), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        self._wait_ready()

    def keytab(self, *principals: str) -> Path:
        """A keytab with a new key for each principal, as Impala has for the host and for the front end."""
        path = self._folder / ("+".join(principals).replace("/", "_") + ".keytab")
        for principal in principals:
            # Daemons share the front end's principal: its key must not change for the second one.
            if principal not in self._principals():
                self._admin(f"addprinc -randkey {principal}")
            self._admin(f"ktadd -norandkey -k {path} {principal}")
        return path

    def change_key(self, principal: str) -> None:
        """Gives a principal a new key, with the next number. Keytabs keep the old one."""
        self._admin(f"change_password -randkey {principal}")

    def login(self, user: str) -> dict[str, str]:
        """Makes the user, and gets a ticket; returns the environment in which clients find it."""
        self._admin(f"addprinc -pw secret {user}")
        cache = {"KRB5CCNAME": f"FILE:{self._folder / user}.ccache"}
        self._run("kinit", user, extra=cache, stdin="secret\n")
        return {**self.environment, **cache}

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=PATIENCE)

    def _write_configuration(self) -> dict[str, str]:
        client, server = self._folder / "krb5.conf", self._folder / "kdc.conf"
        # Names are taken as typed: on a test machine, name service would change or delay them.
        client.write_text(
            f"[libdefaults]\n default_realm = {REALM}\n dns_canonicalize_hostname = false\n rdns = false\n"
            f" dns_lookup_kdc = false\n udp_preference_limit = 1\n"
            f"[realms]\n {REALM} = {{\n  kdc = {_ADDRESS}:{self._port}\n }}\n"
            f"[domain_realm]\n .example.test = {REALM}\n"
        )
        server.write_text(
            f"[kdcdefaults]\n kdc_listen = \"\"\n kdc_tcp_listen = {_ADDRESS}:{self._port}\n"
            f"[realms]\n {REALM} = {{\n  database_name = {self._folder}/principal\n"
            f"  key_stash_file = {self._folder}/stash\n  acl_file = {self._folder}/kadm5.acl\n }}\n"
            f"[logging]\n kdc = FILE:{self._folder}/kdc.log\n"
        )
        return {"KRB5_CONFIG": str(client), "KRB5_KDC_PROFILE": str(server)}

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection((_ADDRESS, self._port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise NotServing("the KDC did not start")

    def _principals(self) -> Sequence[str]:
        return [line.split("@")[0] for line in self._admin("listprincs").splitlines()]

    def _admin(self, query: str) -> str:
        return self._run("kadmin.local", "-r", REALM, "-q", query)

    def _run(self, *command: str, extra: dict[str, str] | None = None, stdin: str = "") -> str:
        done = subprocess.run(
            command, env=self._all(extra), input=stdin, capture_output=True, text=True, timeout=PATIENCE)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} failed: {done.stdout}{done.stderr}")
        return done.stdout

    def _all(self, extra: dict[str, str] | None = None) -> dict[str, str]:
        return {**os.environ, "PATH": _PATH, **self.environment, **(extra or {})}
