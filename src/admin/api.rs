//! The HTTP API of the admin socket: its routes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::{FromRef, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode, Uri};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;

use super::administration::{self, AdministrativeChanges, Changed, ClearQuery, SetQuery};
use super::answers::{ErrorBody, Reloaded, Resumed, TakenOver};
use super::connections::{KillQuery, Killed, ListQuery, TopClients, Wrong};
use super::drains::{DrainProgress, DrainQuery, DrainedQuery, StopProgress, StopQuery};
use super::explain::Explained;
use super::network_map::Map;
use super::parameters::{Named, Parameters};
use super::persistence::{Deleted, Filter, Selection};
use super::statistics::Stats;
use crate::control::{CommandError, Handle, Request, StopRequest};
use crate::inventory;
use crate::log::Log;
use crate::model::{MemberKey, Name};
use crate::words::bounded;

/// Who sends the requests of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    /// The user id of the process at the other end of the socket.
    pub uid: Option<u32>,
}

/// The state that requests read.
#[derive(Clone)]
struct ApiState {
    handle: Handle,
    log: Log,
}

impl FromRef<ApiState> for Handle {
    fn from_ref(process: &ApiState) -> Self {
        process.handle.clone()
    }
}

/// Returns the routes.
pub(super) fn router(handle: Handle, log: Log) -> Router {
    Router::new()
        .route("/v1/map", get(map))
        .route("/v1/stats", get(stats))
        .route("/v1/certificates", get(certificates))
        .route("/v1/reload", post(reload))
        .route("/v1/upgrade", post(upgrade))
        .route("/v1/members/resume", post(resume))
        .route("/v1/administration", get(list_administration).post(administer))
        .route("/v1/administration/clear", post(clear_administration))
        .route("/v1/drain", get(drain_progress).post(drain))
        .route("/v1/stop", get(stop_progress).post(stop))
        .route("/v1/connections", get(list_connections))
        .route("/v1/connections/top", get(top_clients))
        .route("/v1/connections/kill", post(kill_connections))
        .route("/v1/explain", get(explain))
        .route("/v1/persistence", get(list_persistence))
        .route("/v1/persistence/delete", post(delete_persistence))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .with_state(ApiState { handle, log })
}

async fn unknown(method: Method, uri: Uri) -> (StatusCode, Json<ErrorBody>) {
    refused(
        StatusCode::NOT_FOUND,
        format!("there is no {method} {}; is pronk of another version?", bounded(uri.path())),
    )
}

async fn map(State(ApiState { handle, log }): State<ApiState>) -> Json<Map> {
    Json(Map::of(&handle, &log))
}

async fn stats(State(handle): State<Handle>) -> Json<Stats> {
    Json(Stats::of(&handle.serving()))
}

