//! How a running pronk is administered, besides by its admin socket.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use ipnet::IpNet;

use super::profile::ClientSsl;

/// The admin API over the network, and the audit log.
#[derive(Clone, Debug, PartialEq)]
pub struct Admin {
    /// Where the API listens; without it, it is served on the admin socket alone.
    pub listen: Option<SocketAddr>,
    /// TLS of the API; without it, it listens on loopback only.
    pub client_ssl: Option<Arc<ClientSsl>>,
    pub tokens_file: Option<PathBuf>,
    /// Networks that clients may come from; empty lets in all.
    pub source: Vec<IpNet>,
    pub metrics_without_token: bool,
    /// The file of the audit log; without it, its records go to the ordinary log.
    pub audit_log: Option<PathBuf>,
}

impl Admin {
    /// Returns whether clients may come from this address.
    pub fn lets_in(&self, address: IpAddr) -> bool {
        self.source.is_empty() || self.source.iter().any(|network| network.contains(&address))
    }
}
