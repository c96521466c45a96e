use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use tokio::net::UnixListener;

use super::explain::Explained;
use super::persistence::{Deleted, Filter, Listed};
use super::view::{Map, Refusal, Reloaded, Resumed, Stats};
use crate::control::Reloader;
use crate::model::{MemberKey, Name};
use crate::watch;

/// Answers on the socket until the process ends.
pub async fn serve(socket: UnixListener, reloader: Arc<Reloader>) {
    let router = Router::new()
        .route("/v1/map", get(map))
        .route("/v1/stats", get(stats))
        .route("/v1/certificates", get(certificates))
        .route("/v1/reload", post(reload))
        .route("/v1/members/resume", post(resume))
        .route("/v1/explain", get(explain))
        .route("/v1/persistence", get(list_persistence))
        .route("/v1/persistence/delete", post(delete_persistence))
        .with_state(reloader);
    if let Err(error) = axum::serve(socket, router).await {
        tracing::error!(%error, "the admin socket stopped");
    }
}

async fn map(State(reloader): State<Arc<Reloader>>) -> Json<Map> {
    Json(Map::of(&reloader.serving(), &reloader.registry().draining()))
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

async fn reload(State(reloader): State<Arc<Reloader>>, Query(query): Query<ReloadQuery>) -> Answer<Reloaded> {
    let outcome = if query.dry_run { reloader.reload(true).await } else { reloader.reload_and_log().await };
    match outcome {
        Ok(report) => Ok(Json(Reloaded { changes: report.changes, notes: report.notes.render(false) })),
        Err(wrong) => Err((StatusCode::UNPROCESSABLE_ENTITY, Json(Refusal { error: wrong.render(false) }))),
    }
}

type Answer<T> = Result<Json<T>, (StatusCode, Json<Refusal>)>;

fn refused(code: StatusCode, error: String) -> (StatusCode, Json<Refusal>) {
    (code, Json(Refusal { error }))
}

#[derive(Deserialize)]
struct ExplainQuery {
    virtual_server: String,
    client: String,
}

async fn explain(State(reloader): State<Arc<Reloader>>, Query(query): Query<ExplainQuery>) -> Answer<Explained> {
    let explained = Explained::of(&reloader.serving(), &query.virtual_server, &query.client);
    explained.map(Json).map_err(|error| refused(StatusCode::NOT_FOUND, error))
}

async fn list_persistence(State(reloader): State<Arc<Reloader>>, Query(filter): Query<Filter>) -> Answer<Listed> {
    let listed = filter.list(reloader.registry());
    listed.map(Json).map_err(|error| refused(StatusCode::UNPROCESSABLE_ENTITY, error))
}

async fn delete_persistence(State(reloader): State<Arc<Reloader>>, Query(filter): Query<Filter>) -> Answer<Deleted> {
    let deleted = filter.delete(reloader.registry());
    let deleted = deleted.map_err(|error| refused(StatusCode::UNPROCESSABLE_ENTITY, error))?;
    tracing::info!(records = deleted.deleted, "persistence records deleted");
    Ok(Json(deleted))
}

#[derive(Deserialize)]
struct MemberQuery {
    pool: String,
    /// `node:port`.
    member: String,
}

async fn resume(State(reloader): State<Arc<Reloader>>, Query(query): Query<MemberQuery>) -> Answer<Resumed> {
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