async fn certificates(State(handle): State<Handle>) -> Json<inventory::Snapshot> {
    Json(handle.certificates().snapshot())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReloadQuery {
    #[serde(default)]
    dry_run: bool,
}

impl Named for ReloadQuery {
    const NAMES: &'static str = "dry_run (true or false)";
}

async fn reload(State(handle): State<Handle>, Parameters(query): Parameters<ReloadQuery>) -> Answer<Reloaded> {
    let report = handle.reload(query.dry_run).await.map_err(|why| refused(code(&why), why.to_string()))?;
    Ok(Json(Reloaded { changes: report.changes, notes: report.notes.render(false) }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpgradeQuery {
    /// A number of seconds.
    drain_timeout: Option<u64>,
}

impl Named for UpgradeQuery {
    const NAMES: &'static str = "drain_timeout (seconds)";
}

async fn upgrade(State(handle): State<Handle>, Parameters(query): Parameters<UpgradeQuery>) -> Answer<TakenOver> {
    let upgraded = handle.upgrade(query.drain_timeout.map(Duration::from_secs)).await;
    let process = upgraded.map_err(|why| refused(code(&why), why.to_string()))?;
    Ok(Json(TakenOver { pid: process.pid, version: process.version, draining_pid: std::process::id() }))
}

fn code(why: &CommandError) -> StatusCode {
    match why {
        CommandError::WrongPhase { .. } => StatusCode::CONFLICT,
        CommandError::Configuration(_) => StatusCode::UNPROCESSABLE_ENTITY,
        CommandError::Refused(_) => StatusCode::CONFLICT,
        CommandError::Unknown(_) => StatusCode::NOT_FOUND,
        CommandError::TimedOut(_) | CommandError::Internal(_) | CommandError::PartlyApplied(_) => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

type Answer<T> = Result<Json<T>, (StatusCode, Json<ErrorBody>)>;

fn refused(code: StatusCode, error: String) -> (StatusCode, Json<ErrorBody>) {
    (code, Json(ErrorBody { error }))
}

async fn list_administration(State(handle): State<Handle>) -> Json<AdministrativeChanges> {
    Json(AdministrativeChanges::of(&handle))
}

async fn administer(
    State(handle): State<Handle>,
    Extension(caller): Extension<Caller>,
    Parameters(query): Parameters<SetQuery>,
) -> Answer<Changed> {
    carry_out(&handle, query.request(caller.uid, now())).await
}

async fn clear_administration(
    State(handle): State<Handle>,
    Extension(caller): Extension<Caller>,
    Parameters(query): Parameters<ClearQuery>,
) -> Answer<Changed> {
    carry_out(&handle, query.request(caller.uid)).await
}

/// Returns the time in seconds since 1970.
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64)
}

async fn drain(
    State(handle): State<Handle>,
    Extension(caller): Extension<Caller>,
    Parameters(query): Parameters<DrainQuery>,
) -> Answer<DrainProgress> {
    let request = query.request_of(caller.uid, now());
    let request = request.map_err(|error| refused(StatusCode::UNPROCESSABLE_ENTITY, error))?;
    let administered = handle.administer(request).await.map_err(|why| refused(code(&why), why.to_string()))?;
    let drained = administered.targets.first().and_then(|target| handle.drained(target.kind(), &target.name()));
    match drained {
        Some(drained) => Ok(Json(DrainProgress::of(drained, administered.not_kept))),
        None => Err(refused(StatusCode::INTERNAL_SERVER_ERROR, "internal error: nothing is drained".to_owned())),
    }
}

async fn drain_progress(
    State(handle): State<Handle>,
    Parameters(query): Parameters<DrainedQuery>,
) -> Answer<DrainProgress> {
    let kind = administration::kind_of(&query.kind);
    let kind = kind.map_err(|error| refused(StatusCode::UNPROCESSABLE_ENTITY, error))?;
    let drained = handle.drained(kind, &query.name).map(|drained| Json(DrainProgress::of(drained, None)));
    drained.ok_or_else(|| {
        let error = format!("a member is `pool/node:port`, found `{}`", bounded(&query.name));
        refused(StatusCode::UNPROCESSABLE_ENTITY, error)
    })
}

async fn stop_progress(State(handle): State<Handle>) -> Json<StopProgress> {
    Json(StopProgress::of(&handle))
}

async fn stop(
    State(handle): State<Handle>,
    Extension(caller): Extension<Caller>,
    Parameters(query): Parameters<StopQuery>,
) -> Answer<StopProgress> {
    let drain_timeout = query.drain_timeout.map(Duration::from_secs);
    tracing::info!(uid = caller.uid, drain_timeout_s = drain_timeout.map(|time| time.as_secs()), "asked to stop");
    handle.request_stop(StopRequest { drain_timeout });
    Ok(Json(StopProgress::of(&handle)))
}

fn wrong(why: Wrong) -> (StatusCode, Json<ErrorBody>) {
    match why {
        Wrong::Name(error) => refused(StatusCode::NOT_FOUND, error),
        Wrong::Value(error) => refused(StatusCode::UNPROCESSABLE_ENTITY, error),
        Wrong::Internal(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, error),
    }
}

async fn list_connections(
    State(handle): State<Handle>,
    Parameters(query): Parameters<ListQuery>,
) -> Result<impl IntoResponse, (StatusCode, Json<ErrorBody>)> {
    let list = query.list(&handle).map_err(wrong)?;
    Ok(([(CONTENT_TYPE, "application/json")], list))
}

async fn top_clients(State(handle): State<Handle>, Parameters(query): Parameters<ListQuery>) -> Answer<TopClients> {
    query.top(&handle).await.map(Json).map_err(wrong)
}

async fn kill_connections(
    State(handle): State<Handle>,
    Extension(caller): Extension<Caller>,
    Parameters(query): Parameters<KillQuery>,
) -> Answer<Killed> {
    let who = |name: Option<&str>| administration::who(name, caller.uid);
    query.kill(&handle, who).await.map(Json).map_err(wrong)
}

async fn carry_out(handle: &Handle, request: Result<Request, String>) -> Answer<Changed> {
    let request = request.map_err(|error| refused(StatusCode::UNPROCESSABLE_ENTITY, error))?;
    let administered = handle.administer(request).await.map_err(|why| refused(code(&why), why.to_string()))?;
    Ok(Json(administered.into()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExplainQuery {
    virtual_server: String,
    client: String,
}

impl Named for ExplainQuery {
    const NAMES: &'static str = "virtual_server, client";
}

impl Named for Filter {
    const NAMES: &'static str = "virtual_server, client, pool, member, all (true or false)";
}

async fn explain(State(handle): State<Handle>, Parameters(query): Parameters<ExplainQuery>) -> Answer<Explained> {
    let explained = Explained::of(&handle.serving(), &query.virtual_server, &query.client);
    explained.map(Json).map_err(|error| refused(StatusCode::NOT_FOUND, error))
}

async fn list_persistence(
    State(handle): State<Handle>,
    Parameters(filter): Parameters<Filter>,
) -> Result<impl IntoResponse, (StatusCode, Json<ErrorBody>)> {
    let selection = select(&handle, filter)?;
    Ok(([(CONTENT_TYPE, "application/json")], selection.list()))
}

fn select(handle: &Handle, filter: Filter) -> Result<Selection, (StatusCode, Json<ErrorBody>)> {
    let known = filter.check_names(handle.registry(), &handle.serving());
    known.map_err(|error| refused(StatusCode::NOT_FOUND, error))?;
    filter.select(handle.registry()).map_err(|error| refused(StatusCode::UNPROCESSABLE_ENTITY, error))
}

async fn delete_persistence(State(handle): State<Handle>, Parameters(filter): Parameters<Filter>) -> Answer<Deleted> {
    if !filter.is_explicit() {
        let error = "name the records: virtual_server, client, pool, member, or all=true".to_owned();
        return Err(refused(StatusCode::UNPROCESSABLE_ENTITY, error));
    }
    let selection = select(&handle, filter)?;
    let deleted = selection.delete().await;
    deleted.map(Json).map_err(|error| refused(StatusCode::INTERNAL_SERVER_ERROR, error))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberQuery {
    pool: String,
    /// `node:port`.
    member: String,
}

impl Named for MemberQuery {
    const NAMES: &'static str = "pool, member";
}

async fn resume(State(handle): State<Handle>, Parameters(query): Parameters<MemberQuery>) -> Answer<Resumed> {
    let key = query.member.rsplit_once(':').and_then(|(node, port)| {
        let port = port.parse().ok()?;
        Some(MemberKey { node: Name::from(node), port })
    });
    let Some(key) = key else {
        let error = format!("a member is `node:port`, found `{}`", bounded(&query.member));
        return Err(refused(StatusCode::UNPROCESSABLE_ENTITY, error));
    };
    let pool = Name::from(query.pool.as_str());
    handle.resume(&pool, &key).await.map_err(|why| refused(code(&why), why.to_string()))?;
    tracing::info!(%pool, member = %key, "member resumed");
    Ok(Json(Resumed { pool: query.pool, member: query.member }))
}
