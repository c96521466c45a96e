//! Sockets: listening, per-connection options, and the few system calls that no safe crate offers.

mod limits;
mod listen;
mod socket;
mod sys;

pub use limits::raise_open_files;
pub use listen::{adjust, bind};
pub use socket::{drained, hung_up, reset_on_close, shutdown_write, tune};
pub use sys::{TcpInfo, tcp_info};
