"""Connects with Python's own ssl, as impala-shell 4.6 sets it up, to one endpoint after the other.

    ssl_probe.py [--strict] CA < TARGETS

`--strict` sets the flags that Python 3.13 and later has in its default context. Reads a JSON list of `[host, port]`;
prints, as JSON, for each the TLS version, or the error.
"""

import json
import socket
import ssl
import sys


def outcome(context, host, port):
    try:
        with socket.create_connection((host, port), timeout=20) as plain:
            with context.wrap_socket(plain, server_hostname=host) as tls:
                return {"rows": tls.version()}
    except Exception as error:
        return {"error": f"{type(error).__name__} {error}"}


strict = "--strict" in sys.argv
context = ssl.create_default_context(cafile=sys.argv[-1])
if strict:
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
print(json.dumps([outcome(context, host, port) for host, port in json.load(sys.stdin)]))
