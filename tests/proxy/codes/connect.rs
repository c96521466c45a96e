//! Members that cannot be connected.

use std::net::{SocketAddr, TcpStream};

use socket2::{Domain, Socket, Type};

use super::front::{Front, Provoked};
use crate::lb::free_port;
use crate::peers::is_refused;

pub fn member_connect_refused() -> Provoked {
    refused(Front::before(SocketAddr::from(([127, 0, 0, 1], free_port()))))
}

/// The kernel of the member answers nobody, as its program accepts no connection.
pub fn member_connect_timeout() -> Provoked {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let member = listener.local_addr().unwrap().as_socket().unwrap();
    let _only_place = TcpStream::connect(member).unwrap();
    refused(Front::before(member).protocol("connect-timeout: 300ms"))
}

/// Nobody can connect to a multicast address.
pub fn member_unreachable() -> Provoked {
    refused(Front::before(SocketAddr::from(([224, 0, 0, 1], 21050))))
}

fn refused(front: Front) -> Provoked {
    let running = front.start();
    assert!(is_refused(running.address));
    running.refused()
}
