//! The connections of a virtual server that wait for a member. When the virtual server gets another pool, they change
//! queues together and in the order in which they arrived.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::pool::{LivePool, Pool, QueuePosition};

/// The waiting connections of one virtual server.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    seats: Mutex<Seats>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Seats {
    /// The number of the next connection.
    next: u64,
    taken: BTreeMap<u64, Taken>,
}

/// Whose connection waits, and where.
#[derive(Debug)]
struct Taken {
    client: IpAddr,
    /// None if the queue that it should have changed to was full.
    queued: Option<Arc<Queued>>,
}

impl Taken {
    /// Joins the end of the queue of `pool`, unless it waits there already.
    fn move_to(&mut self, pool: &Pool) {
        if self.queued.as_ref().is_some_and(|queued| !Arc::ptr_eq(&queued.pool, &pool.live)) {
            self.queued = Queued::join(pool, self.client);
        }
    }
}

/// A position in the queue of a pool.
#[derive(Debug)]
pub(super) struct Queued {
    pool: Arc<LivePool>,
    pub waiting: QueuePosition,
}

impl Queued {
    /// Lets a client's connection join the end of a pool's queue, unless that is full.
    fn join(pool: &Pool, client: IpAddr) -> Option<Arc<Self>> {
        Some(Arc::new(Self { pool: Arc::clone(&pool.live), waiting: pool.queue(client)? }))
    }
}

impl Waiters {
    /// Adds a client's connection that waits in the queue of `pool`.
    pub(super) fn add(&self, pool: &Pool, client: IpAddr, waiting: QueuePosition) -> Seat<'_> {
        let queued = Arc::new(Queued { pool: Arc::clone(&pool.live), waiting });
        let mut seats = self.seats();
        let number = seats.next;
        seats.next += 1;
        seats.taken.insert(number, Taken { client, queued: Some(queued) });
        Seat { waiters: self, number }
    }

    /// Moves the connections that wait elsewhere to the queue of `pool`, applies the configuration that says so, and
    /// wakes them. A connection that arrives under that configuration finds them there.
    pub(super) fn move_to(&self, pool: &Pool, apply: impl FnOnce()) {
        let mut seats = self.seats();
        seats.taken.values_mut().for_each(|taken| taken.move_to(pool));
        apply();
        drop(seats);
        self.changed.notify_waiters();
    }

    /// Waits until another configuration is applied.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        // The seats are whole after every statement, so a panic elsewhere does not spoil them.
        self.seats.lock()
    }
}

/// A waiting connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat<'a> {
    waiters: &'a Waiters,
    number: u64,
}

impl Seat<'_> {
    /// Returns the newest configuration, by `newest`, and where the connection queues under it; none if that queue is
    /// full. `pool` returns the pool of a configuration.
    pub(super) fn queued<S>(
        &self,
        newest: impl FnOnce() -> S,
        pool: impl FnOnce(&S) -> &Pool,
    ) -> (S, Option<Arc<Queued>>) {
        let mut seats = self.waiters.seats();
        // Under the lock, as the configuration may change with the queues.
        let newest = newest();
        let Some(taken) = seats.taken.get_mut(&self.number) else { return (newest, None) };
        // It may have been added after the others were moved.
        taken.move_to(pool(&newest));
        let queued = taken.queued.clone();
        (newest, queued)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let queued = self.waiters.seats().taken.remove(&self.number);
        // Leaving the queue wakes the next, which must not wait for the lock.
        drop(queued);
    }
}
