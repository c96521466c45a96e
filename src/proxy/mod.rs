//! The data path: accepting, the life of a connection, and the relay.
//!
//! `connection` tells the life of one connection from top to bottom; everything else here serves it.

mod accept;
mod admission;
mod buffers;
mod close;
mod connect;
mod connection;
mod down;
mod explain;
mod lifecycle;
mod meter;
mod record;
mod relay;
mod stream;
mod trail;
mod virtual_server;
mod wait;
mod waiters;

pub use accept::Listener;
pub use close::{CloseReason, Mechanism, Phase, Who};
pub use explain::Explanation;
pub use lifecycle::Lifecycle;
pub use trail::{Trail, Went};
pub use virtual_server::{LiveVirtualServer, Removed, Snapshot};

#[cfg(test)]
mod tests;
