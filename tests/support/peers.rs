//! Members that are threads, and clients that are sockets.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use super::lb::PATIENCE;

/// Connects a client that is let in, with patience for reads.
pub fn connect(address: SocketAddr) -> TcpStream {
    try_connect(address).unwrap()
}

/// As [`connect`], for a client that may be refused: the reset can come before this returns.
pub fn try_connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Whether a client that says hello has it back.
pub fn echoes(client: &mut TcpStream) -> bool {
    client.write_all(b"hello").is_ok() && client.read_exact(&mut [0; 5]).is_ok()
}

/// Whether a client that says hello is reset. Connecting, writing and reading can each be the first to find out.
pub fn is_refused(address: SocketAddr) -> bool {
    let greeted = try_connect(address).and_then(|mut client| {
        client.write_all(b"hello")?;
        client.read(&mut [0])
    });
    greeted.is_err_and(|error| is_reset(&error))
}

/// Whether a peer's reset is the reason; whoever learns of it by writing again has a broken pipe.
pub fn is_reset(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}

/// Makes the coming close a reset.
pub fn reset(stream: &impl AsFd) {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
}

/// A member that answers every byte with itself.
pub fn echo_member() -> SocketAddr {
    echo_member_at("127.0.0.1")
}

/// As [`echo_member`], at this address.
pub fn echo_member_at(ip: &str) -> SocketAddr {
    member_at(ip, |mut stream| {
        let mut copy = stream.try_clone().unwrap();
        let _ = io::copy(&mut stream, &mut copy);
        let _ = copy.shutdown(Shutdown::Write);
    })
}

/// A member that does this with each connection.
pub fn member(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    member_at("127.0.0.1", serve)
}

fn member_at(ip: &str, serve: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind((ip, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

/// Reads until the end, whatever comes and however it ends.
pub fn wait_for_end(stream: &mut impl Read) {
    let _ = read_all(stream);
}

/// Everything until the end, and how it ended.
pub fn read_all(stream: &mut impl Read) -> (Vec<u8>, io::Result<()>) {
    let mut all = Vec::new();
    let mut buffer = [0; 65536];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return (all, Ok(())),
            Ok(count) => all.extend_from_slice(&buffer[..count]),
            Err(error) => return (all, Err(error)),
        }
    }
}
