//! Failures of clients' connections to a member, for passive monitors.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::sync::broadcast;

/// A failure of a client's connection to a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PassiveEvent {
    /// Connecting or the TLS handshake failed; with the reason in words.
    Failed(String),
    /// The same, as no answer came in time.
    TimedOut(String),
    /// The member took what opens a session, and has answered nobody since.
    Hanging,
    /// It ended after this long, and the member had sent nothing.
    Silent(Duration),
    /// The member ended it while its client did not, as one does that dies.
    Lost,
}

/// Passes events on to passive monitors. The channel is made for the first of them, as most members have none.
#[derive(Debug, Default)]
pub(super) struct PassiveEvents(OnceLock<broadcast::Sender<PassiveEvent>>);

impl PassiveEvents {
    pub(super) fn publish(&self, event: PassiveEvent) {
        if let Some(channel) = self.0.get().filter(|channel| channel.receiver_count() > 0) {
            // Without a monitor there is nobody to miss it.
            let _ = channel.send(event);
        }
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<PassiveEvent> {
        self.0.get_or_init(|| broadcast::Sender::new(KEPT)).subscribe()
    }
}

/// Events that a slow monitor may be behind; it misses those beyond.
const KEPT: usize = 64;
