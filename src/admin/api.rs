use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use tokio::net::UnixListener;

use super::view::{Map, Refusal, Reloaded, Stats};
use crate::reload::Reloader;

/// Answers on the socket until the process ends.
pub async fn serve(socket: UnixListener, reloader: Arc<Reloader>) {
    let router = Router::new()
        .route("/v1/map", get(map))
        .route("/v1/stats", get(stats))
        .route("/v1/reload", post(reload))
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

#[derive(Deserialize)]
struct ReloadQuery {
    #[serde(default)]
    dry_run: bool,
}

async fn reload(
    State(reloader): State<Arc<Reloader>>,
    Query(query): Query<ReloadQuery>,
) -> Result<Json<Reloaded>, (StatusCode, Json<Refusal>)> {
    match reloader.reload(query.dry_run).await {
        Ok(report) => {
            if !query.dry_run {
                tracing::info!(changes = report.changes.len(), "configuration reloaded");
            }
            Ok(Json(Reloaded { changes: report.changes, notes: report.notes.render(false) }))
        }
        Err(wrong) => {
            let error = wrong.render(false);
            tracing::error!(%error, "reload refused; nothing changed");
            Err((StatusCode::UNPROCESSABLE_ENTITY, Json(Refusal { error })))
        }
    }
}
