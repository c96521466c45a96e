//! The administrative side: a unix socket that speaks HTTP.

pub mod administration;
pub mod answers;
mod api;
pub mod connections;
pub mod drains;
pub mod explain;
mod json_body;
pub mod network_map;
mod parameters;
pub mod persistence;
mod serve;
#[cfg_attr(
    not(test),
    expect(
        clippy::disallowed_methods,
        reason = "the socket is made before anything is served, and removed at the end"
    )
)]
mod socket;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "it is done once, before anything is served"))]
mod socket_access;
mod socket_path;
pub mod statistics;

pub use serve::{AdminConnections, serve};
pub use socket::AdminSocket;
pub use socket_access::SocketAccess;
pub use socket_path::{default_path, default_paths};
