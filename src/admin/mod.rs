//! The administrative side: a unix socket that speaks HTTP.

mod api;
pub mod explain;
pub mod persistence;
mod socket;
pub mod view;

pub use api::serve;
pub use socket::{bind, default_path};
