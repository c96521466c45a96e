//! A node (host) while it runs: its addresses, whether its name resolves, and the connections of all pools to it.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use super::elsewhere::Elsewhere;
use super::marks::Changed;
use super::persisted_count::PersistedCount;
use super::persistence::RecordTarget;
use super::queue::Turnstile;
use super::rate_limit::RateLimiter;
use crate::stats::Connections;

/// A node while it runs.
#[derive(Debug, Default)]
pub struct LiveNode {
    /// Of all pools.
    pub connections: Connections,
    /// Of those, how many persistence sent here.
    pub(super) persisted: PersistedCount,
    pub(super) rate: RateLimiter,
    addresses: ArcSwap<Vec<IpAddr>>,
    /// The name that these are the addresses of; of a node with an address there is none.
    name: Mutex<ResolvedName>,
    /// Its members in pools whose choices must be told of changes.
    watchers: Mutex<Vec<Weak<RecordTarget>>>,
    is_watched: AtomicBool,
    turnstile: Arc<Turnstile>,
}

/// The name of a node, and whether it resolves.
#[derive(Debug, Default)]
struct ResolvedName {
    fqdn: Box<str>,
    unresolved: Option<Box<Unresolved>>,
}

/// Since when the name of a node does not resolve, and why. The addresses that are known may be stale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unresolved {
    pub fqdn: String,
    pub since: SystemTime,
    pub reason: String,
}

/// What was known of a node before its name resolved.
#[derive(Debug, PartialEq, Eq)]
pub struct BeforeResolved {
    pub addresses: Arc<Vec<IpAddr>>,
    pub unresolved: Option<Unresolved>,
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
            self.mark(Changed::now());
            self.turnstile.wake();
        }
    }

    /// Takes what the node's name resolves to. Returns what was known before.
    pub fn resolved(&self, addresses: Vec<IpAddr>) -> BeforeResolved {
        let before = BeforeResolved { addresses: self.addresses(), unresolved: self.forget_unresolved() };
        self.set_addresses(addresses);
        before
    }

    /// Takes why the node's name does not resolve. The last addresses stay in use. Returns whether it did resolve
    /// before, or had not been tried.
    pub fn not_resolved(&self, reason: String, now: SystemTime) -> bool {
        let mut name = self.name.lock();
        let since = name.unresolved.as_ref().map(|before| before.since);
        let unresolved = Unresolved { fqdn: name.fqdn.to_string(), since: since.unwrap_or(now), reason };
        name.unresolved = Some(Box::new(unresolved));
        since.is_none()
    }

    /// Returns since when the node's name does not resolve, if it does not.
    pub fn unresolved(&self) -> Option<Unresolved> {
        self.name.lock().unresolved.as_deref().cloned()
    }

    /// Forgets that the node's name did not resolve, as when nobody resolves it any more.
    pub(super) fn forget_unresolved(&self) -> Option<Unresolved> {
        self.name.lock().unresolved.take().map(|unresolved| *unresolved)
    }

    /// Lets changes mark a member of this node from here on, where a fence follows.
    pub(super) fn watch(&self, member: &Arc<RecordTarget>) {
        let mut watchers = self.watchers.lock();
        let is_known = |known: &Weak<RecordTarget>| std::ptr::eq(known.as_ptr(), Arc::as_ptr(member));
        if !watchers.iter().any(is_known) {
            watchers.retain(|known| known.strong_count() > 0);
            watchers.push(Arc::downgrade(member));
        }
        self.is_watched.store(true, Ordering::Relaxed);
    }

    /// Lets the next choices look at the members of this node, which has changed.
    pub(super) fn mark(&self, changed: Changed) {
        if self.is_watched.load(Ordering::Relaxed) {
            self.watchers.lock().iter().filter_map(Weak::upgrade).for_each(|member| member.mark(changed));
        }
    }

    /// Sets how many connections there are elsewhere. Returns whether there is more room than before.
    pub(super) fn set_elsewhere(&self, elsewhere: Elsewhere) -> bool {
        let before = elsewhere.replace_in(&self.connections, &self.persisted);
        if before != elsewhere {
            self.mark(Changed::now());
        }
        before.connections > elsewhere.connections
    }

    /// Takes the address of a node without a name.
    pub(super) fn set_address(&self, address: IpAddr) {
        *self.name.lock() = ResolvedName::default();
        self.set_addresses(vec![address]);
    }

    /// Takes the node's name. What it resolved to before stays until it is resolved again; of another name nothing is
    /// known.
    pub(super) fn set_fqdn(&self, fqdn: &str) {
        let mut name = self.name.lock();
        if *name.fqdn != *fqdn {
            *name = ResolvedName { fqdn: fqdn.into(), unresolved: None };
            self.set_addresses(Vec::new());
        }
    }

    pub(super) fn is_resolved(&self) -> bool {
        !self.addresses.load().is_empty()
    }

    /// Returns whether an address of this name is known.
    pub(super) fn is_resolved_as(&self, fqdn: &str) -> bool {
        self.is_resolved() && *self.name.lock().fqdn == *fqdn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_that_comes_back_after_an_address_is_resolved_again() {
        let (node, name) = (LiveNode::default(), "n.example");
        node.set_fqdn(name);
        node.resolved(vec![[10, 0, 0, 1].into()]);
        assert!(node.is_resolved_as(name));
        assert!(node.not_resolved("no such host".into(), SystemTime::now()));
        node.set_fqdn(name);
        assert!(node.unresolved().is_some(), "a reload with the same name forgets nothing");
        node.set_address([10, 0, 0, 2].into());
        assert_eq!(node.unresolved(), None, "it has no name now");
        node.set_fqdn(name);
        assert!(!node.is_resolved_as(name), "the address was not what the name resolves to");
    }
}
