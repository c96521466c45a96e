//! The data path: accepting, the life of a connection, and the relay.
//!
//! `connection` tells the life of one connection from top to bottom; everything else here serves it.

mod accept_loop;
mod admission_rules;
mod buffers;
mod choose;
mod close_reasons;
mod connect;
mod connection;
mod connection_record;
mod down;
mod explain;
mod lifecycle;
mod recent_connections;
mod relay;
mod stream;
mod traffic_meter;
mod virtual_server;
mod waiters;

pub use accept_loop::Listener;
pub use close_reasons::{ClosePhase, CloseReason, Mechanism, Who};
pub use explain::Explanation;
pub use lifecycle::Lifecycle;
pub use recent_connections::{RecentConnection, RecentConnections};
pub use virtual_server::{LiveVirtualServer, RemovedVirtualServers, Snapshot};

#[cfg(test)]
mod tests;
