//! What clients begin with that is not what the virtual server serves, and how the log names it.

use std::io::Write;
use std::net::{Shutdown, SocketAddr};

use crate::codes::front::Front;
use crate::peers::{connect, echo_member, read_all};

const PROXY_V1: &[u8] = b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 21050\r\n";
const PROXY_V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\xdc\x04\x52\x3a";

fn send(address: SocketAddr, bytes: &[u8]) {
    let mut client = connect(address);
    client.write_all(bytes).unwrap();
    // What it is answered, or whether by a reset, does not matter.
    let _ = read_all(&mut client);
}

/// A TLS record: its type, the length that it claims, and what follows.
fn record(kind: u8, length: u16, rest: &[u8]) -> Vec<u8> {
    [&[kind, 3, 1][..], &length.to_be_bytes(), rest].concat()
}

#[test]
fn what_is_no_hello_is_named_where_tls_is_served() {
    let front = Front::before(echo_member()).client_ssl("").start();
    let empty = record(0x16, 0, b"");
    let too_long = record(0x16, 0xffff, &[0; 2000]);
    let too_long_data = record(0x17, 20_000, &[0; 2000]);
    let large_message = record(0x16, 16, &[&[1, 0xff, 0xff, 0xff][..], &[0; 12]].concat());
    let data = record(0x17, 16, &[0; 16]);
    let alert = record(0x15, 2, &[2, 70]);
    let then_garbage = [&record(0x16, 4, &[1, 0, 2, 0])[..], b"GET / HTTP/1.1\r\n"].concat();
    for (bytes, code, opening, words) in [
        (PROXY_V1, "client-plaintext", "proxy-v1", "the PROXY protocol (version 1, text)"),
        (b"PROXY UNKNOWN\r\n", "client-plaintext", "proxy-v1", "the PROXY protocol (version 1, text)"),
        (PROXY_V2, "client-plaintext", "proxy-v2", "the PROXY protocol (version 2, binary)"),
        (b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", "client-plaintext", "ssl2", "SSL 2.0"),
        (b"\x80\x67\x01\x03\x01\x00\x4e\x00\x00\x00\x10", "client-plaintext", "ssl2", "SSL 2.0"),
        (b"\x16\xfe\xff\0\0\0\0\0\0\0\0\0\x10", "client-plaintext", "dtls", "DTLS"),
        (b"GET / HTTP/1.1\r\nHost: lb\r\n\r\n", "client-plaintext", "http", "HTTP without TLS"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "client-plaintext", "http2", "HTTP/2 without TLS"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "client-plaintext", "ssh", "SSH"),
        (b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0", "client-plaintext", "rdp", "RDP"),
        (b"\0\0\0\x08\x04\xd2\x16\x2f", "client-plaintext", "postgresql", "PostgreSQL"),
        (b"EHLO scanner.example.com\r\n", "client-plaintext", "smtp", "SMTP"),
        (b"\x80\x01\x00\x01\x00\x00\x00\x07GetInfo", "client-plaintext", "thrift", "Thrift without TLS"),
        (b"\x01\0\0\0\x05PLAIN", "client-plaintext", "sasl-plain", "SASL PLAIN without TLS"),
        (b"anything else at all", "client-plaintext", "unknown", "no protocol that pronk knows"),
        (&too_long, "client-tls-error", "", "a TLS record that is longer than any may be (16 KiB)"),
        (&too_long_data, "client-tls-error", "", "a TLS record that is longer than any may be (16 KiB)"),
        (&large_message, "client-tls-error", "", "a handshake message of more than 64 KiB"),
        (&empty, "client-tls-error", "", "an empty TLS record"),
        (&data, "client-tls-error", "", "a TLS message that belongs elsewhere"),
        (&then_garbage, "client-tls-error", "", "began TLS, and sent what is no TLS"),
        (&alert, "client-tls-alert", "", "the tls alert 70, protocol_version"),
    ] {
        send(front.address, bytes);
        front.pronk.logged(words, |line| {
            let detail = line["close.detail"].as_str().unwrap_or_default();
            let is_named = opening.is_empty() || line["opening"] == opening;
            line["close.code"] == code && detail.contains(words) && is_named
        });
    }
}

#[test]
fn proxy_header_is_named_where_bytes_are_passed_on_as_they_are() {
    let front = Front::before(echo_member()).start();
    for (bytes, opening) in [(PROXY_V1, "proxy-v1"), (PROXY_V2, "proxy-v2"), (b"SSH-2.0-x\r\n", "ssh")] {
        let mut client = connect(front.address);
        client.write_all(bytes).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        read_all(&mut client).1.unwrap();
        front.pronk.logged(opening, |line| line["opening"] == opening);
    }
}

/// As an impalad does with what it does not understand.
#[test]
fn proxy_header_is_the_reason_why_a_member_closes() {
    let member = crate::peers::member(|mut client| {
        let _ = std::io::Read::read(&mut client, &mut [0; 64]);
    });
    let front = Front::before(member).start();
    for (bytes, words) in [(PROXY_V1, "the PROXY protocol (version 1"), (PROXY_V2, "the PROXY protocol (version 2")] {
        send(front.address, bytes);
        front.pronk.logged(words, |line| {
            line["close.code"] == "member-closed-unanswered"
                && line["close.detail"].as_str().is_some_and(|detail| detail.contains(words))
        });
    }
}
