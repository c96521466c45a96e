//! A member of a pool.

use std::fmt;
use std::sync::Arc;

use super::admin_state::AdminState;
use super::name::Name;
use super::node::Node;
use super::set_by::SetBy;

/// A port of a node that serves a pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    pub node: Arc<Node>,
    pub port: u16,
    /// Connections it may have at once; `None` is no limit. Exact, not divided by cores.
    pub connection_limit: Option<u32>,
    /// Connections it may get in any second; `None` is no limit.
    pub rate_limit: Option<u32>,
    /// Its share under the ratio methods of members, at least 1.
    pub ratio: u32,
    /// Who set `ratio` while pronk runs, if somebody did.
    pub ratio_set_by: Option<Arc<SetBy>>,
    /// Members with a higher one are used first, while the pool has `min-active-members`.
    pub priority_group: u32,
    pub description: Option<String>,
    pub state: AdminState,
    /// Who set `state` while pronk runs, if somebody did.
    pub state_set_by: Option<Arc<SetBy>>,
    /// Whether it was found by discovery and is not written in the file.
    pub discovered: bool,
}

impl Member {
    /// Creates an enabled member without limits, in the lowest priority group.
    pub fn new(node: Arc<Node>, port: u16) -> Self {
        Self {
            node,
            port,
            connection_limit: None,
            rate_limit: None,
            ratio: 1,
            ratio_set_by: None,
            priority_group: 0,
            description: None,
            state: AdminState::Enabled,
            state_set_by: None,
            discovered: false,
        }
    }

    pub fn key(&self) -> MemberKey {
        MemberKey { node: self.node.name.clone(), port: self.port }
    }
}

/// Names a member inside its pool, written `node:port`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberKey {
    pub node: Name,
    pub port: u16,
}

impl MemberKey {
    /// Reads `node:port`.
    pub fn parse(text: &str) -> Option<Self> {
        let (node, port) = text.rsplit_once(':')?;
        Some(Self { node: Name::from(node), port: port.parse().ok()? })
    }
}

impl fmt::Display for MemberKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match f.width() {
            None => write!(f, "{}:{}", self.node, self.port),
            Some(_) => f.pad(&format!("{}:{}", self.node, self.port)),
        }
    }
}
