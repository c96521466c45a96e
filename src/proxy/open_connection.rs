//! What is told of an open connection, and which connections are meant.

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::model::{MemberKey, Name};

/// What a connection is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum OpenPhase {
    /// It was accepted, and the rules of the virtual server are applied.
    #[default]
    Accept,
    ClientTls,
    /// The client has sent nothing yet.
    FirstByte,
    /// It waits in the queue of its pool.
    Queue,
    Connect,
    MemberTls,
    Relay,
    /// It is held open in silence, as an action `drop` asks.
    Held,
    Closing,
}

impl OpenPhase {
    pub const ALL: [Self; 9] = [
        Self::Accept,
        Self::ClientTls,
        Self::FirstByte,
        Self::Queue,
        Self::Connect,
        Self::MemberTls,
        Self::Relay,
        Self::Held,
        Self::Closing,
    ];

    /// Returns the word for lists and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::ClientTls => "client-tls",
            Self::FirstByte => "first-byte",
            Self::Queue => "queue",
            Self::Connect => "connect",
            Self::MemberTls => "member-tls",
            Self::Relay => "relay",
            Self::Held => "held",
            Self::Closing => "closing",
        }
    }

    pub(super) fn of(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or_default()
    }
}

/// An open connection, as it was at one moment.
#[derive(Clone, Debug)]
pub struct OpenConnection {
    /// Unique among the processes that take over from one another.
    pub id: u64,
    pub client: SocketAddr,
    pub virtual_server: Name,
    /// The word for the TLS mode.
    pub mode: &'static str,
    pub phase: OpenPhase,
    /// The pool of the member, or the pool in which one is looked for.
    pub pool: Name,
    pub member: Option<MemberKey>,
    pub member_address: Option<SocketAddr>,
    /// pronk's address toward the member, which the impalad shows as its client.
    pub local_address: Option<SocketAddr>,
    pub client_tls: Option<OpenTls>,
    pub member_tls: Option<OpenTls>,
    /// The protocol of the client's first bytes, in a word.
    pub opening: &'static str,
    /// Bytes toward the member.
    pub bytes_in: u64,
    /// Bytes from the member.
    pub bytes_out: u64,
    pub age: Duration,
    /// How long nothing has passed, and no phase has begun.
    pub idle: Duration,
    /// Whether the last bytes were the client's, so that the member owes an answer.
    pub awaits_answer: bool,
}

/// What a TLS handshake of an open connection agreed on.
#[derive(Clone, Copy, Debug)]
pub struct OpenTls {
    pub version: &'static str,
    pub cipher: &'static str,
}

/// Which open connections are meant: those that match every field that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    pub id: Option<u64>,
    /// A network of client addresses; IPv4 clients are of IPv4 whatever the listener.
    pub client: Option<IpNet>,
    pub virtual_server: Option<Name>,
    pub pool: Option<Name>,
    pub node: Option<Name>,
    pub member: Option<MemberKey>,
}

/// What connections are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    /// The oldest first.
    #[default]
    Age,
    /// The one that has been idle for longest first.
    Idle,
    /// The one with the most bytes first.
    Bytes,
}

/// What is left of the connections that are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remaining {
    pub connections: usize,
    /// The age of the oldest.
    pub oldest: Duration,
    pub longest_idle: Duration,
    /// How many wait for an answer of their member.
    pub awaiting_answer: usize,
}

impl Remaining {
    pub(super) fn add(&mut self, connection: &OpenConnection) {
        self.connections += 1;
        self.oldest = self.oldest.max(connection.age);
        self.longest_idle = self.longest_idle.max(connection.idle);
        self.awaiting_answer += usize::from(connection.awaits_answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_told_by_their_numbers() {
        for phase in OpenPhase::ALL {
            assert_eq!(OpenPhase::of(phase as u8), phase);
        }
    }
}
