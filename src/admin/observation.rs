//! The routes that show how pronk does: metrics, health, statistics, names.

use std::sync::LazyLock;
use std::time::SystemTime;

use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};

use super::answers::ErrorBody;
use super::health::{self, HealthAnswer, ReadyQuery};
use super::metrics::{Scraper, metrics};
use super::names::Names;
use super::parameters::{Named, Parameters};
use super::statistics::{ResetQuery, StatisticsReset, Stats};
use crate::control::Handle;
use crate::log::Log;

#[derive(Clone, Debug)]
struct Observed {
    handle: Handle,
    scraper: Scraper,
}

impl FromRef<Observed> for Handle {
    fn from_ref(observed: &Observed) -> Self {
        observed.handle.clone()
    }
}

impl FromRef<Observed> for Scraper {
    fn from_ref(observed: &Observed) -> Self {
        observed.scraper.clone()
    }
}

/// Returns the routes.
pub(super) fn router<S>(handle: Handle, log: Log) -> Router<S> {
    LazyLock::force(&STARTED);
    let scraper = Scraper::new(handle.clone(), log);
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/v1/stats", get(stats))
        .route("/v1/stats/reset", post(reset))
        .route("/v1/names", get(names))
        .with_state(Observed { handle, scraper })
}

async fn healthz(State(handle): State<Handle>) -> (StatusCode, Json<HealthAnswer>) {
    health::healthz(&handle).await
}

async fn readyz(
    State(handle): State<Handle>,
    Parameters(query): Parameters<ReadyQuery>,
) -> (StatusCode, Json<HealthAnswer>) {
    health::readyz(&handle, &query)
}

async fn stats(State(handle): State<Handle>) -> Json<Stats> {
    Json(Stats::of(&handle.serving(), *STARTED))
}

async fn reset(
    State(handle): State<Handle>,
    Parameters(query): Parameters<ResetQuery>,
) -> Result<Json<StatisticsReset>, (StatusCode, Json<ErrorBody>)> {
    let reset = query.reset(&handle.serving(), SystemTime::now());
    let reset = reset.map_err(|error| (StatusCode::NOT_FOUND, Json(ErrorBody { error })))?;
    let StatisticsReset { virtual_servers, pools, members, .. } = &reset;
    tracing::info!(virtual_servers, pools, members, "statistics reset");
    Ok(Json(reset))
}

async fn names(State(handle): State<Handle>) -> Json<Names> {
    Json(Names::of(&handle.serving()))
}

impl Named for ReadyQuery {
    const NAMES: &'static str = "virtual-server";
}

impl Named for ResetQuery {
    const NAMES: &'static str = "virtual_server, pool, member";
}

/// When the process started, to within the time until its admin socket is there.
static STARTED: LazyLock<SystemTime> = LazyLock::new(SystemTime::now);
