//! The ports that tests give to pronk and to members that do not answer.

use std::net::SocketAddr;

use crate::lb::free_port;

#[test]
fn free_port_is_nobody_elses_and_refuses_until_somebody_listens() {
    use std::io::ErrorKind;
    use std::net::{TcpListener, TcpStream};

    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let other = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    assert_eq!(other.bind(&address.into()).unwrap_err().kind(), ErrorKind::AddrInUse);
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    let _listener = TcpListener::bind(address).unwrap();
    assert!(TcpStream::connect(address).is_ok());
}
