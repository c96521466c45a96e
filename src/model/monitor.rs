//! Monitors: how the health of members is found out.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::name::Name;
use super::profile::{Passphrase, ServerSsl};

/// How a member's health is found out.
#[derive(Clone, Debug, PartialEq)]
pub struct Monitor {
    pub name: Name,
    pub kind: MonitorKind,
    pub probing: Probing,
}

/// When and where a monitor probes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probing {
    /// From the start of one probe to the start of the next.
    pub interval: Duration,
    /// The same while the member is up; `None` is `interval`.
    pub up_interval: Option<Duration>,
    /// A member without a success for this long is marked down.
    pub timeout: Duration,
    /// How long a member that was down must answer before it is marked up.
    pub time_until_up: Duration,
    /// A member that was marked down stays so until an administrator resumes it.
    pub manual_resume: bool,
    /// Spread the probes of many members over the interval.
    pub jitter: bool,
    /// Probe this address instead of the node's.
    pub alias_address: Option<IpAddr>,
    /// Probe this port instead of the member's.
    pub alias_port: Option<u16>,
}

impl Probing {
    /// Probes with everything else as the built-in monitors have it.
    pub fn new(interval: Duration, timeout: Duration) -> Self {
        Self {
            interval,
            up_interval: None,
            timeout,
            time_until_up: Duration::ZERO,
            manual_resume: false,
            jitter: true,
            alias_address: None,
            alias_port: None,
        }
    }

    /// That of a monitor that sends nothing.
    pub fn none() -> Self {
        Self::new(Duration::ZERO, Duration::ZERO)
    }
}

impl Monitor {
    /// Creates a monitor with everything else as the built-in ones have it.
    pub fn new(name: Name, kind: MonitorKind, interval: Duration, timeout: Duration) -> Self {
        Self { name, kind, probing: Probing::new(interval, timeout) }
    }

    /// Returns the web UI that its probes ask besides the port.
    pub fn web_ui(&self) -> Option<&WebUi> {
        match &self.kind {
            MonitorKind::Impala(check) => check.web.as_ref(),
            MonitorKind::Tcp
            | MonitorKind::Tls
            | MonitorKind::TcpHalfOpen
            | MonitorKind::Gateway
            | MonitorKind::GatewayIcmp
            | MonitorKind::Http(_)
            | MonitorKind::Inband(_) => None,
        }
    }

    /// Returns the credentials that its probes use.
    pub fn credentials(&self) -> Option<&Credentials> {
        match &self.kind {
            MonitorKind::Http(check) => check.credentials.as_ref(),
            MonitorKind::Impala(_) => self.web_ui()?.credentials.as_ref(),
            MonitorKind::Tcp
            | MonitorKind::Tls
            | MonitorKind::TcpHalfOpen
            | MonitorKind::Gateway
            | MonitorKind::GatewayIcmp
            | MonitorKind::Inband(_) => None,
        }
    }
}

/// What a probe does.
#[derive(Clone, Debug, PartialEq)]
pub enum MonitorKind {
    /// Connects, and closes at once.
    Tcp,
    /// Handshakes, whatever certificate is shown, and closes.
    Tls,
    /// Connects, and resets at once.
    TcpHalfOpen,
    /// Connects; a refusal is an answer too, as the host is there.
    Gateway,
    /// Sends an ICMP echo request.
    GatewayIcmp,
    /// Sends an HTTP request, and judges the answer.
    Http(Box<HttpCheck>),
    /// Sends nothing: failures of clients' own connections are counted.
    Inband(Inband),
    /// Speaks an impalad's own protocols, and reads its web UI.
    Impala(Box<ImpalaCheck>),
}

impl MonitorKind {
    /// Returns the word that the file uses. `https` is an HTTP check with TLS.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::TcpHalfOpen => "tcp-half-open",
            Self::Gateway => "gateway",
            Self::GatewayIcmp => "gateway-icmp",
            Self::Http(check) if check.tls.is_some() => "https",
            Self::Http(_) => "http",
            Self::Inband(_) => "inband",
            Self::Impala(_) => "impala",
        }
    }
}

/// An HTTP request and what its answer must be.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpCheck {
    /// TLS toward the member, if any.
    pub tls: Option<Arc<ServerSsl>>,
    /// A path, or a whole request: its line and headers.
    pub send: String,
    /// The `Host` header; by default the node's hostname, else its address.
    pub host: Option<String>,
    pub credentials: Option<Credentials>,
    /// Codes that are successes, as inclusive ranges; without any every code is.
    pub status: Vec<(u16, u16)>,
    /// A regular expression that the answer must match.
    pub recv: Option<String>,
    /// A regular expression; an answer that matches it marks the member disabled.
    pub recv_disable: Option<String>,
    /// An answer that matches `recv` is the failure, and one that does not is the success.
    pub reverse: bool,
}

/// Whose failures count, and how many are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inband {
    /// So many failures within `failure_interval` mark the member down.
    pub failures: u32,
    pub failure_interval: Duration,
    /// A member that has sent nothing for this long when a connection ends has failed it; zero never.
    pub response_time: Duration,
    /// How long a member that is down is spared before clients try it again; zero is for ever.
    pub retry_time: Duration,
}

/// What an impalad is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct ImpalaCheck {
    pub protocol: ImpalaProtocol,
    /// Whether the port speaks SASL; `None` finds out.
    pub sasl: Option<bool>,
    pub ssl: PortSsl,
    /// A member with so many connections has no thread left for another.
    pub service_threads: u32,
    /// The web UI; `None` does without what only it tells.
    pub web: Option<WebUi>,
}

/// Whether probes of a port speak TLS.
#[derive(Clone, Debug, PartialEq)]
pub enum PortSsl {
    /// As connections to the members of the pool do; `unverified` where no profile says how.
    Auto {
        unverified: Arc<ServerSsl>,
    },
    /// TLS as connections have it; `unverified` where no profile says how.
    On {
        unverified: Arc<ServerSsl>,
    },
    /// TLS as the monitor's own profile has it.
    Profile(Arc<ServerSsl>),
    Off,
}

/// What a port of an impalad speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImpalaProtocol {
    /// Told by the port: 21000 is Beeswax, 28000 is HiveServer2 over HTTP, any other is HiveServer2.
    Auto,
    Hs2,
    Beeswax,
    Hs2Http,
}

impl ImpalaProtocol {
    pub const ALL: [Self; 4] = [Self::Auto, Self::Hs2, Self::Beeswax, Self::Hs2Http];

    /// Returns what an impalad speaks on a port, if that is one of Impala's usual ones.
    pub fn of_usual_port(port: u16) -> Option<Self> {
        match port {
            21000 => Some(Self::Beeswax),
            21050 => Some(Self::Hs2),
            28000 => Some(Self::Hs2Http),
            _ => None,
        }
    }

    /// Returns its name among people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Auto => "what is not known",
            Self::Hs2 => "HiveServer2",
            Self::Beeswax => "Beeswax",
            Self::Hs2Http => "HiveServer2 over HTTP",
        }
    }

    /// Returns the word that the file uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Hs2 => "hs2",
            Self::Beeswax => "beeswax",
            Self::Hs2Http => "hs2-http",
        }
    }
}

/// Where an impalad's web UI is, and how to be let in.
#[derive(Clone, Debug, PartialEq)]
pub struct WebUi {
    pub port: u16,
    pub tls: Option<Arc<ServerSsl>>,
    pub credentials: Option<Credentials>,
}

/// A user, and where the password is; never the password itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Credentials {
    pub user: String,
    pub password: Passphrase,
}
