"""Many impyla sessions that stay open: how each one's connection breaks, and where its client comes back to.

Arguments: host, port, CA, sessions. Prints a line of JSON for each session that is open (`open`), whose connection
broke (`broken`, with how and when), that is open again (`again`), and for each that still answers when a line comes on
standard input (`alive`, with the daemon that does); then, on another line, ends. `tries` are a client's attempts.
"""

import errno
import itertools
import json
import select
import socket
import sys
import threading
import time

from impala.dbapi import connect
from thrift.transport.TSSLSocket import TSSLSocket

HOST, PORT, CA, SESSIONS = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
SPOKEN = threading.Lock()
# The socket of the connection that this thread opened last.
OPENED = threading.local()
_open = TSSLSocket.open


def _open_and_note(self):
    _open(self)
    OPENED.handle = self.handle


TSSLSocket.open = _open_and_note


def say(**facts):
    with SPOKEN:
        print(json.dumps(facts), flush=True)


def session():
    """A cursor, its socket, and what is known of it. Tries again while nobody takes it, as applications do."""
    deadline = time.monotonic() + 60
    for tries in itertools.count(1):
        try:
            cursor = connect(HOST, PORT, use_ssl=True, ca_cert=CA, timeout=60).cursor()
            return cursor, OPENED.handle, {"daemon": daemon(cursor), "tries": tries}
        except Exception:
            if time.monotonic() > deadline:
                raise


def daemon(cursor):
    cursor.execute("select version()")
    return cursor.fetchall()[0][0].split(" on ")[1].split()[0]


def live(number, answering, ending):
    cursor, handle, facts = session()
    say(event="open", session=number, **facts)
    events = select.poll()
    events.register(handle, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
    while not answering.is_set():
        if not events.poll(50):
            continue
        when = time.monotonic()
        # By the system's word, past TLS.
        error = handle.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        how = errno.errorcode.get(error, "a clean end")
        say(event="broken", session=number, daemon=facts["daemon"], when=when, how=how)
        cursor, handle, facts = session()
        say(event="again", session=number, when=time.monotonic(), **facts)
        break
    answering.wait()
    say(event="alive", session=number, answering=daemon(cursor), **facts)
    ending.wait()


def main():
    answering, ending = threading.Event(), threading.Event()
    threads = [
        threading.Thread(target=live, args=(number, answering, ending), daemon=True) for number in range(SESSIONS)]
    for thread in threads:
        thread.start()
    for event in (answering, ending):
        sys.stdin.readline()
        event.set()
    for thread in threads:
        thread.join(30)


main()
