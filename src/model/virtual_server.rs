//! A virtual server: what clients connect to.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;

use super::admin_state::AdminState;
use super::client_limits::ClientLimits;
use super::name::Name;
use super::pool::Pool;
use super::profile::{ClientSsl, Persistence, Protocol, ServerSsl};
use super::set_by::SetBy;

/// What clients connect to.
#[derive(Clone, Debug, PartialEq)]
pub struct VirtualServer {
    pub name: Name,
    pub description: Option<String>,
    pub kind: VirtualServerKind,
    /// `[::]` takes IPv4 as well.
    pub destination: SocketAddr,
    /// The front-end name that clients connect to and check in certificates.
    pub hostname: Option<String>,
    pub pool: Arc<Pool>,
    /// Asked first, and the next where it names no member that may be used.
    pub persistence: Option<Arc<Persistence>>,
    pub fallback_persistence: Option<Arc<Persistence>>,
    pub client_ssl: Option<Arc<ClientSsl>>,
    pub server_ssl: Option<Arc<ServerSsl>>,
    pub protocol: Arc<Protocol>,
    pub dial: Dial,
    /// Connections at once; `None` is no limit.
    pub connection_limit: Option<u32>,
    /// Connections in any second; `None` is no limit.
    pub rate_limit: Option<u32>,
    /// What each client may have.
    pub client_limits: ClientLimits,
    /// Clients outside these networks are refused; empty lets everyone in.
    pub source: Vec<IpNet>,
    /// A disabled virtual server lets those in that have a persistence record; one that is forced offline does not
    /// listen. Both finish the connections that they have.
    pub state: AdminState,
    /// Who set `state` while pronk runs, if somebody did.
    pub state_set_by: Option<Arc<SetBy>>,
    /// What a client meets whom no member could take.
    pub service_down_immediate_action: ImmediateAction,
}

/// What is done with a client at once when no member could take it (F5's `service-down-immediate-action`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImmediateAction {
    /// Nothing at once: it is refused when a member is wanted.
    #[default]
    None,
    Reset,
    /// It is told nothing.
    Drop,
}

impl ImmediateAction {
    pub const ALL: [Self; 3] = [Self::None, Self::Reset, Self::Drop];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Reset => "reset",
            Self::Drop => "drop",
        }
    }
}

impl VirtualServer {
    /// Returns which of the TLS modes the named profiles make.
    pub fn mode(&self) -> Mode {
        match (&self.client_ssl, &self.server_ssl) {
            (None, None) => Mode::Passthrough,
            (Some(_), None) => Mode::Offload,
            (Some(_), Some(_)) => Mode::ReEncrypt,
            (None, Some(_)) => Mode::ServerOnly,
        }
    }
}

/// F5's virtual server types that pronk has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VirtualServerKind {
    /// A full proxy, with or without SSL profiles.
    Standard,
    /// Forwards bytes and takes no SSL profile.
    PerformanceL4,
}

impl VirtualServerKind {
    pub const ALL: [Self; 2] = [Self::Standard, Self::PerformanceL4];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::PerformanceL4 => "performance-l4",
        }
    }
}

/// When the member is chosen and connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dial {
    /// With the client's first byte, so a silent connection never holds an impalad's setup thread.
    FirstByte,
    /// As soon as the client is accepted (after its TLS handshake), for services that speak first.
    Accept,
}

impl Dial {
    pub const ALL: [Self; 2] = [Self::FirstByte, Self::Accept];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirstByte => "first-byte",
            Self::Accept => "accept",
        }
    }
}

/// Where TLS begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Bytes go through untouched; the impalad terminates TLS. Where there is none, it is called plain: no key says so,
    /// it is found out.
    Passthrough,
    /// TLS from the client ends here; members get plaintext.
    Offload,
    /// TLS from the client ends here and a new TLS connection goes to the member ("client/server SSL").
    ReEncrypt,
    /// Plaintext from the client, TLS to the member.
    ServerOnly,
}

impl Mode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passthrough => "passthrough",
            Self::Offload => "offload",
            Self::ReEncrypt => "re-encrypt",
            Self::ServerOnly => "server-ssl-only",
        }
    }

    /// Returns the word for what passes in this mode, where it is known whether members speak TLS.
    pub fn as_seen(self, members_speak_tls: Option<bool>) -> &'static str {
        match (self, members_speak_tls) {
            (Self::Passthrough, Some(false)) => PLAIN,
            _ => self.as_str(),
        }
    }
}

/// What is called passthrough while there is TLS, where there is none.
const PLAIN: &str = "plain";

/// Returns whether every connection to `narrow` could be taken by a socket at `wide`, another destination.
pub fn covers(wide: SocketAddr, narrow: SocketAddr) -> bool {
    wide.port() == narrow.port()
        && wide.port() != 0
        && wide.ip() != narrow.ip()
        && match wide.ip() {
            // Listens for IPv4 as well.
            IpAddr::V6(ip) => ip.is_unspecified(),
            IpAddr::V4(ip) => ip.is_unspecified() && narrow.is_ipv4(),
        }
}

/// Returns whether one connection could be meant for both destinations. The system gives each port 0 another port.
pub fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    (one == other && one.port() != 0) || covers(one, other) || covers(other, one)
}
