"""A throw-away certificate authority, made with the `openssl` command line as a user would."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

# Valid long enough for a demo that is left running over a weekend, and no longer.
_DAYS = "7"
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Pair(NamedTuple):
    """A certificate and its private key, both PEM."""

    cert: Path
    key: Path


class Authority:
    """Signs certificates; clients trust `cert`."""

    def __init__(self, folder: Path, name: str = "Example Test CA") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.cert = folder / "ca.pem"
        self._key = folder / "ca.key"
        _openssl("req", "-x509", *_NEW_KEY, "-keyout", self._key, "-out", self.cert, "-days", _DAYS,
                 "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:true",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def sign(self, name: str, alternatives: Sequence[str] = (), file: str = "") -> Pair:
        """A server certificate with `name` as common name, and it and `alternatives` as DNS names."""
        stem = file or name
        pair = Pair(self._folder / f"{stem}.pem", self._folder / f"{stem}.key")
        request, extensions = self._folder / f"{stem}.csr", self._folder / f"{stem}.ext"
        names = ",".join(f"DNS:{each}" for each in (name, *alternatives))
        extensions.write_text(f"subjectAltName={names}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:false\n")
        _openssl("req", "-new", *_NEW_KEY, "-keyout", pair.key, "-out", request, "-subj", f"/CN={name}")
        _openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self._key, "-CAcreateserial",
                 "-days", _DAYS, "-extfile", extensions, "-out", pair.cert)
        # Servers refuse a key that others can read.
        pair.key.chmod(0o600)
        request.unlink()
        extensions.unlink()
        return pair


def _openssl(*arguments: object) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=30)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]} failed: {done.stderr}")
