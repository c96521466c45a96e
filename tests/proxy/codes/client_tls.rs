//! Handshakes of clients that fail.

use std::io::Write;
use std::net::Shutdown;

use rustls::version::TLS12;

use super::front::{Front, Provoked, Running};
use crate::peers::{echo_member, reset};
use crate::support::ca::Authority;
use crate::support::tls::{trusting, trusting_with};

/// The first bytes of a TLS record whose rest never comes.
const HALF_A_HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01";

fn offload(keys: &str) -> Running {
    Front::before(echo_member()).client_ssl(keys).start()
}

/// As impala-shell without `--ssl`.
pub fn client_plaintext() -> Provoked {
    let running = offload("");
    let mut client = running.client();
    client.write_all(b"\x80\x01\x00\x01\x00\x00\x00\x07GetInfo").unwrap();
    running.seen_by(&mut client)
}

pub fn client_handshake_timeout() -> Provoked {
    let running = offload("handshake-timeout: 300ms");
    let mut client = running.client();
    client.write_all(HALF_A_HELLO).unwrap();
    running.seen_by(&mut client)
}

pub fn client_handshake_closed() -> Provoked {
    let running = offload("");
    let mut client = running.client();
    client.write_all(HALF_A_HELLO).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    running.seen_by(&mut client)
}

pub fn client_handshake_reset() -> Provoked {
    let running = offload("");
    let mut client = running.tls_client();
    // The whole hello, and the server's answer stays unread.
    client.conn.write_tls(&mut client.sock).unwrap();
    client.sock.peek(&mut [0]).unwrap();
    reset(&client.sock);
    drop(client);
    running.left()
}

/// A client that does not trust the issuer of the front end's certificate.
pub fn client_tls_alert() -> Provoked {
    let running = offload("");
    let mut client = running.tls_client_with(trusting(&Authority::new("another")));
    let refusal = client.write_all(b"hello").unwrap_err();
    assert!(refusal.to_string().contains("UnknownIssuer"), "{refusal}");
    running.left()
}

pub fn client_tls_error() -> Provoked {
    let front = Front::before(echo_member()).client_ssl("minimum-version: tls1.3");
    let old = trusting_with(&front.ca, &[&TLS12]);
    let running = front.start();
    let mut client = running.tls_client_with(old);
    running.seen_by(&mut client)
}

/// TLS 1.3: the client finishes its handshake first, and learns of the refusal when it reads.
pub fn client_certificate_refused() -> Provoked {
    let running = offload("peer-cert-mode: require, ca-file: ca.pem");
    let mut client = running.tls_client();
    running.seen_by(&mut client)
}
