//! What all connections follow of the process: whether it listens, which are open, and when the drain closes them.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::open_connections::OpenConnections;

/// The state of the process that listeners and connections follow.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    /// The runtime that carries connections, and nothing else.
    workers: Handle,
    /// Every connection's task.
    pub connections: TaskTracker,
    /// Those that are open.
    pub open: Arc<OpenConnections>,
    /// The parent of every listener's own token.
    listening: CancellationToken,
    close_at_once: CancellationToken,
    spread: Duration,
}

impl Lifecycle {
    /// Connections run on `workers`. `spread` is the time over which [`close_connections`](Self::close_connections)
    /// closes them, so that clients do not all connect again at the same instant.
    pub fn new(workers: Handle, spread: Duration) -> Self {
        let [listening, close_at_once] = [(); 2].map(|()| CancellationToken::new());
        Self { workers, connections: TaskTracker::new(), open: Arc::default(), listening, close_at_once, spread }
    }

    /// Returns the time over which [`close_connections`](Self::close_connections) closes connections.
    pub fn spread(&self) -> Duration {
        self.spread
    }

    /// Returns the runtime that carries connections. Their sockets must be registered with it.
    pub fn workers(&self) -> &Handle {
        &self.workers
    }

    /// Stops every listener, including those that are started later.
    pub fn stop_listening(&self) {
        self.listening.cancel();
    }

    /// Returns whether listeners may be started.
    pub fn is_listening(&self) -> bool {
        !self.listening.is_cancelled()
    }

    /// Returns a token for one listener, which is cancelled with those of all.
    pub(super) fn listener_token(&self) -> CancellationToken {
        self.listening.child_token()
    }

    /// Closes every connection, each at a moment of its own.
    pub async fn close_connections(&self) {
        self.open.close_over(self.spread).await;
    }

    /// Closes every connection at once.
    pub fn close_connections_at_once(&self) {
        self.close_at_once.cancel();
        self.open.close_at_once();
    }

    /// Waits until connections are to be closed at once.
    pub async fn closing_at_once(&self) {
        self.close_at_once.cancelled().await;
    }
}
