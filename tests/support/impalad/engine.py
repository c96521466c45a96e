"""What a simulated impalad knows and does: sessions, statements, results.

No protocol here: `hs2.py` and `beeswax.py` translate between the wire and these objects.
"""

from __future__ import annotations

import re
import string
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

TABLES = ("customers", "sample_07", "sample_08")
SHUTTING_DOWN = "Server is being shut down"
# A few real options with their defaults; impala-shell lists them and accepts only listed names in SET.
QUERY_OPTIONS = (
    ("ABORT_ON_ERROR", "0", "REGULAR"),
    ("BATCH_SIZE", "0", "DEVELOPMENT"),
    ("MEM_LIMIT", "0", "REGULAR"),
    ("QUERY_TIMEOUT_S", "0", "REGULAR"),
    ("REQUEST_POOL", "", "REGULAR"),
    ("SYNC_DDL", "0", "REGULAR"),
)
LEVELS = ("REGULAR", "ADVANCED", "DEVELOPMENT", "DEPRECATED", "REMOVED")
# One fetch carries about this much at most, as Impala's row batches do.
FETCH_BYTES = 8 * 1024 * 1024
# Rows of `rows(n, bytes)` are cut from this, each at another offset, so that mixed-up rows show. Letters and
# digits only: clients print those without quotes.
_LETTERS = string.ascii_letters + string.digits
_TEXT = "".join(_LETTERS[(i * 7 + i // 62) % 62] for i in range(4096))


class SqlError(Exception):
    """A statement that is refused; the text goes to the client."""


class UnknownHandle(Exception):
    """A session or an operation that this daemon does not have."""


@dataclass(frozen=True)
class Column:
    """A column of a result; `kind` is `string`, `bigint` or `boolean`."""

    name: str
    kind: str


@dataclass
class Result:
    """Rows that are made when they are fetched, so that a large result costs no memory."""

    columns: tuple[Column, ...]
    count: int
    row: Callable[[int], tuple[Any, ...]]
    bytes_per_row: int = 1


def rows_of(columns: tuple[Column, ...], rows: list[tuple[Any, ...]]) -> Result:
    """A result whose rows are known already."""
    return Result(columns, len(rows), rows.__getitem__)


def payload(number: int, size: int) -> str:
    """The text in row `number` of `rows(n, size)`; tests compute it to compare."""
    start = (number * 31) % len(_TEXT)
    repeated = _TEXT * (1 + (start + size) // len(_TEXT))
    return repeated[start : start + size]


class Operation:
    """A statement under way. It finishes by the clock, or earlier when told so or cancelled."""

    def __init__(self, statement: str, result: Optional[Result], seconds: float = 0.0) -> None:
        self.id = uuid.uuid4().bytes
        self.statement = statement
        self.result = result
        self._ready_at = time.monotonic() + seconds
        self._position = 0
        self._over = threading.Event()
        self.cancelled = False

    @property
    def running(self) -> bool:
        return not self._over.is_set() and time.monotonic() < self._ready_at

    def cancel(self) -> None:
        self.cancelled = True
        self._over.set()

    def finish(self) -> None:
        self._over.set()

    def fetch(self, max_rows: int) -> tuple[int, list[tuple[Any, ...]], bool]:
        """Waits for the statement; returns the first row's number, the rows, and whether more follow."""
        self._over.wait(max(0.0, self._ready_at - time.monotonic()))
        if self.cancelled:
            raise SqlError("Cancelled")
        if self.result is None:
            return 0, [], False
        start = self._position
        rows = max(1, min(max_rows if max_rows > 0 else 1024, FETCH_BYTES // self.result.bytes_per_row))
        self._position = min(start + rows, self.result.count)
        batch = [self.result.row(i) for i in range(start, self._position)]
        return start, batch, self._position < self.result.count


@dataclass
class Session:
    """A client's session: whose it is, which database it uses, what it runs."""

    user: str
    database: str = "default"
    id: bytes = field(default_factory=lambda: uuid.uuid4().bytes)
    operations: dict[bytes, Operation] = field(default_factory=dict)


class Engine:
    """The daemon itself, shared by all its ports."""

    def __init__(self, name: str, is_coordinator: bool = True) -> None:
        self.name = name
        self.is_coordinator = is_coordinator
        self.version = f"impalad version 4.6.0-SIMULATED RELEASE (build 0123456789abcdef) on {name}"
        self.quiescing = False
        self.web_url: Optional[str] = None
        self._sessions: dict[bytes, Session] = {}
        # Impala's query log: PROFILE and SUMMARY come after the statement was closed.
        self._closed: deque[Operation] = deque(maxlen=100)
        # Every connection has its own thread.
        self._lock = threading.Lock()

    def open_session(self, user: str) -> Session:
        if self.quiescing:
            raise SqlError(SHUTTING_DOWN)
        session = Session(user)
        with self._lock:
            self._sessions[session.id] = session
        return session

    def session(self, session_id: bytes) -> Session:
        with self._lock:
            found = self._sessions.get(session_id)
        if found is None:
            raise UnknownHandle(f"Invalid session id: {printed_id(session_id)}")
        return found

    def close_session(self, session_id: bytes) -> None:
        session = self.session(session_id)
        for operation in list(session.operations.values()):
            operation.cancel()
        with self._lock:
            self._sessions.pop(session_id, None)

    def operation(self, operation_id: bytes) -> Operation:
        with self._lock:
            for session in self._sessions.values():
                if operation_id in session.operations:
                    return session.operations[operation_id]
        raise UnknownHandle(f"Invalid or unknown query handle: {printed_id(operation_id)}")

    def close_operation(self, operation_id: bytes) -> None:
        operation = self.operation(operation_id)
        operation.cancel()
        with self._lock:
            for session in self._sessions.values():
                session.operations.pop(operation_id, None)
            self._closed.append(operation)

    def logged(self, operation_id: bytes) -> Operation:
        """An operation that is open, or was until lately."""
        with self._lock:
            for operation in self._closed:
                if operation.id == operation_id:
                    return operation
        return self.operation(operation_id)

    def finish(self) -> None:
        """Ends the wait of everything under way."""
        with self._lock:
            for session in self._sessions.values():
                for operation in session.operations.values():
                    operation.finish()

    def counts(self) -> tuple[int, int, int]:
        """Open sessions, operations in them, and of those the ones that are not finished."""
        with self._lock:
            operations = [operation for session in self._sessions.values() for operation in session.operations.values()]
            return len(self._sessions), len(operations), sum(operation.running for operation in operations)

    def execute(self, session: Session, statement: str) -> Operation:
        if self.quiescing:
            raise SqlError(SHUTTING_DOWN)
        operation = self._plan(session, statement)
        return self.add(session, operation)

    def add(self, session: Session, operation: Operation) -> Operation:
        with self._lock:
            session.operations[operation.id] = operation
        return operation

    def _plan(self, session: Session, statement: str) -> Operation:
        sql = _normalized(statement)

        def text(name: str, *values: str) -> Operation:
            return Operation(statement, rows_of((Column(name, "string"),), [(v,) for v in values]))

        if sql == "show tables":
            return text("name", *TABLES)
        if sql in ("show databases", "show schemas"):
            columns = (Column("name", "string"), Column("comment", "string"))
            return Operation(statement, rows_of(columns, [("default", "Default Hive database")]))
        if sql == "select version()":
            return text("version()", self.version)
        if sql == "select user()":
            return text("user()", session.user)
        if sql in ("set", "set all"):
            columns = tuple(Column(name, "string") for name in ("option", "value", "level"))
            return Operation(statement, rows_of(columns, list(QUERY_OPTIONS)))
        if sql == ":shutdown()":
            self.quiescing = True
            return text("summary", "startup grace period: 2m, deadline: 1h, queries registered on coordinator: 1")

        if match := re.fullmatch(r"select (\d+)", sql):
            number = int(match[1])
            return Operation(statement, rows_of((Column(match[1], "bigint"),), [(number,)]))
        if match := re.fullmatch(r"select sleep\((\d+)\)", sql):
            result = rows_of((Column(sql[len("select ") :], "boolean"),), [(True,)])
            return Operation(statement, result, int(match[1]) / 1000)
        if match := re.fullmatch(r"select rows\((\d+), ?(\d+)\)", sql):
            count, size = int(match[1]), int(match[2])
            columns = (Column("id", "bigint"), Column("payload", "string"))
            return Operation(statement, Result(columns, count, lambda i: (i, payload(i, size)), size + 16))
        if match := re.fullmatch(r"use `?(\w+)`?", sql):
            session.database = match[1]
            return Operation(statement, None)
        if re.fullmatch(r"set \w+ ?=.*", sql):
            return Operation(statement, None)
        raise SqlError(f"AnalysisException: a simulated impalad does not understand: {statement.strip()}")


def printed_id(raw: bytes) -> str:
    """An identifier as Impala prints it: two little-endian 64-bit halves in hexadecimal."""
    return f"{raw[7::-1].hex()}:{raw[15:7:-1].hex()}"


def parsed_id(printed: str) -> bytes:
    """The identifier that `printed_id` printed; ValueError when it is none."""
    low, high = (bytes.fromhex(half)[::-1] for half in printed.split(":"))
    return low + high


def _normalized(statement: str) -> str:
    without_comments = re.sub(r"/\*.*?\*/|--[^\n]*", " ", statement, flags=re.S)
    return " ".join(without_comments.split()).rstrip("; ").lower()
