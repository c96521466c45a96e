//! Handshakes with members that fail.

use std::io::{Read, Write};
use std::net::SocketAddr;

use rustls::version::TLS12;

use super::front::{Front, Provoked};
use crate::peers::{member, reset, wait_for_end};
use crate::support::ca::{Authority, Leaf};
use crate::support::tls::{asking_for_a_certificate, showing};
use crate::tls_peers::{NODE, TlsMember, tls_member};

/// A ServerHello of TLS 1.2, as servers answer that do not know how to offer TLS 1.3.
const HELLO_OF_TLS_1_2: [u8; 47] = {
    let mut hello = [7; 47];
    let head = [0x16, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3];
    let mut at = 0;
    while at < head.len() {
        hello[at] = head[at];
        at += 1;
    }
    // After the random bytes: no session id, a cipher suite, no compression.
    (hello[43], hello[44], hello[45], hello[46]) = (0, 0xc0, 0x2f, 0);
    hello
};

/// An impalad without TLS, that answers.
pub fn member_plaintext() -> Provoked {
    fails(
        Front::new(),
        "",
        member(|mut stream| {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"\x80\x01\x00\x03\x00\x00\x00\x00");
            wait_for_end(&mut stream);
        }),
    )
}

/// An impalad without TLS, that waits for the rest of what it takes for a message.
pub fn member_handshake_timeout() -> Provoked {
    fails(Front::new(), "handshake-timeout: 300ms", member(|mut stream| wait_for_end(&mut stream)))
}

pub fn member_handshake_closed() -> Provoked {
    fails(
        Front::new(),
        "",
        member(|mut stream| {
            let _ = stream.read(&mut [0; 65536]);
        }),
    )
}

pub fn member_handshake_reset() -> Provoked {
    fails(
        Front::new(),
        "",
        member(|mut stream| {
            let _ = stream.read(&mut [0; 65536]);
            reset(&stream);
        }),
    )
}

/// A member that asks for a client certificate. With TLS 1.2 it says so within the handshake.
pub fn member_tls_alert() -> Provoked {
    let front = Front::new();
    let config = asking_for_a_certificate(&front.node_certificate(), &front.ca, &TLS12);
    fails(front, "", tls_member(config, serve))
}

/// A member that is too old for the profile.
pub fn member_tls_error() -> Provoked {
    fails(
        Front::new(),
        "minimum-version: tls1.3",
        member(|mut stream| {
            let _ = stream.read(&mut [0; 65536]);
            let _ = stream.write_all(&HELLO_OF_TLS_1_2);
            wait_for_end(&mut stream);
        }),
    )
}

pub fn member_certificate_name() -> Provoked {
    shows(|ca| ca.issue("lb.example.test").dns("lb.example.test").build())
}

pub fn member_certificate_expired() -> Provoked {
    shows(|ca| ca.issue(NODE).dns(NODE).expired().build())
}

pub fn member_certificate_untrusted() -> Provoked {
    shows(|_| Authority::new("another").issue(NODE).dns(NODE).build())
}

/// A certificate for clients.
pub fn member_certificate_invalid() -> Provoked {
    shows(|ca| ca.issue(NODE).dns(NODE).client().build())
}

fn shows(certificate: impl FnOnce(&Authority) -> Leaf) -> Provoked {
    let front = Front::new();
    let member = tls_member(showing(&certificate(&front.ca)), serve);
    fails(front, "", member)
}

fn serve(mut stream: TlsMember) {
    wait_for_end(&mut stream);
}

/// A client without TLS, whom a virtual server with a server-ssl profile sends to this member.
fn fails(front: Front, server_ssl: &str, member: SocketAddr) -> Provoked {
    let running = front.member(member, "").server_ssl(server_ssl).start();
    let mut client = running.asking();
    running.seen_by(&mut client)
}
