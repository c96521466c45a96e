"""Connects with impyla to one endpoint after the other, in whatever environment it is run.

    impyla_probe.py [--without-match-hostname] CA < TARGETS

Reads a JSON list of `[host, port]`; prints, as JSON, for each the rows of `select 1`, or the error.
"""

import json
import logging
import ssl
import sys
import warnings

# Python 3.12 removed the function; thrift finds out when it is imported, and falls back.
if "--without-match-hostname" in sys.argv:
    sys.argv.remove("--without-match-hostname")
    del ssl.match_hostname

from impala.dbapi import connect  # noqa: E402


class Reasons(logging.Handler):
    """Keeps what thrift logs and then leaves out of its exceptions: why a connection failed."""

    def __init__(self):
        super().__init__(logging.INFO)
        self.texts = []

    def emit(self, record):
        if record.exc_info:
            self.texts.append(str(record.exc_info[1]))


def outcome(host, port, ca, reasons):
    reasons.texts.clear()
    try:
        connection = connect(host, port, use_ssl=True, ca_cert=ca, timeout=20)
        try:
            cursor = connection.cursor()
            cursor.execute("select 1")
            return {"rows": cursor.fetchall()}
        finally:
            connection.close()
    except Exception as error:
        return {"error": " | ".join([f"{type(error).__name__} {error}", *reasons.texts])}


warnings.simplefilter("ignore")
reasons = Reasons()
thrift_log = logging.getLogger("thrift")
thrift_log.setLevel(logging.INFO)
thrift_log.propagate = False
thrift_log.addHandler(reasons)
print(json.dumps([outcome(host, port, sys.argv[1], reasons) for host, port in json.load(sys.stdin)]))
