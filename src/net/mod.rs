//! Sockets: listening, connecting, per-connection options, what pronk may run out of for them, and the few system calls
//! that no safe crate offers.

mod connect;
mod episodes;
mod first_bytes;
mod limits;
mod listen;
mod shortage;
mod socket;
mod sys;

pub use connect::{NotConnected, connect};
pub use episodes::end_shortages;
pub use first_bytes::Socket;
pub use limits::{raise_open_files, yield_to_connections};
pub use listen::{Bound, adjust, bind, share_port};
pub use shortage::Shortage;
pub use socket::{drained, hung_up, reset_on_close, shutdown_write, tune};
pub use sys::{TcpInfo, tcp_info};
