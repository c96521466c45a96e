//! What the routes of the API answer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use schemars::JsonSchema;
use serde::Deserialize;

use super::administration::{self, AdministrativeChanges, Changed, ClearQuery, SetQuery};
use super::answers::{Answer, Refusal, Reloaded, Resumed, TakenOver, refused};
use super::caller::Caller;
use super::connection_selection::Wrong;
use super::connections::{KillQuery, Killed, ListQuery};
use super::drains::{DrainProgress, DrainQuery, DrainedQuery, StopProgress, StopQuery};
use super::explain::Explained;
use super::network_map::Map;
use super::other_processes::{Elsewhere, may_be_known};
use super::parameters::{NoParameters, Parameters};
use super::persistence::{Deleted, Filter, Selection};
use super::state::ApiState;
use super::top_clients::TopClients;
use crate::control::{CommandError, Handle, Request, StopRequest};
use crate::inventory;
use crate::model::{MemberKey, Name};
use crate::words::bounded;

pub(super) async fn map(
    State(ApiState { handle, log, .. }): State<ApiState>,
    _: Parameters<NoParameters>,
) -> Json<Map> {
    Json(Map::of(&handle, &log))
}

pub(super) async fn certificates(
    State(handle): State<Handle>,
    _: Parameters<NoParameters>,
) -> Json<inventory::Snapshot> {
    Json(handle.certificates().snapshot())
}

pub(super) async fn document(State(state): State<ApiState>, _: Parameters<NoParameters>) -> impl IntoResponse {
    ([(CONTENT_TYPE, JSON)], state.document.to_string())
}

/// The parameters of a reload.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReloadQuery {
    /// Only tell what would change.
    #[serde(default)]
    dry_run: bool,
}

pub(super) async fn reload(
    State(handle): State<Handle>,
    Parameters(query): Parameters<ReloadQuery>,
) -> Answer<Reloaded> {
    let report = handle.reload(query.dry_run).await.map_err(|why| command_refused(&why))?;
    Ok(Json(Reloaded { changes: report.changes, notes: report.notes.render(false) }))
}

/// The parameters of an upgrade.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpgradeQuery {
    /// How long connections of this process may go on, in seconds; by default as long as it was started with.
    drain_timeout: Option<u64>,
}

pub(super) async fn upgrade(
    State(handle): State<Handle>,
    Parameters(query): Parameters<UpgradeQuery>,
) -> Answer<TakenOver> {
    let upgraded = handle.upgrade(query.drain_timeout.map(Duration::from_secs)).await;
    let process = upgraded.map_err(|why| command_refused(&why))?;
    Ok(Json(TakenOver { pid: process.pid, version: process.version, draining_pid: std::process::id() }))
}

/// Returns the answer to a command that was refused or failed.
pub(super) fn command_refused(why: &CommandError) -> Refusal {
    let code = match why {
        CommandError::WrongPhase { .. } | CommandError::Refused(_) => StatusCode::CONFLICT,
        CommandError::Configuration(_) | CommandError::Unclear(_) => StatusCode::UNPROCESSABLE_ENTITY,
        CommandError::Unknown(_) => StatusCode::NOT_FOUND,
        CommandError::TimedOut(_) | CommandError::Internal(_) | CommandError::PartlyApplied(_) => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    refused(code, why.to_string())
}

pub(super) async fn list_administration(
    State(handle): State<Handle>,
    elsewhere: Elsewhere,
    _: Parameters<NoParameters>,
) -> Json<AdministrativeChanges> {
    let replies = elsewhere.ask().await;
    Json(AdministrativeChanges::of(&handle).with(replies))
}

pub(super) async fn administer(
    State(handle): State<Handle>,
    Extension(caller): Extension<Caller>,
    elsewhere: Elsewhere,
    Parameters(query): Parameters<SetQuery>,
) -> Answer<Changed> {
    carry_out(&handle, query.request(caller, now()), &elsewhere).await
}

pub(super) async fn clear_administration(
    State(handle): State<Handle>,
    Extension(caller): Extension<Caller>,
    elsewhere: Elsewhere,
    Parameters(query): Parameters<ClearQuery>,
) -> Answer<Changed> {
    carry_out(&handle, query.request(caller), &elsewhere).await
}

/// Returns the time in seconds since 1970.
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64)
}

