//! Who sends a request, from where, and why.

use std::net::SocketAddr;

use crate::access::Role;
use crate::audit::Source;

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum Peer {
    /// A process of this host, at the admin socket, with its user id.
    Socket { uid: Option<u32> },
    /// A client of the network.
    Network { address: SocketAddr },
}

/// Who sends a request that was let in.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// Such as `alice (uid 1000)` or `token prometheus`.
    pub who: String,
    pub role: Role,
    /// The reason that was given for a change.
    pub why: Option<String>,
    /// Whether another process of pronk passes the request on, which has others to ask.
    pub is_forwarded: bool,
}

impl Peer {
    pub(super) fn source(self) -> Source {
        match self {
            Self::Socket { .. } => Source::Socket,
            Self::Network { address } => Source::Network(address),
        }
    }
}

/// Returns who asks: the name that the client gives, and what is known for certain, such as `uid 0`.
pub(super) fn who(claimed: Option<&str>, known: &str) -> String {
    match claimed.filter(|name| !name.is_empty()) {
        Some(name) => format!("{name} ({known})"),
        None => known.to_owned(),
    }
}
