"""Beeswax (port 21000): the protocol of old impala-shells and of version 1 of the ODBC driver."""

from __future__ import annotations

from typing import Any

from engine import (
    LEVELS,
    QUERY_OPTIONS,
    Engine,
    Operation,
    Session,
    SqlError,
    UnknownHandle,
    parsed_id,
    printed_id,
)
from hs2 import profile
from impala_thrift_gen.beeswax.ttypes import (
    BeeswaxException,
    ConfigVariable,
    QueryHandle,
    QueryNotFoundException,
    QueryState,
    Results,
    ResultsMetadata,
)
from impala_thrift_gen.ExecStats.ttypes import TExecSummary
from impala_thrift_gen.hive_metastore.ttypes import FieldSchema, Schema
from impala_thrift_gen.ImpalaService import ImpalaService
from impala_thrift_gen.ImpalaService.ttypes import TPingImpalaServiceResp
from impala_thrift_gen.Status.ttypes import TStatus


class BeeswaxService(ImpalaService.Iface):
    """The service as one connection sees it; its session lives and dies with the connection."""

    def __init__(self, engine: Engine, user: str) -> None:
        self._engine = engine
        self._user = user
        self._session: Any = None

    def processor(self) -> ImpalaService.Processor:
        return ImpalaService.Processor(self)

    def connection_lost(self) -> None:
        if self._session is not None:
            self._engine.close_session(self._session.id)

    def PingImpalaService(self):
        return TPingImpalaServiceResp(self._engine.version, self._engine.web_url)

    def get_default_configuration(self, include_hadoop):
        return [ConfigVariable(name, value, "", LEVELS.index(level)) for name, value, level in QUERY_OPTIONS]

    def query(self, query):
        try:
            operation = self._engine.execute(self._opened(query.hadoop_user), query.query)
        except SqlError as refused:
            raise _exception(str(refused)) from None
        identifier = printed_id(operation.id)
        return QueryHandle(identifier, identifier)

    def get_state(self, handle):
        operation = self._operation(handle)
        if operation.cancelled:
            return QueryState.EXCEPTION
        return QueryState.RUNNING if operation.running else QueryState.FINISHED

    def get_results_metadata(self, handle):
        result = self._operation(handle).result
        fields = [FieldSchema(c.name, c.kind, "") for c in result.columns] if result else []
        return ResultsMetadata(Schema(fields, {}), "", "", "\t")

    def fetch(self, query_id, start_over, fetch_size):
        try:
            start, rows, more = self._operation(query_id).fetch(fetch_size)
        except SqlError as refused:
            raise _exception(str(refused)) from None
        data = ["\t".join(_text(value) for value in row) for row in rows]
        return Results(True, [], data, start, more)

    def Cancel(self, query_id):
        self._logged(query_id).cancel()
        return TStatus(0, [])

    def close(self, handle):
        self._operation(handle)
        self._engine.close_operation(parsed_id(handle.id))

    def clean(self, log_context):
        """Nothing is kept under a log context."""

    def get_log(self, context):
        return ""

    def GetRuntimeProfile(self, query_id):
        return profile(self._engine, self._logged(query_id))

    def GetExecSummary(self, handle):
        self._logged(handle)
        return TExecSummary(nodes=[])

    def _opened(self, claimed_user: str) -> Session:
        """Beeswax has no call to open a session: the first statement does."""
        if self._session is None:
            self._session = self._engine.open_session(self._user or claimed_user or "anonymous")
        return self._session

    def _operation(self, handle: QueryHandle) -> Operation:
        try:
            return self._engine.operation(parsed_id(handle.id))
        except (UnknownHandle, ValueError):
            raise QueryNotFoundException() from None

    def _logged(self, handle: QueryHandle) -> Operation:
        """For the calls that Impala added: they know no QueryNotFoundException."""
        try:
            return self._engine.logged(parsed_id(handle.id))
        except (UnknownHandle, ValueError) as unknown:
            raise _exception(str(unknown)) from None


def _exception(message: str) -> BeeswaxException:
    return BeeswaxException(message, "", QueryHandle("", ""), 0, "HY000")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
