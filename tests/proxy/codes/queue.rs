//! Clients that wait for a member, and are not served.

use super::front::{Front, Provoked, Running};
use crate::peers::{echo_member, is_refused, reset};
use crate::queue::wait_until_queued;

/// A member with one place, and a queue with these further keys.
fn one_place(keys: &str) -> Running {
    let front = Front::new().member(echo_member(), "connection-limit: 1");
    front.pool(&format!("queue-on-connection-limit: true, {keys}")).start()
}

pub fn queue_full() -> Provoked {
    let running = one_place("queue-depth-limit: 1");
    let _holder = running.served();
    let _waits = running.asking();
    wait_until_queued(&running.pronk, 1);
    assert!(is_refused(running.address));
    running.refused()
}

pub fn queue_timeout() -> Provoked {
    let running = one_place("queue-time-limit: 300ms");
    let _holder = running.served();
    let mut waits = running.asking();
    running.seen_by(&mut waits)
}

pub fn client_left_queue() -> Provoked {
    let running = one_place("");
    let _holder = running.served();
    let waits = running.asking();
    wait_until_queued(&running.pronk, 1);
    reset(&waits);
    drop(waits);
    running.left()
}
