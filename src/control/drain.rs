//! Draining: connections may end by themselves for a while, and the rest is closed.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use crate::proxy::Lifecycle;

/// Lets connections end by themselves until a moment, which may be moved, then closes the rest over a few seconds. When the
/// lifecycle says [at once](Lifecycle::closing_at_once), all are closed at once.
pub async fn drain(lifecycle: &Lifecycle, mut until: watch::Receiver<Instant>) {
    let connections = &lifecycle.connections;
    let limit_s = until.borrow().saturating_duration_since(Instant::now()).as_secs();
    tracing::info!(connections = connections.len(), limit_s, "draining");
    connections.close();
    loop {
        let limit = *until.borrow_and_update();
        tokio::select! {
            () = connections.wait() => return,
            () = sleep_until(limit) => break,
            () = lifecycle.closing_at_once() => break,
            Ok(()) = until.changed() => {}
        }
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
