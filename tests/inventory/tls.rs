//! Both ends of TLS, and patience.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConnection, ServerConnection, StreamOwned};

use crate::lb::{PATIENCE, Pronk};
use crate::peers::{connect, member};
use crate::support::ca::{Authority, Leaf};
use crate::support::tls::{showing, trusting};

pub const FRONT: &str = "lb.example.com";

/// A member that speaks TLS with this certificate and answers every byte with itself.
pub fn tls_member(leaf: &Leaf) -> SocketAddr {
    let config = showing(leaf);
    member(move |stream| {
        let mut tls = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
        let mut byte = [0];
        while matches!(tls.read(&mut byte), Ok(1)) && tls.write_all(&byte).is_ok() {}
    })
}

/// A member without TLS that waits in silence for more, as a Thrift server does.
pub fn silent_member() -> SocketAddr {
    member(|mut stream| {
        let _ = stream.read_to_end(&mut Vec::new());
    })
}

/// A member that answers the first words of a client and closes in order, having taken all that the client says: bytes
/// that nobody has read would make the close a reset, which can overtake the answer.
pub fn answering_member(answer: &'static [u8]) -> SocketAddr {
    member(move |mut stream| {
        let _ = stream.read(&mut [0; 512]);
        let _ = stream.write_all(answer);
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    })
}

/// A client that trusts `ca` and has shaken hands.
pub fn client(address: SocketAddr, ca: &Authority) -> StreamOwned<ClientConnection, TcpStream> {
    let name = ServerName::try_from(FRONT).unwrap();
    let mut tls = StreamOwned::new(ClientConnection::new(trusting(ca), name).unwrap(), connect(address));
    while tls.conn.is_handshaking() {
        tls.conn.complete_io(&mut tls.sock).unwrap();
    }
    tls
}

/// The certificate that is served to a new client.
pub fn served(address: SocketAddr, ca: &Authority) -> CertificateDer<'static> {
    client(address, ca).conn.peer_certificates().unwrap()[0].clone().into_owned()
}

pub fn certificates(pronk: &Pronk) -> serde_json::Value {
    let output = pronk.command(&["show", "certificates", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Asks again and again until there is an answer.
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The row of this source, once it is known.
pub fn row(pronk: &Pronk, source: &str) -> serde_json::Value {
    eventually(source, || {
        let all = certificates(pronk);
        let rows = all["certificates"].as_array().unwrap();
        rows.iter().find(|row| row["source"].as_str().unwrap().ends_with(source)).cloned()
    })
}
