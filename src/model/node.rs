//! A node: a host that runs an impalad.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::admin_state::AdminState;
use super::name::Name;
use super::set_by::SetBy;

/// A host that runs an impalad.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub name: Name,
    pub address: Address,
    /// The name in the host's own certificate; a server-ssl profile checks it.
    pub hostname: Option<String>,
    pub description: Option<String>,
    /// Connections from all pools that it may have at once; `None` is no limit.
    pub connection_limit: Option<u32>,
    /// Connections from all pools that it may get in any second; `None` is no limit.
    pub rate_limit: Option<u32>,
    /// Its share under the ratio methods of nodes, at least 1.
    pub ratio: u32,
    pub state: AdminState,
    /// Who set `state` while pronk runs, if somebody did.
    pub state_set_by: Option<Arc<SetBy>>,
    /// Whether each address of a node with a name is a member of its own (F5's `autopopulate`).
    pub autopopulate: bool,
    /// How often a name is resolved again.
    pub interval: Duration,
}

/// Where a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Ip(IpAddr),
    /// A fully qualified domain name, resolved at start and again while pronk runs.
    Fqdn(String),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Fqdn(name) => f.write_str(name),
        }
    }
}

impl Node {
    /// How often names are resolved again unless told otherwise.
    pub const INTERVAL: Duration = Duration::from_secs(30);

    /// Creates an enabled node without limits.
    pub fn new(name: Name, address: Address) -> Self {
        Self {
            name,
            address,
            hostname: None,
            description: None,
            connection_limit: None,
            rate_limit: None,
            ratio: 1,
            state: AdminState::Enabled,
            state_set_by: None,
            autopopulate: false,
            interval: Self::INTERVAL,
        }
    }

    /// Returns the name that the node's certificate must carry when a profile sets none: its `hostname`, else its FQDN,
    /// else its IP address.
    pub fn certificate_name(&self) -> String {
        match (&self.hostname, &self.address) {
            (Some(hostname), _) => hostname.clone(),
            (None, address) => address.to_string(),
        }
    }
}
