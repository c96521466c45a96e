"""HiveServer2 (ports 21050 and 28000): Impala's own flavour of TCLIService."""

from __future__ import annotations

import functools
import time
from typing import Any, Callable

from engine import SHUTTING_DOWN, TABLES, Column, Engine, Operation, SqlError, UnknownHandle, printed_id, rows_of
from impala_thrift_gen.ExecStats.ttypes import TExecSummary
from impala_thrift_gen.ImpalaService import ImpalaHiveServer2Service
from impala_thrift_gen.ImpalaService.ttypes import (
    TCloseImpalaOperationResp,
    TGetExecSummaryResp,
    TGetRuntimeProfileResp,
    TPingImpalaHS2ServiceResp,
)
from impala_thrift_gen.TCLIService import ttypes as t

_TYPES = {
    "string": t.TTypeId.STRING_TYPE,
    "bigint": t.TTypeId.BIGINT_TYPE,
    "boolean": t.TTypeId.BOOLEAN_TYPE,
}
_INFO = {t.TGetInfoType.CLI_SERVER_NAME: "Impala", t.TGetInfoType.CLI_DBMS_NAME: "Impala"}
# The newest version that Impala speaks: results are columnar from here on.
_VERSION = t.TProtocolVersion.HIVE_CLI_SERVICE_PROTOCOL_V6


def _answering(response: Callable[..., Any]) -> Callable[..., Any]:
    """Turns refusals into the status of `response`; without it they would end the connection."""

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def wrapped(self: Hs2Service, req: Any) -> Any:
            try:
                fields = method(self, req)
            except (SqlError, UnknownHandle) as refused:
                error = t.TStatus(t.TStatusCode.ERROR_STATUS, errorMessage=str(refused), sqlState="HY000")
                return response(status=error)
            return response(status=t.TStatus(t.TStatusCode.SUCCESS_STATUS), **(fields or {}))

        return wrapped

    return decorate


