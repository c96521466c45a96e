//! Sockets: addresses, listening, connecting, options, what pronk may run out of for them, and the few system calls that
//! no safe crate offers, and a timer.

mod address_text;
mod arrivals;
mod connect;
mod first_bytes;
mod listening_socket;
#[cfg(test)]
pub(crate) mod loopback;
mod open_file_limit;
mod peer_state;
mod recording_socket;
mod send_room;
mod shortage;
mod shortage_log;
mod socket_options;
mod splice_pipe;
mod sys;
mod thread_priority;
mod timer;

pub use address_text::address_text;
pub use connect::{NotConnected, connect, connect_with};
pub use first_bytes::FirstBytes;
pub use listening_socket::{BoundSocket, bind, set_listening_options, share_port};
pub use open_file_limit::raise_open_file_limit;
pub use peer_state::{
    all_acknowledged, all_acknowledged_discarding, is_all_acknowledged, peer_closed, peer_lost, until_peer_closes,
};
pub use recording_socket::Socket;
pub use send_room::poll_send_room;
pub use shortage::Shortage;
pub use shortage_log::log_ended_shortages;
pub use socket_options::{keep_alive, reset_on_close, shutdown_write};
pub use splice_pipe::SplicePipe;
pub use sys::{TcpInfo, release_free_memory, take_passed_descriptors, tcp_info};
pub use thread_priority::lower_thread_priority;
pub use timer::until;
