//! The data path: from accepting a connection to its record in the log.
//!
//! `connection` tells the life of one connection from top to bottom, with the parts in this order: `accept_loop`,
//! `admission_rules`, `client_handshake`, `first_bytes`, `choose` (a member, or the queue), `connect` (`dial`,
//! `member_handshake`), `relay` (two of `flow`), `ending`, `connection_record`. Why connections end is in
//! `close_reasons`.

mod accept_loop;
mod admission_rules;
mod buffers;
mod choose;
mod client_counts;
mod client_handshake;
mod close_reasons;
mod connect;
mod connection;
mod connection_record;
mod deadlines;
mod dial;
mod ending;
mod explain;
mod first_bytes;
mod flow;
mod lifecycle;
mod member_handshake;
mod observed_mode;
mod open_connection;
mod open_connections;
mod passive_health;
mod phase_histograms;
mod place;
mod recent_connections;
mod relay;
mod removed_virtual_servers;
mod silent_hold;
mod snapshot;
mod status;
mod stop;
mod stream;
mod traffic_meter;
mod verdict_wait;
mod virtual_server;
mod waiters;

pub use accept_loop::Listener;
pub use close_reasons::{ClosePhase, CloseReason, Mechanism, Who};
pub use explain::Explanation;
pub use lifecycle::Lifecycle;
pub use open_connection::{OpenConnection, OpenPhase, OpenTls, Remaining, Selection, SortBy};
pub use open_connections::OpenConnections;
pub use phase_histograms::PhaseHistograms;
pub use recent_connections::{RecentConnection, RecentConnections};
pub use removed_virtual_servers::RemovedVirtualServers;
pub use snapshot::Snapshot;
pub use stop::Stop;
pub use virtual_server::LiveVirtualServer;

#[cfg(test)]
mod tests;
