//! Clients that send nothing, or what the virtual server cannot pass on.

use std::net::Shutdown;

use super::front::{Front, Provoked};
use crate::peers::{echo_member, reset};

pub fn client_silent() -> Provoked {
    let running = Front::before(echo_member()).protocol("idle-timeout: 300ms").start();
    let mut client = running.client();
    running.seen_by(&mut client)
}

/// TLS to a virtual server that has TLS toward its members only.
pub fn client_tls_unexpected() -> Provoked {
    let running = Front::before(echo_member()).server_ssl("").start();
    let mut client = running.tls_client();
    running.seen_by(&mut client)
}

/// As a probe of the port does that ends its connection in order.
pub fn client_left_silent() -> Provoked {
    let running = Front::before(echo_member()).start();
    let mut client = running.client();
    client.shutdown(Shutdown::Write).unwrap();
    running.seen_by(&mut client)
}

/// As a probe of the port does that is in a hurry.
pub fn client_reset_silent() -> Provoked {
    let running = Front::before(echo_member()).start();
    let client = running.client();
    reset(&client);
    drop(client);
    running.left()
}
