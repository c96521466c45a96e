"""Keys of every kind that a certificate may have, made once for a run, and signatures with them."""

from __future__ import annotations

import copy
import hashlib
import random
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa

import der

CURVES = {
    "p256": ec.SECP256R1,
    "p384": ec.SECP384R1,
    "p521": ec.SECP521R1,
    "p192": ec.SECP192R1,
    "p224": ec.SECP224R1,
    "secp256k1": ec.SECP256K1,
    "brainpool256": ec.BrainpoolP256R1,
}
# How many keys of each kind there are; two certificates of a chain never share one by chance.
POOL = {"rsa2048": 8, "p256": 10, "p384": 3, "p521": 3, "ed25519": 3}
KINDS = ["rsa2048", "rsa1024", "rsa3072", "rsa4096", "p256", "p384", "p521", "p192", "p224", "secp256k1",
         "brainpool256", "dsa", "ed25519", "ed448"]
HASHES = {"md5": hashes.MD5, "sha1": hashes.SHA1, "sha224": hashes.SHA224, "sha256": hashes.SHA256,
          "sha384": hashes.SHA384, "sha512": hashes.SHA512}
RSA = {"md5": 4, "sha1": 5, "sha224": 14, "sha256": 11, "sha384": 12, "sha512": 13}
ECDSA = {"sha224": 1, "sha256": 2, "sha384": 3, "sha512": 4}
PSS = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1", "sha384": "2.16.840.1.101.3.4.2.2", "sha512": "2.16.840.1.101.3.4.2.3"}


class Key:
    """A private key, with the file that a server reads."""

    def __init__(self, kind: str, private, folder: Path, number: int):
        self.kind, self.private = kind, private
        self.is_pss_alone = False
        self.file = folder / f"{kind}-{number}.pem"
        self.file.write_bytes(private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        self.spki = private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.identifier = hashlib.sha1(self.spki).digest()

    def sign(self, message: bytes, digest: str) -> tuple[bytes, bytes]:
        """Returns the algorithm in DER, and the signature. `digest` may begin with `pss-`."""
        if self.kind.startswith("ed"):
            number = {"ed25519": 112, "ed448": 113}[self.kind]
            return der.sequence(der.oid(f"1.3.101.{number}")), self.private.sign(message)
        if self.kind.startswith("rsa") and digest.startswith("pss-"):
            digest = digest[4:] if digest[4:] in PSS else "sha256"
            size = HASHES[digest]().digest_size
            scheme = padding.PSS(padding.MGF1(HASHES[digest]()), size)
            return pss_algorithm(digest, size), self.private.sign(message, scheme, HASHES[digest]())
        digest = digest.removeprefix("pss-")
        if self.kind.startswith("rsa"):
            algorithm = der.sequence(der.oid(f"1.2.840.113549.1.1.{RSA[digest]}"), b"\x05\0")
            return algorithm, self.private.sign(message, padding.PKCS1v15(), HASHES[digest]())
        digest = "sha1" if digest == "md5" else digest
        if self.kind == "dsa":
            numbers = {"sha1": "1.2.840.10040.4.3", "sha224": "2.16.840.1.101.3.4.3.1"}
            number = numbers.get(digest, "2.16.840.1.101.3.4.3.2")
            digest = digest if digest in numbers else "sha256"
            return der.sequence(der.oid(number)), self.private.sign(message, HASHES[digest]())
        number = "1.2.840.10045.4.1" if digest == "sha1" else f"1.2.840.10045.4.3.{ECDSA[digest]}"
        return der.sequence(der.oid(number)), self.private.sign(message, ec.ECDSA(HASHES[digest]()))

    def for_pss_alone(self) -> "Key":
        """Returns the same RSA key with an algorithm that allows nothing but PSS."""
        made = copy.copy(self)
        inside = self.private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
        made.spki = der.sequence(der.sequence(der.oid("1.2.840.113549.1.1.10")), der.bits(inside))
        made.is_pss_alone = True
        return made

    @property
    def usual_hash(self) -> str:
        """Returns the hash that goes with the size of the key."""
        if self.is_pss_alone:
            return "pss-sha256"
        return {"p384": "sha384", "p521": "sha512"}.get(self.kind, "sha256")


def pss_algorithm(digest: str, size: int) -> bytes:
    hashed = der.sequence(der.oid(PSS[digest]), b"\x05\0")
    mask = der.sequence(der.oid("1.2.840.113549.1.1.8"), hashed)
    return der.sequence(der.oid("1.2.840.113549.1.1.10"), der.sequence(
        der.context(0, hashed), der.context(1, mask), der.context(2, der.integer(size))))


class Keys:
    """All keys of a run."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.by_kind = {kind: [Key(kind, generate(kind), folder, number) for number in range(POOL.get(kind, 3))]
                        for kind in KINDS}

    def draw(self, kind: str, taken: list[Key], random: random.Random) -> Key:
        """Returns a key of this kind that is not taken."""
        return random.choice([key for key in self.by_kind[kind] if key not in taken])


def generate(kind: str):
    if kind in CURVES:
        return ec.generate_private_key(CURVES[kind]())
    if kind == "dsa":
        return dsa.generate_private_key(2048)
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "ed448":
        return ed448.Ed448PrivateKey.generate()
    return rsa.generate_private_key(65537, int(kind.removeprefix("rsa")))
