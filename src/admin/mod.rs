//! The administrative side: HTTP on a unix socket, and over the network where the configuration asks for it.
//!
//! `routes` is the table of all routes. The router, the authorization (`gate`) and the OpenAPI document (`openapi`) are
//! made from it.

pub mod administration;
pub mod answers;
mod api;
mod asked;
mod caller;
pub mod connection_list;
mod connection_selection;
pub mod connections;
pub mod drains;
mod each_once;
mod exchange;
pub mod explain;
mod forwarded;
mod gate;
pub mod health;
mod http;
mod json_body;
pub mod metrics;
pub mod names;
mod network_clients;
pub mod network_map;
mod observation;
mod openapi;
mod other_processes;
mod parameters;
pub mod persistence;
mod reference;
mod route;
mod router;
mod routes;
mod serve_network;
mod serve_socket;
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
mod state;
pub mod statistics;
pub mod top_clients;

pub use exchange::{NoAnswer, exchange};
pub use reference::{openapi_document, route_table};
pub use router::Api;
pub use serve_network::serve_network;
pub use serve_socket::serve_socket;
pub use socket::AdminSocket;
pub use socket_access::SocketAccess;
pub use socket_path::{default_path, default_paths, draining_path};
