use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use tokio::net::UnixListener;

use super::view::{Map, Refusal, Reloaded, Resumed, Stats};
use crate::model::{MemberKey, Name};
use crate::reload::Reloader;
use crate::watch;

/// Answers on the socket until the process ends.
pub async fn serve(socket: UnixListener, reloader: Arc<Reloader>) {
    let router = Router::new()
        .route("/v1/map", get(map))
        .route("/v1/stats", get(stats))
        .route("/v1/certificates", get(certificates))
        .route("/v1/reload", post(reload))
        .route("/v1/members/resume", post(resume))
        .with_state(reloader);
    if let Err(error) = axum::serve(socket, router).await {
        tracing::error!(%error, "the admin socket stopped");
    }
}

async fn map(State(reloader): State<Arc<Reloader>>) -> Json<Map> {
    Json(Map::of(&reloader.serving()))
}

async fn stats(State(reloader): State<Arc<Reloader>>) -> Json<Stats> {
    Json(Stats::of(&reloader.serving()))
}

async fn certificates(State(reloader): State<Arc<Reloader>>) -> Json<watch::Snapshot> {
    Json(reloader.certificates().snapshot())
}

#[derive(Deserialize)]
struct ReloadQuery {
    #[serde(default)]
    dry_run: bool,
}

async fn reload(
    State(reloader): State<Arc<Reloader>>,
    Query(query): Query<ReloadQuery>,
) -> Result<Json<Reloaded>, (StatusCode, Json<Refusal>)> {
    let outcome = if query.dry_run { reloader.reload(true).await } else { reloader.reload_and_log().await };
    match outcome {
        Ok(report) => Ok(Json(Reloaded { changes: report.changes, notes: report.notes.render(false) })),
        Err(wrong) => Err((StatusCode::UNPROCESSABLE_ENTITY, Json(Refusal { error: wrong.render(false) }))),
    }
}

#[derive(Deserialize)]
struct MemberQuery {
    pool: String,
    /// `node:port`.
    member: String,
}

async fn resume(
    State(reloader): State<Arc<Reloader>>,
    Query(query): Query<MemberQuery>,
) -> Result<Json<Resumed>, (StatusCode, Json<Refusal>)> {
    let refused = |code, error| (code, Json(Refusal { error }));
    let key = query.member.rsplit_once(':').and_then(|(node, port)| {
        let port = port.parse().ok()?;
        Some(MemberKey { node: Name::from(node), port })
    });
    let Some(key) = key else {
        let error = format!("a member is `node:port`, found `{}`", query.member);
        return Err(refused(StatusCode::UNPROCESSABLE_ENTITY, error));
    };
    let pool = Name::from(query.pool.as_str());
    reloader.resume(&pool, &key).map_err(|error| refused(StatusCode::NOT_FOUND, error))?;
    tracing::info!(%pool, member = %key, "member resumed");
    Ok(Json(Resumed { pool: query.pool, member: query.member }))
}
