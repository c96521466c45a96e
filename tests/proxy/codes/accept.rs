//! Clients that a rule of the virtual server refuses.

use std::io::Read;
use std::net::SocketAddr;

use super::front::{Front, Provoked};
use crate::lb::{free_port, until};
use crate::peers::{echo_member, echoes, is_refused, is_reset, try_connect};

pub fn source_refused() -> Provoked {
    refused(Front::before(echo_member()).virtual_server("source: [10.0.0.0/8]"))
}

pub fn connection_limit() -> Provoked {
    let running = Front::before(echo_member()).virtual_server("connection-limit: 1").start();
    let _holder = running.served();
    assert!(is_refused(running.address));
    running.refused()
}

pub fn virtual_server_disabled() -> Provoked {
    refused(Front::before(echo_member()).virtual_server("state: disabled"))
}

/// The client is refused before it says a word.
pub fn service_down_immediate() -> Provoked {
    let nobody = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let front = Front::before(nobody).monitored().virtual_server("service-down-immediate-action: reset");
    let running = front.start();
    running.member_is_down();
    let refused = try_connect(running.address).and_then(|mut client| client.read(&mut [0]));
    assert!(refused.is_err_and(|error| is_reset(&error)));
    running.refused()
}

pub fn client_connection_limit() -> Provoked {
    let running = Front::before(echo_member()).virtual_server("client-connection-limit: 1").start();
    let _holder = running.served();
    let mut other = running.client_from("127.0.0.2");
    assert!(echoes(&mut other), "another client");
    assert!(is_refused(running.address));
    running.refused()
}

pub fn client_rate_limit() -> Provoked {
    let running = Front::before(echo_member()).virtual_server("client-rate-limit: 1").start();
    until("one is too many within a second", || is_refused(running.address));
    let mut other = running.client_from("127.0.0.2");
    assert!(echoes(&mut other), "another client");
    running.refused()
}

pub fn rate_limit() -> Provoked {
    let running = Front::before(echo_member()).virtual_server("rate-limit: 1").start();
    until("one is too many within a second", || is_refused(running.address));
    running.refused()
}

fn refused(front: Front) -> Provoked {
    let running = front.start();
    assert!(is_refused(running.address));
    running.refused()
}
