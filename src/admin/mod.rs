//! The administrative side: a unix socket that speaks HTTP.

mod api;
pub mod explain;
pub mod persistence;
mod serve;
mod socket;
pub mod view;

pub use serve::serve;
pub use socket::{AdminSocket, default_path};
