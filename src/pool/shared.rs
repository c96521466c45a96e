//! What a live pool and its members share.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::atomic_instant::Moment;
use super::marks::Marks;
use super::queue::Turnstile;
use super::service_down::ServiceDown;

/// What a live pool and its members share.
#[derive(Debug, Default)]
pub(super) struct PoolShared {
    /// Lets choices pass one at a time, and wakes those who wait.
    pub turnstile: Arc<Turnstile>,
    /// The members that the next choice must look at.
    pub marks: Marks,
    /// When a member was last lost: marked down, or its port no longer took connections.
    pub last_loss: Moment,
    /// What becomes of the connections of a member that goes down, by the latest configuration.
    pub service_down: ArcSwap<ServiceDown>,
}

impl PoolShared {
    pub(super) fn new(turnstile: &Arc<Turnstile>) -> Self {
        Self { turnstile: Arc::clone(turnstile), ..Self::default() }
    }
}
