//! What a process tells its successor, as it goes over the wire: JSON, in which a newer version may add fields.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::held::HeldInProcess;

/// The version of these messages. A successor that knows another one refuses to take over.
pub(super) const PROTOCOL: u32 = 1;

/// What the predecessor says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FromPredecessor {
    /// The first message.
    Hello {
        protocol: u32,
        process: ProcessFacts,
    },
    /// Listening sockets, with a descriptor each.
    Sockets(Vec<HandedSocket>),
    /// The admin socket, with its descriptor.
    AdminSocket,
    /// Processes that drain, this one first, each with the descriptor from which its reports are read.
    Processes(Vec<ProcessFacts>),
    Greeting(Greeting),
    /// A part of the state. Much of it comes while the predecessor still accepts connections; what has changed meanwhile comes
    /// once more.
    State(State),
    /// The end of the state: the predecessor accepts no connection from here on.
    TakeOver,
}

/// What the successor says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FromSuccessor {
    /// It has been started. Whoever started it says so.
    Started { pid: u32 },
    /// Its configuration is prepared.
    Prepared,
    /// It cannot take over, for this reason.
    Refused(String),
    /// It accepts connections, at these destinations.
    Serving { version: String, served: Vec<SocketAddr> },
}

/// What tells a process of pronk from others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessFacts {
    pub pid: u32,
    pub version: String,
}

/// What a socket listens for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedSocket {
    /// As configured; its port may be 0.
    pub destination: SocketAddr,
    /// The virtual server, for port 0.
    pub owner: Option<String>,
    /// Whether the service manager holds it as well, so that it listens even while nothing is served there.
    #[serde(default)]
    pub is_held: bool,
}

/// What the successor prepares its configuration with.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Greeting {
    /// What administrators set.
    pub settings: Vec<HandedSetting>,
    pub tickets: Vec<TicketKeysOfProfile>,
    pub coordinators: Vec<FoundCoordinators>,
    pub addresses: Vec<ResolvedName>,
}

/// A state or a ratio that an administrator set, as the state file has it.
#[derive(Debug, Serialize, Deserialize)]
pub struct HandedSetting {
    #[serde(flatten)]
    pub row: serde_json::Value,
    pub until_restart: bool,
}

/// The keys with which a client-ssl profile encrypts session tickets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TicketKeysOfProfile {
    pub profile: String,
    /// Says whether the successor's profile is the same one.
    pub fingerprint: String,
    /// The newest first: hexadecimal, and for how many seconds it has been in use.
    pub keys: Vec<(String, u64)>,
}

/// The coordinators that a pool has found.
#[derive(Debug, Serialize, Deserialize)]
pub struct FoundCoordinators {
    pub pool: String,
    /// The settings of the search, so that another cluster's coordinators are not taken for this one's.
    pub search: String,
    pub hosts: Vec<(String, Vec<IpAddr>)>,
}

/// What a name resolves to.
#[derive(Debug, Serialize, Deserialize)]
pub struct ResolvedName {
    pub fqdn: String,
    pub addresses: Vec<IpAddr>,
}

/// A part of what may change until the successor serves.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The number of the last connection.
    pub last_connection: u64,
    /// What the predecessor has, and those that drained before it.
    pub held: Vec<HeldInProcess>,
    pub verdicts: Vec<HandedVerdict>,
    pub records: Vec<HandedRecords>,
}

/// What a monitor has concluded of a member.
#[derive(Debug, Serialize, Deserialize)]
pub struct HandedVerdict {
    pub pool: String,
    pub node: String,
    pub port: u16,
    pub monitor: String,
    /// up, disabled, unavailable or down.
    pub verdict: String,
    pub reason: Option<String>,
}

/// Persistence records of one virtual server, address or of all.
#[derive(Debug, Serialize, Deserialize)]
pub struct HandedRecords {
    pub virtual_server: Option<String>,
    pub address: Option<IpAddr>,
    /// Whether those that came before are no more, as some were deleted.
    #[serde(default)]
    pub begins_anew: bool,
    pub records: Vec<HandedRecord>,
}

/// A persistence record.
#[derive(Debug, Serialize, Deserialize)]
pub struct HandedRecord {
    pub client: IpAddr,
    pub pool: String,
    pub node: String,
    pub port: u16,
    /// Milliseconds since its last use; 0 while a connection uses it.
    pub idle: u64,
}
