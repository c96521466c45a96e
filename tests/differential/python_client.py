"""Judges each case as the clients on this Python do, by handshakes.

    python_client.py FOLDER PORT RAW_PORT

For each case prints a line: its number, then `kind=ok` or `kind=no reason` for each kind of client that this Python
can be, separated by tabs. Runs on Python 3.6 and later.
"""

import socket
import ssl
import sys
import warnings

FOLDER, PORTS = sys.argv[1], {"": int(sys.argv[2]), "raw": int(sys.argv[3])}
warnings.simplefilter("ignore")


def shake(context, case, host, port):
    """Returns the certificate that was shown, once the context accepts it."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        plain.sendall(b"%d\n" % case)
        with context.wrap_socket(plain, server_hostname=host) as tls:
            shown = tls.getpeercert()
            tls.recv(1)
            return shown


def chain_only(anchors):
    """Returns a context as thrift up to 0.22 makes it: names are its own business."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(anchors)
    return context


def common_name(shown, host):
    """Compares as thrift up to 0.22 does where Python has no `match_hostname`."""
    for field in shown.get("subject", ()):
        if field[0][0] == "commonName":
            if field[0][1] == host:
                return
            raise ValueError("common name is %s" % field[0][1])
    raise ValueError("no common name")


def verdict(judge):
    try:
        judge()
        return "ok"
    except Exception as error:  # noqa: BLE001 - every error is a refusal
        return ("no %s %s" % (type(error).__name__, error)).replace("\n", " ").replace("\t", " ")


def judge(case, host, port):
    anchors = "%s/%d.anchors.pem" % (FOLDER, case)
    shown = {}

    def handshake():
        shown.update(shake(chain_only(anchors), case, None if ":" in host else host, port))

    chain = verdict(handshake)
    default = verdict(lambda: shake(ssl.create_default_context(cafile=anchors), case, host, port))
    kinds = {"default": default}
    if hasattr(ssl, "match_hostname"):
        matched = verdict(lambda: ssl.match_hostname(shown, host)) if chain == "ok" else chain
        kinds["match-hostname"] = matched
        # thrift 0.24 asks for both.
        kinds["both"] = default if default != "ok" else matched
    else:
        kinds["common-name"] = verdict(lambda: common_name(shown, host)) if chain == "ok" else chain
    return kinds


with open(FOLDER + "/cases.tsv") as index:
    for line in index:
        number, _, host, _, server = line.rstrip("\n").split("\t")
        kinds = judge(int(number), host, PORTS[server])
        print("\t".join([number] + ["%s=%s" % kind for kind in sorted(kinds.items())]), flush=True)