pub(super) async fn drain(
    State(handle): State<Handle>,
    Extension(caller): Extension<Caller>,
    elsewhere: Elsewhere,
    Parameters(query): Parameters<DrainQuery>,
) -> Answer<DrainProgress> {
    let request = query.request_of(caller, now());
    let request = request.map_err(|error| refused(StatusCode::UNPROCESSABLE_ENTITY, error))?;
    let administered = match handle.administer(request).await {
        Ok(administered) => administered,
        Err(why @ CommandError::Unknown(_)) => return drained_elsewhere(&elsewhere, &why).await,
        Err(why) => return Err(command_refused(&why)),
    };
    match DrainProgress::of(&handle, administered.targets, administered.not_kept) {
        Some(drained) => Ok(Json(drained.with(elsewhere.ask().await))),
        None => Err(refused(StatusCode::INTERNAL_SERVER_ERROR, "internal error: nothing is drained".to_owned())),
    }
}

/// Returns how far the drain is of something that only processes know that drain after an upgrade: their file had it.
///
/// # Errors
/// Nobody knows it.
async fn drained_elsewhere(elsewhere: &Elsewhere, why: &CommandError) -> Answer<DrainProgress> {
    let replies = elsewhere.ask::<DrainProgress>().await;
    let known = replies.iter().find_map(|reply| reply.answer.as_ref().ok());
    let drained = known.map(DrainProgress::in_another_process);
    let drained = drained.ok_or_else(|| unknown(why, &may_be_known(&replies)))?;
    Ok(Json(drained.with(replies)))
}

pub(super) async fn drain_progress(
    State(handle): State<Handle>,
    elsewhere: Elsewhere,
    Parameters(query): Parameters<DrainedQuery>,
) -> Answer<DrainProgress> {
    let kind = administration::kind_of(&query.kind);
    let kind = kind.map_err(|error| refused(StatusCode::UNPROCESSABLE_ENTITY, error))?;
    let drained = DrainProgress::of(&handle, handle.named(kind, &query.name), None).ok_or_else(|| {
        let error = format!("there is no {} `{}`", kind.as_str(), bounded(&query.name));
        refused(StatusCode::NOT_FOUND, error)
    })?;
    // A process of another version may not know `asked`, and its name is what it is asked for.
    let name = query.asked.as_deref().unwrap_or(&query.name);
    Ok(Json(drained.with(elsewhere.ask_with(&[("name", Some(name)), ("asked", None)]).await)))
}

pub(super) async fn stop_progress(State(handle): State<Handle>, _: Parameters<NoParameters>) -> Json<StopProgress> {
    Json(StopProgress::of(&handle))
}

pub(super) async fn stop(
    State(handle): State<Handle>,
    Extension(Caller { who, why, is_forwarded, .. }): Extension<Caller>,
    elsewhere: Elsewhere,
    Parameters(query): Parameters<StopQuery>,
) -> Json<StopProgress> {
    // Before this process stops, which may be at once.
    let replies = elsewhere.ask().await;
    let drain_timeout = query.drain_timeout.map(Duration::from_secs);
    tracing::info!(%who, why, drain_timeout_s = drain_timeout.map(|time| time.as_secs()), "asked to stop");
    handle.request_stop(StopRequest { drain_timeout, is_passed_on: is_forwarded });
    Json(StopProgress::of(&handle).with(&replies))
}

fn wrong(why: Wrong) -> Refusal {
    match why {
        Wrong::Name(error) => refused(StatusCode::NOT_FOUND, error),
        Wrong::Value(error) => refused(StatusCode::UNPROCESSABLE_ENTITY, error),
        Wrong::Internal(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, error),
    }
}

pub(super) async fn list_connections(
    State(handle): State<Handle>,
    elsewhere: Elsewhere,
    Parameters(query): Parameters<ListQuery>,
) -> Result<impl IntoResponse, Refusal> {
    let list = query.list(&handle, &elsewhere).await.map_err(wrong)?;
    Ok(([(CONTENT_TYPE, "application/json")], list))
}

