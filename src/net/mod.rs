//! Sockets: listening, connecting, per-connection options, what pronk may run out of for them, and the few system calls
//! that no safe crate offers.

mod connect;
mod listening_socket;
mod open_file_limit;
mod shortage;
mod shortage_log;
mod socket_options;
mod sys;

pub use connect::{NotConnected, connect};
pub use listening_socket::{Bound, adjust, bind, share_port};
pub use open_file_limit::{raise_open_files, yield_to_connections};
pub use shortage::Shortage;
pub use shortage_log::end_shortages;
pub use socket_options::{drained, hung_up, reset_on_close, shutdown_write, tune};
pub use sys::{TcpInfo, tcp_info};
