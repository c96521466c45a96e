//! The state of the running system that everybody may read; the controller writes it.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Weak};
use std::time::Instant;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

use super::administration::Administration;
use super::handover::{DrainingProcesses, HandedOver};
use super::network_api::NetworkApi;
use super::phase::Phase;
use super::reload_counts::ReloadCounts;
use super::serving::Serving;
use super::supervisor::Restarts;
use crate::audit::AuditLog;
use crate::inventory::Inventory;
use crate::model::Name;
use crate::pool::Registry;

/// The sockets that listen, by the destination and, for port 0, the virtual server.
pub type ListeningSockets = Vec<((SocketAddr, Option<Name>), Weak<TcpListener>)>;

/// The state of the running system that is read without asking the controller.
#[derive(Debug, Default)]
pub(super) struct SystemState {
    pub serving: ArcSwap<Serving>,
    pub registry: Registry,
    pub certificates: Arc<Inventory>,
    /// What administrators set.
    pub administration: ArcSwap<Administration>,
    /// The admin API over the network, if the configuration asks for it.
    pub network_api: watch::Sender<Option<Arc<NetworkApi>>>,
    pub audit: AuditLog,
    pub phase: watch::Sender<Phase>,
    /// Notified when members may have been removed.
    pub removed: Notify,
    pub restarts: Restarts,
    pub reloads: ReloadCounts,
    /// The process that has taken over, once one has.
    pub handed_over: watch::Sender<Option<Arc<HandedOver>>>,
    /// Processes that drain after they have handed over to this one.
    pub draining_processes: DrainingProcesses,
    /// The descriptor of the admin socket, for the process that takes over.
    pub admin_socket: Mutex<Option<OwnedFd>>,
    /// The sockets that listen.
    pub listening: watch::Sender<ListeningSockets>,
    /// Since when a configuration is being prepared.
    pub preparing: watch::Sender<Option<Instant>>,
}
