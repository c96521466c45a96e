//! What the routes answer that show how pronk does: metrics, health, statistics, names.

use std::sync::LazyLock;
use std::time::SystemTime;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;

use super::answers::{Answer, refused};
use super::caller::Peer;
use super::health::{self, HealthAnswer, ReadyQuery};
use super::names::Names;
use super::parameters::{NoParameters, Parameters};
use super::statistics::{ResetQuery, StatisticsReset, Stats};
use crate::control::Handle;

/// Notes that the process starts now.
pub(super) fn note_start() {
    LazyLock::force(&STARTED);
}

pub(super) async fn healthz(State(handle): State<Handle>) -> (StatusCode, Json<HealthAnswer>) {
    health::healthz(&handle).await
}

pub(super) async fn readyz(
    State(handle): State<Handle>,
    Extension(peer): Extension<Peer>,
    Parameters(query): Parameters<ReadyQuery>,
) -> (StatusCode, Json<HealthAnswer>) {
    health::readyz(&handle, peer, &query)
}

pub(super) async fn stats(State(handle): State<Handle>, _: Parameters<NoParameters>) -> Json<Stats> {
    Json(Stats::of(&handle.serving(), *STARTED))
}

pub(super) async fn reset(
    State(handle): State<Handle>,
    Parameters(query): Parameters<ResetQuery>,
) -> Answer<StatisticsReset> {
    let reset = query.reset(&handle.serving(), SystemTime::now());
    let reset = reset.map_err(|error| refused(StatusCode::NOT_FOUND, error))?;
    let StatisticsReset { virtual_servers, pools, members, .. } = &reset;
    tracing::info!(virtual_servers, pools, members, "statistics reset");
    Ok(Json(reset))
}

pub(super) async fn names(State(handle): State<Handle>, _: Parameters<NoParameters>) -> Json<Names> {
    Json(Names::of(&handle.serving()))
}

/// When the process started, to within the time until its admin socket is there.
static STARTED: LazyLock<SystemTime> = LazyLock::new(SystemTime::now);
