//! How connections end that had a member.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread::sleep;
use std::time::Duration;

use parking_lot::Mutex;
use rustls::version::TLS13;

use super::front::{Front, Provoked};
use crate::down::mortal_member;
use crate::peers::{echo_member, echo_member_at, echoes, member, reset, wait_for_end};
use crate::support::tls::{asking_for_a_certificate, showing};
use crate::tls_peers::{TlsMember, tls_member};

/// Bytes that are no TLS record.
const GARBAGE: &[u8] = b"not a record of TLS";

pub fn client_fin() -> Provoked {
    let running = Front::before(echo_member()).start();
    let mut client = running.served();
    client.shutdown(Shutdown::Write).unwrap();
    running.seen_by(&mut client)
}

pub fn client_reset() -> Provoked {
    let running = Front::before(echo_member()).start();
    let client = running.served();
    reset(&client);
    drop(client);
    running.left()
}

/// As Thrift's clients end.
pub fn client_close_notify_missing() -> Provoked {
    let running = Front::before(echo_member()).client_ssl("").start();
    let mut client = running.served_in_tls();
    client.sock.shutdown(Shutdown::Write).unwrap();
    running.seen_by(&mut client)
}

pub fn client_tls_broken() -> Provoked {
    let running = Front::before(echo_member()).client_ssl("").start();
    let mut client = running.served_in_tls();
    client.sock.write_all(GARBAGE).unwrap();
    running.seen_by(&mut client)
}

/// A client to whom something on the way sent what is no TLS.
pub fn client_sent_alert() -> Provoked {
    let running = Front::before(echo_member()).client_ssl("").start();
    let mut client = running.served_in_tls();
    client.conn.read_tls(&mut &GARBAGE[..]).unwrap();
    client.conn.process_new_packets().unwrap_err();
    client.conn.write_tls(&mut client.sock).unwrap();
    // It reads no more TLS.
    running.seen_by(&mut client.sock)
}

pub fn client_keepalive_timeout() -> Provoked {
    let (ask, asked) = channel();
    let asked = Mutex::new(asked);
    let running = Front::before(member(move |mut stream| {
        stream.read_exact(&mut [0; 5]).unwrap();
        stream.write_all(b"hello").unwrap();
        let () = asked.lock().recv().unwrap();
        stream.write_all(b"nobody receives this").unwrap();
        wait_for_end(&mut stream);
    }));
    let running = running.protocol("tcp-user-timeout: 1s").start();
    let mut client = running.client_from(FAR);
    assert!(echoes(&mut client));
    vanish();
    ask.send(()).unwrap();
    running.left()
}

pub fn member_fin() -> Provoked {
    answered(Front::before(member(|mut stream| {
        stream.read_exact(&mut [0; 5]).unwrap();
        stream.write_all(b"hello").unwrap();
    })))
}

pub fn member_reset() -> Provoked {
    answered_once(Front::before(member(|mut stream| {
        stream.read_exact(&mut [0; 5]).unwrap();
        stream.write_all(b"hello").unwrap();
        // What was written must have left this side before the reset, which would throw it away.
        stream.read_exact(&mut [0; 5]).unwrap();
        reset(&stream);
    })))
}

pub fn member_close_notify_missing() -> Provoked {
    answered(before_tls_member(|mut stream| {
        stream.read_exact(&mut [0; 5]).unwrap();
        stream.write_all(b"hello").unwrap();
        stream.sock.shutdown(Shutdown::Write).unwrap();
        wait_for_end(&mut stream);
    }))
}

pub fn member_tls_broken() -> Provoked {
    answered_once(before_tls_member(|mut stream| {
        stream.read_exact(&mut [0; 5]).unwrap();
        stream.write_all(b"hello").unwrap();
        stream.read_exact(&mut [0; 5]).unwrap();
        stream.sock.write_all(GARBAGE).unwrap();
        wait_for_end(&mut stream);
    }))
}

/// TLS 1.3: the client finishes the handshake without the certificate that the member asks for, and is told afterwards.
pub fn member_sent_alert() -> Provoked {
    let front = Front::new();
    let asks = asking_for_a_certificate(&front.node_certificate(), &front.ca, &TLS13);
    let running = front.member(tls_member(asks, |mut stream| wait_for_end(&mut stream)), "").server_ssl("").start();
    let mut client = running.asking();
    running.seen_by(&mut client)
}

pub fn member_keepalive_timeout() -> Provoked {
    let running = Front::before(echo_member_at(FAR)).protocol("tcp-user-timeout: 1s").start();
    let mut client = running.served();
    vanish();
    client.write_all(b"nobody receives this").unwrap();
    running.seen_by(&mut client)
}

/// As a process that is killed: its port is closed, and then its connections.
pub fn member_gone() -> Provoked {
    let (member, die) = mortal_member();
    let running = Front::before(member).monitored().start();
    let mut client = running.served();
    die.send(()).unwrap();
    running.member_is_down();
    die.send(()).unwrap();
    running.seen_by(&mut client)
}

