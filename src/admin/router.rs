//! The API: its routes behind the gate.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode, Uri};
use axum::{Extension, Router, middleware};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answers::{Refusal, no_route};
use super::caller::Peer;
use super::gate::{self, Gate};
use super::metrics::Scraper;
use super::observation;
use super::openapi;
use super::routes::routes;
use super::state::ApiState;
use crate::control::Handle;
use crate::log::Log;

/// The API of a running pronk, whoever asks for it.
#[derive(Clone, Debug)]
pub struct Api {
    router: Router,
    /// The connections that are open.
    connections: TaskTracker,
    /// The process ends.
    end: CancellationToken,
}

impl Api {
    /// Returns the API of this process, which has its admin socket at a path.
    pub fn new(handle: Handle, log: Log, socket: &Path) -> Self {
        observation::note_start();
        let rows = routes();
        let scraper = Scraper::new(handle.clone(), log.clone());
        let document = openapi::document(&rows).to_string().into();
        let gate = Arc::new(Gate::new(&rows, handle.clone()));
        let router = rows.into_iter().fold(Router::new(), |router, row| router.route(row.path, row.serve));
        let router = router
            .fallback(unknown)
            .method_not_allowed_fallback(of_other_methods)
            .layer(middleware::from_fn_with_state(gate, gate::pass))
            .with_state(ApiState {
                handle,
                log,
                scraper,
                socket: socket.into(),
                long_answers: Arc::new(Semaphore::new(MOST_LONG_ANSWERS)),
                document,
            });
        Self { router, connections: TaskTracker::new(), end: CancellationToken::new() }
    }

    /// Has requests that are under way answered, and closes connections: the process ends. Returns after `limit` at the
    /// latest.
    pub async fn finish(&self, limit: Duration) {
        self.end.cancel();
        self.connections.close();
        // Who does not take the answer in time misses it.
        let _ = timeout(limit, self.connections.wait()).await;
    }

    /// Serves a connection as a task of its own.
    pub(super) fn spawn(&self, connection: impl Future<Output = ()> + Send + 'static) {
        drop(self.connections.spawn(connection));
    }

    /// Waits until the process ends.
    pub(super) async fn ended(&self) {
        self.end.cancelled().await;
    }

    /// Returns the routes as a client sees them.
    pub(super) fn for_peer(&self, peer: Peer) -> Router {
        self.router.clone().layer(Extension(peer))
    }
}

async fn unknown(method: Method, uri: Uri) -> Refusal {
    no_route(StatusCode::NOT_FOUND, &method, uri.path())
}

async fn of_other_methods(method: Method, uri: Uri) -> Refusal {
    no_route(StatusCode::METHOD_NOT_ALLOWED, &method, uri.path())
}

/// Requests at a time that have other processes list their connections or clients.
const MOST_LONG_ANSWERS: usize = 2;
