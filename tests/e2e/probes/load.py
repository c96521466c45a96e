"""Short impyla sessions one after the other, in several threads, until standard input ends.

Arguments: host, port, CA, threads. Prints a line of JSON for each session: its thread, the daemon, when it was begun,
how many statements succeeded, and what failed if something did.
"""

import json
import sys
import threading
import time

from impala.dbapi import connect

HOST, PORT, CA, THREADS = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
SPOKEN = threading.Lock()
ENDING = threading.Event()


def work(thread):
    while not ENDING.is_set():
        facts = {"thread": thread, "daemon": None, "begun": time.monotonic(), "statements": 0, "failed": None}
        try:
            connection = connect(HOST, PORT, use_ssl=True, ca_cert=CA, timeout=60)
            cursor = connection.cursor()
            cursor.execute("select version()")
            facts["daemon"] = cursor.fetchall()[0][0].split(" on ")[1].split()[0]
            facts["statements"] += 1
            cursor.execute("select sleep(40)")
            assert cursor.fetchall() == [(True,)]
            facts["statements"] += 1
            cursor.execute("select rows(2000, 100)")
            rows = cursor.fetchall()
            assert [row[0] for row in rows] == list(range(2000))
            facts["statements"] += 1
            cursor.close()
            connection.close()
        except Exception as error:
            facts["failed"] = f"{type(error).__name__}: {error}"
        with SPOKEN:
            print(json.dumps(facts), flush=True)


def main():
    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    ENDING.set()
    for thread in threads:
        thread.join(60)


main()
