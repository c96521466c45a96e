use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::proxy::Lifecycle;

/// Lets connections end by themselves for `limit`, then closes the rest, each at a moment of its own. When the
/// lifecycle says [at once](Lifecycle::closing_at_once), the rest is closed at once.
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
    lifecycle.close_connections();
    // Peers that read nothing must not keep the process; the rest ends with it.
    let _ = timeout(lifecycle.spread() + LAST_BYTES, connections.wait()).await;
}

/// How long the end of the last connections may take.
const LAST_BYTES: Duration = Duration::from_secs(5);
