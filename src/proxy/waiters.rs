//! Connections that wait for a member, by the virtual server that they came to. When that gets another pool, they
//! change queues together, in the order in which they came.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::pool::{LivePool, Pool, Waiting};

#[derive(Debug, Default)]
pub(super) struct Waiters {
    seats: Mutex<Seats>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Seats {
    /// Numbers those who come.
    next: u64,
    /// Where each of them queues; none where the queue that it was to change to was full.
    taken: BTreeMap<u64, Option<Arc<Queued>>>,
}

/// A place in the queue of a pool.
#[derive(Debug)]
pub(super) struct Queued {
    pool: Arc<LivePool>,
    pub waiting: Waiting,
}

impl Queued {
    /// At the end of the queue, unless that is full.
    fn at(pool: &Pool) -> Option<Arc<Self>> {
        Some(Arc::new(Self { pool: Arc::clone(&pool.live), waiting: pool.queue()? }))
    }
}

impl Waiters {
    /// Adds a connection, which has a place in the queue of `pool`.
    pub fn add(&self, pool: &Pool, waiting: Waiting) -> Seat<'_> {
        let queued = Arc::new(Queued { pool: Arc::clone(&pool.live), waiting });
        let mut seats = self.seats();
        let number = seats.next;
        seats.next += 1;
        seats.taken.insert(number, Some(queued));
        Seat { waiters: self, number }
    }

    /// Lets everybody change to the queue of `pool` who queues elsewhere, takes the configuration into force that says
    /// so, and tells them. Whoever comes by that configuration finds them there.
    pub fn move_to(&self, pool: &Pool, take: impl FnOnce()) {
        let mut seats = self.seats();
        for queued in seats.taken.values_mut().filter(|queued| is_elsewhere(queued, pool)) {
            *queued = Queued::at(pool);
        }
        take();
        drop(seats);
        self.changed.notify_waiters();
    }

    /// Waits until another configuration is taken into force.
    pub fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        // The seats are whole after every statement, so a panic elsewhere does not spoil them.
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that waits, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat<'a> {
    waiters: &'a Waiters,
    number: u64,
}

impl Seat<'_> {
    /// The newest configuration, by `newest`, and where the connection queues by it; none where the queue is full. Its
    /// pool is what `pool` finds in it.
    pub fn queued<S>(&self, newest: impl FnOnce() -> S, pool: impl FnOnce(&S) -> &Pool) -> (S, Option<Arc<Queued>>) {
        let mut seats = self.waiters.seats();
        // Under the lock, as the configuration may change with the queues.
        let newest = newest();
        let Some(queued) = seats.taken.get_mut(&self.number) else { return (newest, None) };
        let pool = pool(&newest);
        // It may have been added after the others had changed.
        if is_elsewhere(queued, pool) {
            *queued = Queued::at(pool);
        }
        let queued = queued.clone();
        (newest, queued)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let left = self.waiters.seats().taken.remove(&self.number);
        // Makes way for the next in the queue, which needs no lock of ours.
        drop(left);
    }
}

fn is_elsewhere(queued: &Option<Arc<Queued>>, pool: &Pool) -> bool {
    queued.as_ref().is_some_and(|queued| !Arc::ptr_eq(&queued.pool, &pool.live))
}
