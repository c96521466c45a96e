//! The state of the running system that everybody may read; the controller writes it.

use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use tokio::sync::{Notify, watch};

use super::administration::Administration;
use super::drains::Drains;
use super::phase::Phase;
use super::serving::Serving;
use super::stop_request::StopRequests;
use super::supervisor::Restarts;
use crate::inventory::Inventory;
use crate::pool::Registry;
use crate::proxy::OpenConnections;

/// The state of the running system that is read without asking the controller.
#[derive(Debug, Default)]
pub(super) struct SystemState {
    pub serving: ArcSwap<Serving>,
    pub registry: Registry,
    pub open: Arc<OpenConnections>,
    pub drains: Drains,
    pub stops: StopRequests,
    pub certificates: Arc<Inventory>,
    /// What administrators set.
    pub administration: ArcSwap<Administration>,
    pub phase: watch::Sender<Phase>,
    /// Notified when members may have been removed.
    pub removed: Notify,
    pub restarts: Restarts,
    /// Since when a configuration is being prepared.
    pub preparing: watch::Sender<Option<Instant>>,
}
