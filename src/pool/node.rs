//! A node (host) while it runs: its addresses, and the connections of all pools to it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use super::queue::Turnstile;
use super::rate_limit::RateLimiter;
use crate::stats::Connections;

/// A node while it runs.
#[derive(Debug, Default)]
pub struct LiveNode {
    /// Of all pools.
    pub connections: Connections,
    /// Of those, how many persistence sent here.
    pub(super) persisted: AtomicU32,
    pub(super) rate: RateLimiter,
    addresses: ArcSwap<Vec<IpAddr>>,
    /// The name that these are the addresses of, if it has one.
    fqdn: Mutex<String>,
    turnstile: Arc<Turnstile>,
}

impl LiveNode {
    pub(super) fn new(turnstile: &Arc<Turnstile>) -> Self {
        Self { turnstile: Arc::clone(turnstile), ..Self::default() }
    }

    /// Returns where the node is: one address, or what its name resolved to; empty while that has not succeeded.
    pub fn addresses(&self) -> Arc<Vec<IpAddr>> {
        self.addresses.load_full()
    }

    /// Takes where the node is. If that is new, whoever waits may go there.
    pub fn set_addresses(&self, addresses: Vec<IpAddr>) {
        if **self.addresses.load() != addresses {
            self.addresses.store(Arc::new(addresses));
            self.turnstile.wake();
        }
    }

    /// Takes the node's name. What it resolved to before stays until it is resolved again; of another name nothing is
    /// known.
    pub(super) fn set_fqdn(&self, fqdn: &str) {
        let mut known = self.fqdn.lock();
        if *known != fqdn {
            fqdn.clone_into(&mut known);
            self.set_addresses(Vec::new());
        }
    }

    pub(super) fn is_resolved(&self) -> bool {
        !self.addresses.load().is_empty()
    }

    /// Returns whether an address of this name is known.
    pub(super) fn is_resolved_as(&self, fqdn: &str) -> bool {
        self.is_resolved() && *self.fqdn.lock() == *fqdn
    }
}
