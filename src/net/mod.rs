//! Sockets: listening, per-connection options, and the few system calls that no safe crate offers.

mod limits;
mod listen;
mod socket;
mod sys;

pub use limits::{raise_open_files, yield_to_connections};
pub use listen::{Bound, adjust, bind, share_port};
pub use socket::{drained, hung_up, reset_on_close, shutdown_write, tune};
pub use sys::{TcpInfo, tcp_info};
