use std::net::SocketAddr;

use socket2::{Domain, Socket, Type};

/// A port that belongs to this process, on every IPv4 address, until the process ends: connections are refused until
/// the test, or its pronk, listens.
///
/// A socket that is bound and does not listen holds it. The kernel gives such a port to nobody who asks for any, be it
/// to listen or for the near end of a connection, and lets those bind it by number who set `SO_REUSEADDR`, as pronk,
/// the standard library and tokio do.
pub fn free_port() -> u16 {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([0, 0, 0, 0], 0)).into()).unwrap();
    // Not before it is bound, or two such sockets could share a port.
    socket.set_reuse_address(true).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    std::mem::forget(socket);
    port
}
