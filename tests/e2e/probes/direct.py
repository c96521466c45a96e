"""Queries that run on one daemon, past any load balancer. Arguments: host, port, queries. Prints a line for each."""

import json
import sys

from impala.dbapi import connect

host, port, queries = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
cursors = []
for number in range(queries):
    cursor = connect(host, port).cursor()
    cursor.execute_async("select sleep(3600000)")
    cursors.append(cursor)
    print(json.dumps({"query": number}), flush=True)
sys.stdin.read()
