//! tcp and fastL4 profiles: socket options and timeouts.

use std::time::Duration;

use crate::model::name::Name;

/// How TCP itself is treated (F5's `tcp` and `fastL4` profiles).
#[derive(Clone, Debug, PartialEq)]
pub struct Protocol {
    pub name: Name,
    pub kind: ProtocolKind,
    /// Silence in both directions after which a connection is closed; `None` waits forever (`indefinite`).
    pub idle_timeout: Option<Duration>,
    /// Silence after which a connection is closed that one side has ended; `None` waits as long as for any other.
    pub half_closed_timeout: Option<Duration>,
    /// Close an idle connection with RST to both sides; otherwise with FIN.
    pub reset_on_timeout: bool,
    /// Silence after which the kernel sends a TCP keepalive probe on both sides; `None` sends none.
    pub keep_alive_interval: Option<Duration>,
    /// How long sent bytes and keep-alive probes may stay unacknowledged before the connection ends, on both sides
    /// (TCP_USER_TIMEOUT, RFC 5482); `None` is the system's own limit.
    pub user_timeout: Option<Duration>,
    /// How long the last bytes may take to be acknowledged once a connection ends, before it is cut.
    pub close_wait: Duration,
    /// The largest TCP segment that either side is to send, in bytes without headers (TCP_MAXSEG, RFC 9293 section
    /// 3.7.1); `None` follows the network interface.
    pub max_segment_size: Option<u16>,
    /// Connections that the kernel may hold accepted before pronk takes them.
    pub backlog: u32,
    /// Send small segments at once (no Nagle).
    pub nodelay: bool,
    /// How long a connect to one member may take.
    pub connect_timeout: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolKind {
    Tcp,
    FastL4,
}

impl ProtocolKind {
    pub const ALL: [Self; 2] = [Self::Tcp, Self::FastL4];

    /// Returns the word that the file uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::FastL4 => "fastL4",
        }
    }
}
