"""Judges each case as OpenSSL itself does, by handshakes of the system's libssl.

    openssl_client.py FOLDER PORT RAW_PORT

What `openssl s_client -verify_return_error -verify_hostname` sets is set here through ctypes, without a process for each
case. Prints a line for each case: its number, and `openssl=ok` or `openssl=no reason`.
"""

from __future__ import annotations

import ctypes
import ipaddress
import socket
import sys

FOLDER, PORTS = sys.argv[1], {"": int(sys.argv[2]), "raw": int(sys.argv[3])}
ssl = ctypes.CDLL("libssl.so.3")
crypto = ctypes.CDLL("libcrypto.so.3")
P = ctypes.c_void_p
for library, function, result, arguments in [
    (ssl, "TLS_client_method", P, []), (ssl, "SSL_CTX_new", P, [P]), (ssl, "SSL_CTX_free", None, [P]),
    (ssl, "SSL_CTX_set_verify", None, [P, ctypes.c_int, P]),
    (ssl, "SSL_CTX_load_verify_locations", ctypes.c_int, [P, ctypes.c_char_p, ctypes.c_char_p]),
    (ssl, "SSL_new", P, [P]), (ssl, "SSL_free", None, [P]), (ssl, "SSL_set_fd", ctypes.c_int, [P, ctypes.c_int]),
    (ssl, "SSL_set1_host", ctypes.c_int, [P, ctypes.c_char_p]), (ssl, "SSL_get0_param", P, [P]),
    (ssl, "SSL_connect", ctypes.c_int, [P]), (ssl, "SSL_get_verify_result", ctypes.c_long, [P]),
    (crypto, "X509_VERIFY_PARAM_set1_ip_asc", ctypes.c_int, [P, ctypes.c_char_p]),
    (crypto, "X509_verify_cert_error_string", ctypes.c_char_p, [ctypes.c_long]),
    (crypto, "ERR_get_error", ctypes.c_ulong, []), (crypto, "ERR_clear_error", None, []),
    (crypto, "ERR_error_string_n", None, [ctypes.c_ulong, ctypes.c_char_p, ctypes.c_size_t]),
]:
    getattr(library, function).restype, getattr(library, function).argtypes = result, arguments


def last_error() -> str:
    text = ctypes.create_string_buffer(256)
    crypto.ERR_error_string_n(crypto.ERR_get_error(), text, 256)
    return text.value.decode("latin-1")


def judge(case: int, host: str, server: str) -> str:
    crypto.ERR_clear_error()
    context = ssl.SSL_CTX_new(ssl.TLS_client_method())
    try:
        ssl.SSL_CTX_set_verify(context, 1, None)
        if ssl.SSL_CTX_load_verify_locations(context, f"{FOLDER}/{case}.anchors.pem".encode(), None) != 1:
            return "no anchors"
        session = ssl.SSL_new(context)
        with socket.create_connection(("127.0.0.1", PORTS[server]), timeout=20) as plain:
            plain.sendall(b"%d\n" % case)
            plain.settimeout(None)
            ssl.SSL_set_fd(session, plain.fileno())
            try:
                ipaddress.ip_address(host)
                crypto.X509_VERIFY_PARAM_set1_ip_asc(ssl.SSL_get0_param(session), host.encode())
            except ValueError:
                ssl.SSL_set1_host(session, host.encode())
            outcome = ssl.SSL_connect(session)
            result = ssl.SSL_get_verify_result(session)
            ssl.SSL_free(session)
        if outcome == 1:
            return "ok"
        words = crypto.X509_verify_cert_error_string(result).decode() if result else last_error()
        return f"no {words}"
    finally:
        ssl.SSL_CTX_free(context)


with open(f"{FOLDER}/cases.tsv") as index:
    for line in index:
        number, _, host, _, server = line.rstrip("\n").split("\t")
        print(f"{number}\topenssl={judge(int(number), host, server)}", flush=True)
