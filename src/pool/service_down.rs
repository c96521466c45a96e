//! The service-down action: what becomes of a member's connections when it goes down or is removed.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::sync::watch;

use crate::model::ServiceDownAction;

/// What becomes of connections whose member goes down or is removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ServiceDown {
    pub action: ServiceDownAction,
    /// How long after a removal; `None` is never.
    pub drain_time: Option<Duration>,
}

/// The action in force on the connections of one member: none while it is up. The channel is made for the first
/// connection, as there may be thousands of members that have none.
#[derive(Debug, Default)]
pub(super) struct ActionInForce(OnceLock<watch::Sender<ServiceDownAction>>);

impl ActionInForce {
    /// Puts an action in force; returns whether it is another one than before.
    pub(super) fn set(&self, action: ServiceDownAction) -> bool {
        if action == ServiceDownAction::None && self.0.get().is_none() {
            return false;
        }
        self.channel().send_if_modified(|known| std::mem::replace(known, action) != action)
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<ServiceDownAction> {
        self.channel().subscribe()
    }

    fn channel(&self) -> &watch::Sender<ServiceDownAction> {
        self.0.get_or_init(watch::Sender::default)
    }
}
