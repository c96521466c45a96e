//! The connections of other processes, which drain after an upgrade: they count toward limits, and where a member is chosen
//! by how many it has.

use std::collections::HashMap;

use super::live_pool::LivePool;
use super::marks::Changed;
use super::node::LiveNode;
use crate::model::{MemberKey, Name};

/// How many connections there are elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Elsewhere {
    pub connections: u32,
    /// Of those, how many persistence sent there.
    pub persisted: u32,
}

impl Elsewhere {
    /// Adds others.
    pub fn add(&mut self, other: Self) {
        self.connections = self.connections.saturating_add(other.connections);
        self.persisted = self.persisted.saturating_add(other.persisted);
    }
}

/// How many connections there are elsewhere to each member, by pool.
pub type MembersElsewhere = HashMap<Name, HashMap<MemberKey, Elsewhere>>;

impl LiveNode {
    /// Sets how many connections there are elsewhere. Returns whether there is more room than before.
    pub(super) fn set_elsewhere(&self, elsewhere: Elsewhere) -> bool {
        let before = Elsewhere {
            persisted: self.persisted.set_elsewhere(elsewhere.persisted),
            connections: self.connections.set_elsewhere(elsewhere.connections),
        };
        if before != elsewhere {
            self.mark(Changed::now());
        }
        before.connections > elsewhere.connections
    }
}

impl LivePool {
    /// Does the same for each of its members.
    pub(super) fn set_elsewhere(&self, members: Option<&HashMap<MemberKey, Elsewhere>>) -> bool {
        let (mut all, mut has_more_room) = (0_u32, false);
        for (key, live) in self.members() {
            let of = members.and_then(|members| members.get(&key)).copied().unwrap_or_default();
            all = all.saturating_add(of.connections);
            has_more_room |= live.set_elsewhere(of);
        }
        self.connections.set_elsewhere(all);
        has_more_room
    }
}
