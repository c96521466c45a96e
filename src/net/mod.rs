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
pub use listening_socket::{BoundSocket, bind, set_listening_options, share_port};
pub use open_file_limit::{lower_thread_priority, raise_open_file_limit};
pub use shortage::Shortage;
pub use shortage_log::log_ended_shortages;
pub use socket_options::{all_acknowledged, peer_closed, reset_on_close, set_options, shutdown_write};
pub use sys::{TcpInfo, tcp_info};