class Hs2Service(ImpalaHiveServer2Service.Iface):
    """The service as one connection sees it. Sessions and operations are the engine's, so they
    outlive the connection and can be used from another, as in Impala."""

    def __init__(self, engine: Engine, user: str) -> None:
        self._engine = engine
        self._user = user

    def processor(self) -> ImpalaHiveServer2Service.Processor:
        return ImpalaHiveServer2Service.Processor(self)

    def connection_lost(self) -> None:
        """Sessions survive the loss of their connection."""

    # Sessions

    @_answering(t.TOpenSessionResp)
    def OpenSession(self, req):
        session = self._engine.open_session(self._user or req.username or "anonymous")
        handle = t.TSessionHandle(t.THandleIdentifier(guid=session.id, secret=session.id))
        version = min(req.client_protocol, _VERSION)
        return {"sessionHandle": handle, "serverProtocolVersion": version, "configuration": {}}

    @_answering(t.TCloseSessionResp)
    def CloseSession(self, req):
        self._engine.close_session(req.sessionHandle.sessionId.guid)

    @_answering(t.TGetInfoResp)
    def GetInfo(self, req):
        # Impala looks at this before it looks for the session.
        if self._engine.quiescing:
            raise SqlError(SHUTTING_DOWN)
        self._session(req)
        value = _INFO.get(req.infoType, self._engine.version)
        return {"infoValue": t.TGetInfoValue(stringValue=value)}

    @_answering(TPingImpalaHS2ServiceResp)
    def PingImpalaHS2Service(self, req):
        self._session(req)
        web = self._engine.web_url
        return {"version": self._engine.version, "webserver_address": web, "timestamp": int(time.time())}

    # Statements

    @_answering(t.TExecuteStatementResp)
    def ExecuteStatement(self, req):
        operation = self._engine.execute(self._session(req), req.statement)
        return {"operationHandle": _handle(operation)}

    @_answering(t.TGetOperationStatusResp)
    def GetOperationStatus(self, req):
        return {"operationState": _state(self._operation(req))}

    @_answering(t.TGetResultSetMetadataResp)
    def GetResultSetMetadata(self, req):
        result = self._operation(req).result
        return {"schema": t.TTableSchema(_column_descriptions(result.columns if result else ()))}

    @_answering(t.TFetchResultsResp)
    def FetchResults(self, req):
        operation = self._operation(req)
        start, rows, more = operation.fetch(req.maxRows or 0)
        columns = operation.result.columns if operation.result else ()
        return {"hasMoreRows": more, "results": t.TRowSet(start, [], _columns(columns, rows))}

    @_answering(t.TCancelOperationResp)
    def CancelOperation(self, req):
        self._operation(req).cancel()

    @_answering(t.TCloseOperationResp)
    def CloseOperation(self, req):
        self._engine.close_operation(req.operationHandle.operationId.guid)

    @_answering(TCloseImpalaOperationResp)
    def CloseImpalaOperation(self, req):
        self._engine.close_operation(req.operationHandle.operationId.guid)

    @_answering(t.TGetLogResp)
    def GetLog(self, req):
        self._operation(req)
        return {"log": ""}

    @_answering(TGetRuntimeProfileResp)
    def GetRuntimeProfile(self, req):
        operation = self._engine.logged(req.operationHandle.operationId.guid)
        return {"profile": profile(self._engine, operation)}

    @_answering(TGetExecSummaryResp)
    def GetExecSummary(self, req):
        self._engine.logged(req.operationHandle.operationId.guid)
        return {"summary": TExecSummary(nodes=[])}

    # The catalog, as JDBC drivers and impyla ask for it

    @_answering(t.TGetCatalogsResp)
    def GetCatalogs(self, req):
        return self._listing(req, ("TABLE_CAT",), [])

    @_answering(t.TGetSchemasResp)
    def GetSchemas(self, req):
        return self._listing(req, ("TABLE_SCHEM", "TABLE_CATALOG"), [("default", "")])

    @_answering(t.TGetTableTypesResp)
    def GetTableTypes(self, req):
        return self._listing(req, ("TABLE_TYPE",), [("TABLE",)])

    @_answering(t.TGetTablesResp)
    def GetTables(self, req):
        names = ("TABLE_CAT", "TABLE_SCHEM", "TABLE_NAME", "TABLE_TYPE", "REMARKS")
        return self._listing(req, names, [("", "default", table, "TABLE", "") for table in TABLES])

    def _listing(self, req: Any, names: tuple[str, ...], rows: list[tuple[str, ...]]):
        result = rows_of(tuple(Column(name, "string") for name in names), rows)
        operation = self._engine.add(self._session(req), Operation("catalog", result))
        return {"operationHandle": _handle(operation)}

    def _session(self, req: Any):
        return self._engine.session(req.sessionHandle.sessionId.guid)

    def _operation(self, req: Any) -> Operation:
        return self._engine.operation(req.operationHandle.operationId.guid)


def profile(engine: Engine, operation: Operation) -> str:
    """A runtime profile in outline: enough for PROFILE to show who ran what."""
    return (
        f"Query (id={printed_id(operation.id)}):\n  Summary:\n"
        f"    Coordinator: {engine.name}\n    Sql Statement: {operation.statement}\n"
    )


def _handle(operation: Operation) -> t.TOperationHandle:
    return t.TOperationHandle(
        operationId=t.THandleIdentifier(guid=operation.id, secret=operation.id),
        operationType=t.TOperationType.EXECUTE_STATEMENT,
        hasResultSet=operation.result is not None,
    )


def _state(operation: Operation) -> int:
    if operation.cancelled:
        return t.TOperationState.CANCELED_STATE
    return t.TOperationState.RUNNING_STATE if operation.running else t.TOperationState.FINISHED_STATE


def _column_descriptions(columns: tuple[Column, ...]) -> list[t.TColumnDesc]:
    def described(column: Column) -> t.TTypeDesc:
        return t.TTypeDesc([t.TTypeEntry(primitiveEntry=t.TPrimitiveTypeEntry(_TYPES[column.kind]))])

    return [t.TColumnDesc(c.name, described(c), i) for i, c in enumerate(columns, start=1)]


def _columns(columns: tuple[Column, ...], rows: list[tuple[Any, ...]]) -> list[t.TColumn]:
    built = []
    for index, column in enumerate(columns):
        values = [row[index] for row in rows]
        if column.kind == "bigint":
            built.append(t.TColumn(i64Val=t.TI64Column(values, b"\0")))
        elif column.kind == "boolean":
            built.append(t.TColumn(boolVal=t.TBoolColumn(values, b"\0")))
        else:
            built.append(t.TColumn(stringVal=t.TStringColumn(values, b"\0")))
    return built