/// An impalad with TLS behind a virtual server that has none.
pub fn member_expects_tls() -> Provoked {
    let front = Front::new();
    let member = tls_member(showing(&front.node_certificate()), |mut stream| drop(stream.read(&mut [0])));
    let running = front.member(member, "").start();
    let mut client = running.asking();
    running.seen_by(&mut client)
}

/// As an impalad with SASL does to a client without.
pub fn member_closed_unanswered() -> Provoked {
    let running = Front::before(member(|mut stream| drop(stream.read(&mut [0; 64])))).start();
    let mut client = running.client();
    client.write_all(b"\x80\x01\x00\x01\x00\x00\x00\x0bOpenSession").unwrap();
    running.seen_by(&mut client)
}

/// An impalad without TLS takes a hello for the length of a message.
pub fn member_silent_to_tls() -> Provoked {
    let running = Front::before(silent_member()).protocol("idle-timeout: 1200ms").start();
    let mut client = running.tls_client();
    running.seen_by(&mut client)
}

/// An impalad without SASL does the same with the begin of a login.
pub fn member_silent_to_sasl() -> Provoked {
    let running = Front::before(silent_member()).protocol("idle-timeout: 1200ms").start();
    let mut client = running.client();
    client.write_all(b"\x01\x00\x00\x00\x05PLAIN\x05\x00\x00\x00\x00").unwrap();
    running.seen_by(&mut client)
}

pub fn idle_timeout() -> Provoked {
    let running = Front::before(echo_member()).protocol("idle-timeout: 300ms").start();
    let mut client = running.served();
    running.seen_by(&mut client)
}

pub fn half_closed_timeout() -> Provoked {
    // Silent even after the client's end, until it is reset.
    let member = member(|mut stream| {
        while stream.read(&mut [0]).is_ok() {
            sleep(Duration::from_millis(10));
        }
    });
    let running = Front::before(member).protocol("half-closed-timeout: 300ms").start();
    let mut client = running.asking();
    client.shutdown(Shutdown::Write).unwrap();
    running.seen_by(&mut client)
}

pub fn service_down_reset() -> Provoked {
    let (member, die) = mortal_member();
    let running = Front::before(member).monitored().pool("service-down-action: reset").start();
    let mut client = running.served();
    die.send(()).unwrap();
    running.seen_by(&mut client)
}

/// The client sees nothing, until it leaves.
pub fn service_down_drop() -> Provoked {
    let (member, die) = mortal_member();
    let running = Front::before(member).monitored().pool("service-down-action: drop").start();
    let client = running.served();
    die.send(()).unwrap();
    running.member_is_down();
    drop(client);
    running.left()
}

pub fn drained() -> Provoked {
    let running = Front::before(echo_member()).drain_timeout(1).start();
    let mut client = running.served();
    running.pronk.signal("TERM");
    running.seen_by(&mut client)
}

/// A client whose request is not answered yet.
pub fn drained_in_exchange() -> Provoked {
    let running = Front::before(silent_member()).drain_timeout(1).start();
    let mut client = running.asking();
    running.pronk.signal("TERM");
    running.seen_by(&mut client)
}

pub fn drain_deadline() -> Provoked {
    let running = Front::before(echo_member()).start();
    let mut client = running.served();
    assert!(running.pronk.command(&["drain", "node", "a", "--deadline", "0"]).status.success());
    running.seen_by(&mut client)
}

pub fn drain_idle() -> Provoked {
    let running = Front::before(echo_member()).start();
    let mut client = running.served();
    assert!(running.pronk.command(&["drain", "node", "a", "--idle-only", "--idle-for", "1s"]).status.success());
    running.seen_by(&mut client)
}

pub fn killed() -> Provoked {
    let running = Front::before(echo_member()).start();
    let mut client = running.served();
    assert!(running.pronk.command(&["kill", "--client", "127.0.0.1"]).status.success());
    running.seen_by(&mut client)
}

/// A client that was answered, until its end.
fn answered(front: Front) -> Provoked {
    let running = front.start();
    let mut client = running.served();
    running.seen_by(&mut client)
}

/// A client that was answered and speaks again, until its end.
fn answered_once(front: Front) -> Provoked {
    let running = front.start();
    let mut client = running.served();
    client.write_all(b"again").unwrap();
    running.seen_by(&mut client)
}

fn before_tls_member(serve: impl Fn(TlsMember) + Send + Sync + 'static) -> Front {
    let front = Front::new();
    let member = tls_member(showing(&front.node_certificate()), serve);
    front.member(member, "").server_ssl("")
}

/// Has the system drop whatever is sent to [`FAR`], as when a cable is pulled.
fn vanish() {
    let status = Command::new("ip").args(["route", "add", "blackhole", FAR, "table", "local"]).status().unwrap();
    assert!(status.success());
}

/// The address of the peer that vanishes.
const FAR: &str = "127.0.0.9";

fn silent_member() -> SocketAddr {
    member(|mut stream| wait_for_end(&mut stream))
}
