"""The server's side of Thrift's SASL exchange: PLAIN (LDAP) and GSSAPI (Kerberos).

A message is a status byte, a big-endian length and a payload; see `_send` and `_receive`.
"""

from __future__ import annotations

import socket
import struct
from typing import Optional

_START, _OK, _BAD, _COMPLETE = 1, 2, 3, 5
_MAX_PAYLOAD = 1024 * 1024
# GSSAPI's last round (RFC 4752): offer "no security layer", the only one that Impala has.
_NO_SECURITY_LAYER = b"\x01\x00\x00\x00"


class SaslRefused(Exception):
    """The client was told why, in a BAD message, and the connection is to be closed."""


def negotiate(conn: socket.socket, auth: str, password: Optional[str]) -> str:
    """Runs the exchange for `auth` (`ldap` or `kerberos`); returns the user's name."""
    mechanism, step = {"ldap": (b"PLAIN", _plain), "kerberos": (b"GSSAPI", _gssapi)}[auth]
    status, asked = _receive(conn)
    if status != _START or asked != mechanism:
        raise _refuse(conn, f"Unsupported mechanism type {asked.decode(errors='replace')}")
    user = step(conn, password)
    _send(conn, _COMPLETE, b"")
    return user


def plain_user(message: bytes, password: Optional[str]) -> Optional[str]:
    """The user of an `authorization NUL user NUL password` message, if the password is right."""
    parts = message.split(b"\0")
    if len(parts) != 3 or not parts[2] or (password is not None and parts[2] != password.encode()):
        return None
    return parts[1].decode()


def acceptor():
    """A security context for any principal in the keytab that KRB5_KTNAME names."""
    import gssapi  # here, so that a daemon without Kerberos runs without the package

    return gssapi.SecurityContext(creds=gssapi.Credentials(usage="accept"), usage="accept")


def _plain(conn: socket.socket, password: Optional[str]) -> str:
    user = plain_user(_receive(conn)[1], password)
    if user is None:
        raise _refuse(conn, "Error validating the login")
    return user


def _gssapi(conn: socket.socket, _password: Optional[str]) -> str:
    import gssapi

    try:
        context = acceptor()
        while not context.complete:
            token = context.step(_receive(conn)[1])
            if not context.complete or token:
                _send(conn, _OK, token or b"")
        # A context that ended with a token of ours is acknowledged with an empty message.
        if token:
            _receive(conn)
        _send(conn, _OK, context.wrap(_NO_SECURITY_LAYER, False).message)
        context.unwrap(_receive(conn)[1])
        return str(context.initiator_name)
    except gssapi.exceptions.GSSError as error:
        raise _refuse(conn, str(error)) from None


def _refuse(conn: socket.socket, why: str) -> SaslRefused:
    _send(conn, _BAD, why.encode())
    return SaslRefused(why)


def _send(conn: socket.socket, status: int, payload: bytes) -> None:
    conn.sendall(struct.pack(">BI", status, len(payload)) + payload)


def _receive(conn: socket.socket) -> tuple[int, bytes]:
    status, length = struct.unpack(">BI", _exactly(conn, 5))
    if length > _MAX_PAYLOAD:
        # What a client without SASL sends reads as a length of hundreds of megabytes.
        raise SaslRefused("not a SASL message")
    return status, _exactly(conn, length)


def _exactly(conn: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = conn.recv(count - len(data))
        if not more:
            raise SaslRefused("the client left during the SASL exchange")
        data += more
    return data
