"""A throw-away certificate authority, made with the `openssl` command line as a user would."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Optional

# Valid long enough for a demo that is left running over a weekend, and no longer.
_DAYS = "7"
_CA_EXTENSIONS = (
    "basicConstraints=critical,CA:true", "keyUsage=critical,keyCertSign,cRLSign", "subjectKeyIdentifier=hash")
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Pair(NamedTuple):
    """A certificate and its private key, both PEM."""

    cert: Path
    key: Path


class Authority:
    """Signs certificates; clients trust `cert`."""

    def __init__(
        self, folder: Path, name: str = "Example Test CA",
        extensions: Sequence[str] = _CA_EXTENSIONS, days: object = _DAYS,
    ) -> None:
        self._days = days
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.cert = folder / "ca.pem"
        self._key = folder / "ca.key"
        _openssl("req", "-x509", *_NEW_KEY, "-keyout", self._key, "-out", self.cert, "-days", days,
                 "-subj", f"/CN={name}", "-config", self._bare_configuration(), *_each("-addext", extensions))

    def sign(self, name: str, alternatives: Sequence[str] = (), file: str = "") -> Pair:
        """A server certificate with `name` as common name, and it and `alternatives` as DNS names."""
        names = ",".join(f"DNS:{each}" for each in (name, *alternatives))
        extensions = (f"subjectAltName={names}", "extendedKeyUsage=serverAuth", "basicConstraints=CA:false")
        return self.issue(file or name, f"/CN={name}", extensions)

    def issue(
        self, stem: str, subject: str, extensions: Sequence[str], new_key: Sequence[str] = _NEW_KEY,
        digest: str = "sha256", days: Optional[object] = None,
    ) -> Pair:
        """A certificate with the subject (as `openssl req -subj` has it) and extensions (as openssl's files do)."""
        pair = Pair(self._folder / f"{stem}.pem", self._folder / f"{stem}.key")
        request, extension_file = self._folder / f"{stem}.csr", self._folder / f"{stem}.ext"
        extension_file.write_text("".join(f"{line}\n" for line in extensions))
        _openssl("req", "-new", *new_key, "-keyout", pair.key, "-out", request, "-subj", subject)
        _openssl("x509", "-req", f"-{digest}", "-in", request, "-CA", self.cert, "-CAkey", self._key, "-CAcreateserial",
                 "-days", days or self._days, "-extfile", extension_file, "-out", pair.cert)
        # Servers refuse a key that others can read.
        pair.key.chmod(0o600)
        request.unlink()
        extension_file.unlink()
        return pair

    def _bare_configuration(self) -> Path:
        """openssl's own adds extensions that were not asked for."""
        path = self._folder / "openssl.cnf"
        path.write_text("[req]\ndistinguished_name = name\n[name]\n")
        return path


def _each(option: str, values: Sequence[str]) -> list[str]:
    return [part for value in values for part in (option, value)]


def _openssl(*arguments: object) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]} failed: {done.stderr}")
