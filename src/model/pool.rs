use std::sync::Arc;

use super::{Member, MemberKey, Monitor, Name};

/// Members that serve the same port of the same service.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    pub name: Name,
    pub description: Option<String>,
    /// Who says whether a member is up; without any its health is unknown and it is used.
    pub monitors: Vec<Arc<Monitor>>,
    /// How many of the monitors must say so (F5's `min N of`); `None` is all.
    pub monitors_needed: Option<usize>,
    pub load_balancing_mode: LoadBalancing,
    /// How many other members are tried after a failed connect.
    pub reselect_tries: u32,
    /// In the file's order, which also breaks ties.
    pub members: Vec<Arc<Member>>,
}

impl Pool {
    pub fn member(&self, key: &MemberKey) -> Option<&Arc<Member>> {
        self.members.iter().find(|member| member.node.name == key.node && member.port == key.port)
    }
}

/// The load-balancing method (F5's `load-balancing-mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadBalancing {
    RoundRobin,
    /// Round robin in which a member takes `ratio` turns.
    RatioMember,
    /// Fewest connections of this pool.
    LeastConnectionsMember,
    /// Fewest connections of all pools to the node: one impalad serves 21000 and 21050.
    LeastConnectionsNode,
}

impl LoadBalancing {
    pub const ALL: [Self; 4] =
        [Self::RoundRobin, Self::RatioMember, Self::LeastConnectionsMember, Self::LeastConnectionsNode];

    /// The word that the file uses, which is tmsh's.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RoundRobin => "round-robin",
            Self::RatioMember => "ratio-member",
            Self::LeastConnectionsMember => "least-connections-member",
            Self::LeastConnectionsNode => "least-connections-node",
        }
    }
}
