//! Clients for whom there is no member.

use std::net::SocketAddr;

use super::front::{Front, Provoked};
use crate::lb::{free_port, until};
use crate::peers::{echo_member, is_refused};

pub fn no_members() -> Provoked {
    refused(Front::new())
}

pub fn no_member_up() -> Provoked {
    let running = Front::before(nobody()).monitored().start();
    running.member_is_down();
    assert!(is_refused(running.address));
    running.refused()
}

pub fn no_member_enabled() -> Provoked {
    refused(Front::new().member(echo_member(), "state: disabled"))
}

pub fn no_member_below_limit() -> Provoked {
    let running = Front::new().member(echo_member(), "connection-limit: 1").start();
    let _holder = running.served();
    assert!(is_refused(running.address));
    running.refused()
}

pub fn no_member_below_rate() -> Provoked {
    let running = Front::new().member(echo_member(), "rate-limit: 1").start();
    until("one is too many within a second", || is_refused(running.address));
    running.refused()
}

pub fn too_few_members_up() -> Provoked {
    let front = Front::before(nobody()).member(echo_member(), "").monitored().pool("min-up-members: 2");
    let running = front.start();
    running.member_is_down();
    assert!(is_refused(running.address));
    running.refused()
}

fn nobody() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], free_port()))
}

fn refused(front: Front) -> Provoked {
    let running = front.start();
    assert!(is_refused(running.address));
    running.refused()
}
