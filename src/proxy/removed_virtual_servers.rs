//! Virtual servers that a reload removed, and whose connections go on.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use super::virtual_server::LiveVirtualServer;
use crate::model::Name;
use crate::pool::Pool;

/// Virtual servers that a reload removed, while they have connections, or lines of connections wait to be written. Such a
/// connection may wait in the queue of a pool that others use, and must not hold them up by an old configuration of the
/// pool.
#[derive(Debug, Default)]
pub struct RemovedVirtualServers(Vec<Weak<LiveVirtualServer>>);

impl RemovedVirtualServers {
    /// Adds those of `before` that `after` has no more, or another of their name.
    pub fn add(
        &mut self,
        before: &BTreeMap<Name, Arc<LiveVirtualServer>>,
        after: &BTreeMap<Name, Arc<LiveVirtualServer>>,
    ) {
        let goes_on = |name, live| after.get(name).is_some_and(|after| Arc::ptr_eq(after, live));
        let gone = before.iter().filter(|(name, live)| !goes_on(*name, live));
        self.0.extend(gone.map(|(_, live)| Arc::downgrade(live)));
    }

    /// Gives those that still have connections the newest pool of the same name, where there is one.
    pub fn update_pools(&mut self, pools: &BTreeMap<Name, Arc<Pool>>) {
        self.0.retain(|gone| {
            let Some(live) = gone.upgrade() else { return false };
            let snapshot = live.snapshot.load();
            if let Some(pool) = pools.get(&snapshot.pool.config.name) {
                live.apply(snapshot.with_pool(Arc::clone(pool)));
            }
            true
        });
    }
}
