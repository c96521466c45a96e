//! The administrative side: a unix socket that speaks HTTP.

pub mod answers;
mod api;
pub mod explain;
mod json_body;
pub mod network_map;
pub mod persistence;
mod serve;
mod socket;
pub mod statistics;

pub use serve::serve;
pub use socket::{AdminSocket, default_path};
