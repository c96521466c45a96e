//! A request to stop that does not come by a signal.

use std::time::Duration;

use tokio::sync::watch;

/// Asks the process to stop, as SIGTERM does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StopRequest {
    /// How long connections may go on, unless it is as the process was started.
    pub drain_timeout: Option<Duration>,
    /// Whether the process that has taken over passes it on: then it only shortens the time.
    pub is_passed_on: bool,
}

/// The newest request to stop.
#[derive(Debug, Default)]
pub(super) struct StopRequests(watch::Sender<Option<StopRequest>>);

impl StopRequests {
    pub(super) fn add(&self, request: StopRequest) {
        self.0.send_replace(Some(request));
    }

    /// Waits for a request that nobody has taken yet.
    pub(super) async fn next(&self) -> StopRequest {
        let mut requests = self.0.subscribe();
        // The sender is part of this, so it lasts.
        let _ = requests.wait_for(Option::is_some).await;
        self.0.send_replace(None).unwrap_or(StopRequest { drain_timeout: None, is_passed_on: false })
    }
}
