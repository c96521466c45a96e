//! Health checks of pronk itself (`GET /healthz`, `GET /readyz`): for keepalived, Kubernetes and load balancers before it.

use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::caller::Peer;
use super::each_once::EachOnce;
use crate::control::{Handle, Phase};
use crate::model::AdminState;
use crate::pool::{Availability, Pool, Status};
use crate::proxy::LiveVirtualServer;
use crate::words::bounded;

/// Whether all is well, and why or why not.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HealthAnswer {
    pub ok: bool,
    /// starting, serving, draining or stopped.
    pub phase: String,
    pub reason: String,
}

/// Which virtual server is asked about.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadyQuery {
    #[serde(rename = "virtual-server", alias = "virtual_server")]
    virtual_server: Option<String>,
}

pub(super) type Answer = (StatusCode, Json<HealthAnswer>);

/// Answers whether the control plane takes commands.
pub(super) async fn healthz(handle: &Handle) -> Answer {
    let phase = handle.phase();
    let (code, reason) = match timeout(PATIENCE, handle.ping()).await {
        Ok(Ok(())) => (StatusCode::OK, "the control plane answers".to_owned()),
        Ok(Err(why)) => (StatusCode::SERVICE_UNAVAILABLE, why.to_string()),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, format!("the control plane does not answer within {PATIENCE:?}")),
    };
    answer(code, phase, reason)
}

/// Answers whether clients are served: by any virtual server, or by one.
pub(super) fn readyz(handle: &Handle, peer: Peer, query: &ReadyQuery) -> Answer {
    let (phase, serving) = (handle.phase(), handle.serving());
    // The new process serves at the address at which this one accepted the client a moment ago.
    let is_served = handle.handed_over().borrow().is_some() && matches!(peer, Peer::Network { .. });
    let not_serving = match phase {
        Phase::Starting => Some("the first configuration is being prepared"),
        Phase::Serving => None,
        Phase::Draining | Phase::Stopped if is_served => None,
        Phase::Draining => Some("pronk was told to stop, and takes no new connections"),
        Phase::Stopped => Some("pronk has stopped"),
    };
    if let Some(reason) = not_serving {
        return answer(StatusCode::SERVICE_UNAVAILABLE, phase, reason.to_owned());
    }
    if let Some(name) = &query.virtual_server {
        let Some(live) = serving.virtual_servers.values().find(|it| it.name.as_str() == name) else {
            let reason = format!("there is no virtual server `{}`", bounded(name));
            return answer(StatusCode::NOT_FOUND, phase, reason);
        };
        let status = live.status();
        return answer(code(takes_clients(&status)), phase, in_words(live, &status));
    }
    let (mut why, mut statuses) = (None, EachOnce::default());
    for live in serving.virtual_servers.values() {
        let snapshot = live.snapshot.load();
        let status = live.status_over(&snapshot, statuses.of(&snapshot.pool, Pool::status));
        let text = in_words(live, &status);
        if takes_clients(&status) {
            return answer(StatusCode::OK, phase, text);
        }
        why.get_or_insert(text);
    }
    let why = why.map_or_else(|| "there is none".to_owned(), |first| format!("the first is no use: {first}"));
    answer(StatusCode::SERVICE_UNAVAILABLE, phase, format!("no virtual server takes clients; {why}"))
}

fn code(ok: bool) -> StatusCode {
    if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

fn answer(code: StatusCode, phase: Phase, reason: String) -> Answer {
    (code, Json(HealthAnswer { ok: code == StatusCode::OK, phase: phase.as_str().to_owned(), reason }))
}

/// Returns whether new clients are served. Members that nobody monitors are used, so what is unknown counts as good.
fn takes_clients(status: &Status) -> bool {
    status.state == AdminState::Enabled
        && matches!(status.availability, Availability::Available | Availability::Unknown)
}

fn in_words(live: &LiveVirtualServer, status: &Status) -> String {
    format!("{} is {}: {}", live.name, status.availability.as_str(), status.reason)
}

/// How long the controller may take. A stop keeps it for a second.
const PATIENCE: Duration = Duration::from_secs(3);
