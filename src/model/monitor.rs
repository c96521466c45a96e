use std::time::Duration;

use super::Name;

/// How a member's health is found out.
#[derive(Clone, Debug, PartialEq)]
pub struct Monitor {
    pub name: Name,
    pub kind: MonitorKind,
    /// From the start of one probe to the start of the next.
    pub interval: Duration,
    /// A member without a success for this long is marked down.
    pub timeout: Duration,
}

/// What a probe does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MonitorKind {
    /// Connects, and closes at once.
    Tcp,
    /// Handshakes, whatever certificate is shown, and closes.
    Tls,
}

impl MonitorKind {
    /// The word that the file uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}
