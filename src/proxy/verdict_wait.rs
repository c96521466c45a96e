//! How long the end of a member's connection waits for the verdict of the member's monitors.
//!
//! Where service-down-action cuts the connections of a member that goes down, clients should see that, and not an end
//! in order that the dying member sent a moment earlier.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

/// The wait for the verdict, from the first poll on.
#[derive(Debug, Default)]
pub(super) struct VerdictWait {
    /// Made only when it is needed, as it would be most of what an idle connection holds.
    timer: Option<Pin<Box<Sleep>>>,
}

impl VerdictWait {
    /// Ready when the wait is over.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.timer.get_or_insert_with(|| Box::pin(sleep(VERDICT))).as_mut().poll(cx)
    }
}

/// Within this time a monitor that is told of an end has found out whether the member's port listens.
pub(super) const VERDICT: Duration = Duration::from_millis(250);
