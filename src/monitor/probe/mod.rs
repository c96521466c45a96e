//! What a monitor does to find out whether a member serves.

mod tcp;
mod tls;

pub(super) use tcp::tcp;
pub(super) use tls::tls;