pub(super) async fn top_clients(
    State(handle): State<Handle>,
    elsewhere: Elsewhere,
    Parameters(query): Parameters<ListQuery>,
) -> Answer<TopClients> {
    query.top(&handle, &elsewhere).await.map(Json).map_err(wrong)
}

pub(super) async fn kill_connections(
    State(handle): State<Handle>,
    Extension(caller): Extension<Caller>,
    elsewhere: Elsewhere,
    Parameters(query): Parameters<KillQuery>,
) -> Answer<Killed> {
    query.kill(&handle, caller, &elsewhere).await.map(Json).map_err(wrong)
}

/// Returns the answer to a command for what neither this process knows nor one that drains, as far as these answer.
fn unknown(why: &CommandError, may_be_known: &str) -> Refusal {
    let refusal = command_refused(why);
    Refusal { error: refusal.error + may_be_known, ..refusal }
}

/// Changes what administrators set, in this process and in those that drain after an upgrade: some of their connections
/// wait for a member.
async fn carry_out(handle: &Handle, request: Result<Request, String>, elsewhere: &Elsewhere) -> Answer<Changed> {
    let request = request.map_err(|error| refused(StatusCode::UNPROCESSABLE_ENTITY, error))?;
    let own = match handle.administer(request).await {
        Ok(administered) => Ok(Changed::from(administered)),
        // The file of another process may have had it.
        Err(why @ CommandError::Unknown(_)) => Err(why),
        Err(why) => return Err(command_refused(&why)),
    };
    let replies = elsewhere.ask::<Changed>().await;
    let processes = replies.iter().map(|reply| reply.told(|_| None)).collect();
    let nowhere = may_be_known(&replies);
    let of_others = replies.into_iter().find_map(|reply| reply.answer.ok());
    let changed = own.or_else(|why| of_others.ok_or_else(|| unknown(&why, &nowhere)))?;
    Ok(Json(Changed { processes, ..changed }))
}

/// Which client is asked about.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExplainQuery {
    virtual_server: String,
    /// Its IP address.
    client: String,
}

pub(super) async fn explain(
    State(handle): State<Handle>,
    Parameters(query): Parameters<ExplainQuery>,
) -> Answer<Explained> {
    Explained::of(&handle.serving(), &query.virtual_server, &query.client).map(Json)
}

pub(super) async fn list_persistence(
    State(handle): State<Handle>,
    Parameters(filter): Parameters<Filter>,
) -> Result<impl IntoResponse, Refusal> {
    let selection = select(&handle, filter)?;
    Ok(([(CONTENT_TYPE, JSON)], selection.list()))
}

fn select(handle: &Handle, filter: Filter) -> Result<Selection, Refusal> {
    let known = filter.check_names(handle.registry(), &handle.serving());
    known.map_err(|error| refused(StatusCode::NOT_FOUND, error))?;
    filter.select(handle.registry()).map_err(|error| refused(StatusCode::UNPROCESSABLE_ENTITY, error))
}

pub(super) async fn delete_persistence(
    State(handle): State<Handle>,
    Parameters(filter): Parameters<Filter>,
) -> Answer<Deleted> {
    if !filter.is_explicit() {
        let error = "name the records: virtual_server, client, pool, member, or all=true";
        return Err(refused(StatusCode::UNPROCESSABLE_ENTITY, error));
    }
    let selection = select(&handle, filter)?;
    let deleted = selection.delete().await;
    deleted.map(Json).map_err(|error| refused(StatusCode::INTERNAL_SERVER_ERROR, error))
}

/// Which member is meant.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MemberQuery {
    pool: String,
    /// `node:port`.
    member: String,
}

pub(super) async fn resume(
    State(handle): State<Handle>,
    Parameters(query): Parameters<MemberQuery>,
) -> Answer<Resumed> {
    let Some(key) = MemberKey::parse(&query.member) else {
        let error = format!("a member is `node:port`, found `{}`", bounded(&query.member));
        return Err(refused(StatusCode::UNPROCESSABLE_ENTITY, error));
    };
    let pool = Name::from(query.pool.as_str());
    handle.resume(&pool, &key).await.map_err(|why| command_refused(&why))?;
    tracing::info!(%pool, member = %key, "member resumed");
    Ok(Json(Resumed { pool: query.pool, member: query.member }))
}

const JSON: &str = "application/json";
