//! Draining: connections may end by themselves for a while, and the rest is closed.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::proxy::Lifecycle;

/// Lets connections end by themselves for `limit`, then closes the rest over a few seconds. When the lifecycle says
/// [at once](Lifecycle::closing_at_once), all are closed at once.
pub async fn drain(lifecycle: &Lifecycle, limit: Duration) {
    let connections = &lifecycle.connections;
    tracing::info!(connections = connections.len(), limit_s = limit.as_secs(), "draining");
    connections.close();
    tokio::select! {
        () = connections.wait() => return,
        () = sleep(limit) => {}
        () = lifecycle.closing_at_once() => {}
    }
    tracing::info!(connections = connections.len(), "closing what is left");
    let closed = async {
        lifecycle.close_connections().await;
        connections.wait().await;
    };
    // Peers that read nothing must not keep the process; their connections end with it.
    let _ = timeout(lifecycle.spread() + CLOSE_LIMIT, closed).await;
}

/// How long the end of the last connections may take.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);
