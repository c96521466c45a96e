//! The connections of other processes, which drain after an upgrade: they count toward limits, and where a member is chosen
//! by how many it has.

use std::collections::HashMap;

use super::persisted_count::PersistedCount;
use crate::model::{MemberKey, Name};
use crate::stats::Connections;

/// How many connections there are elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Elsewhere {
    pub connections: u32,
    /// Of those, how many persistence sent there.
    pub persisted: u32,
}

impl Elsewhere {
    /// Sets how many there are elsewhere in these counts of a member or a node. Returns how many there were before.
    pub(super) fn replace_in(self, connections: &Connections, persisted: &PersistedCount) -> Self {
        Self {
            connections: connections.set_elsewhere(self.connections),
            persisted: persisted.set_elsewhere(self.persisted),
        }
    }

    /// Adds others.
    pub fn add(&mut self, other: Self) {
        self.connections = self.connections.saturating_add(other.connections);
        self.persisted = self.persisted.saturating_add(other.persisted);
    }
}

/// How many connections there are elsewhere to each member, by pool.
pub type MembersElsewhere = HashMap<Name, HashMap<MemberKey, Elsewhere>>;
