//! The connections of other processes, which drain after an upgrade: they count toward limits, and where a member is chosen
//! by how many it has.

use std::collections::HashMap;

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
