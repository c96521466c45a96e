//! Waiting for a member, first come, first served.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use tokio::sync::Notify;

use super::live::locked;

/// Where all pools' choices pass, one at a time: choosing and counting the choice happen under its lock, so that two
/// connections never see the same member as the least loaded one. Whatever frees a place wakes those who wait.
#[derive(Debug, Default)]
pub(super) struct Turnstile {
    /// Numbers the choices of all pools in one sequence.
    turn: Mutex<u64>,
    queues: Mutex<Vec<Weak<Queue>>>,
    /// Connections in all queues.
    waiting: AtomicUsize,
}

impl Turnstile {
    pub fn lock(&self) -> MutexGuard<'_, u64> {
        locked(&self.turn)
    }

    /// Lets the first of each queue try again.
    pub fn wake(&self) {
        // Between the place that was freed and this look; `enter` has the same between its entry and its first try.
        fence(Ordering::SeqCst);
        if self.waiting.load(Ordering::Relaxed) == 0 {
            return;
        }
        locked(&self.queues).retain(|queue| match queue.upgrade() {
            Some(queue) => {
                queue.wake();
                true
            }
            None => false,
        });
    }
}

/// Those who wait for a member of one pool.
#[derive(Debug)]
pub(super) struct Queue {
    waiters: Mutex<VecDeque<Arc<Notify>>>,
    turnstile: Arc<Turnstile>,
}

impl Queue {
    pub fn new(turnstile: &Arc<Turnstile>) -> Arc<Self> {
        let queue = Arc::new(Self { waiters: Mutex::default(), turnstile: Arc::clone(turnstile) });
        locked(&turnstile.queues).push(Arc::downgrade(&queue));
        queue
    }

    pub fn len(&self) -> usize {
        locked(&self.waiters).len()
    }

    /// Joins the end of the queue, unless `depth` are there already.
    pub fn enter(self: &Arc<Self>, depth: Option<u32>) -> Option<Waiting> {
        let own = Arc::new(Notify::new());
        let mut waiters = locked(&self.waiters);
        if depth.is_some_and(|depth| waiters.len() >= depth as usize) {
            return None;
        }
        self.turnstile.waiting.fetch_add(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if waiters.is_empty() {
            // A place may have been freed before anybody was here to be woken.
            own.notify_one();
        }
        waiters.push_back(Arc::clone(&own));
        drop(waiters);
        Some(Waiting { queue: Arc::clone(self), own })
    }

    fn wake(&self) {
        if let Some(first) = locked(&self.waiters).front() {
            first.notify_one();
        }
    }
}

/// A place in the queue, until it is dropped; then it is the next one's turn.
#[derive(Debug)]
pub struct Waiting {
    queue: Arc<Queue>,
    own: Arc<Notify>,
}

impl Waiting {
    /// Waits until it is worth a try.
    pub async fn turn(&self) {
        self.own.notified().await;
    }

    /// Lets the one behind try as well: what holds this one up may be its own affair.
    pub fn pass_on(&self) {
        let waiters = locked(&self.queue.waiters);
        let place = waiters.iter().position(|waiter| Arc::ptr_eq(waiter, &self.own));
        if let Some(next) = place.and_then(|place| waiters.get(place + 1)) {
            next.notify_one();
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut waiters = locked(&self.queue.waiters);
        waiters.retain(|waiter| !Arc::ptr_eq(waiter, &self.own));
        self.queue.turnstile.waiting.fetch_sub(1, Ordering::Relaxed);
        if let Some(first) = waiters.front() {
            first.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn has_turn(waiting: &Waiting) -> bool {
        pin!(waiting.turn()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn first_come_first_served() {
        let turnstile = Arc::new(Turnstile::default());
        let queue = Queue::new(&turnstile);
        let [first, second, third] = [(); 3].map(|()| queue.enter(Some(3)).unwrap());
        assert!(queue.enter(Some(3)).is_none(), "three may wait");
        assert!(has_turn(&first), "the first tries at once");
        assert!(!has_turn(&first) && !has_turn(&second));
        turnstile.wake();
        assert!(has_turn(&first) && !has_turn(&second));
        drop(second);
        drop(first);
        assert!(has_turn(&third), "whoever leaves makes way");
        assert_eq!(queue.len(), 1);
    }

    #[test]
    fn one_that_cannot_use_a_place_passes_it_on() {
        let queue = Queue::new(&Arc::default());
        let [first, second] = [(); 2].map(|()| queue.enter(None).unwrap());
        first.pass_on();
        assert!(has_turn(&second));
        second.pass_on();
    }

    #[test]
    fn queues_of_all_pools_are_woken() {
        let turnstile = Arc::new(Turnstile::default());
        let queues = [(); 2].map(|()| Queue::new(&turnstile));
        let waiting = queues.each_ref().map(|queue| queue.enter(None).unwrap());
        assert!(waiting.iter().all(has_turn), "the first of each tries at once");
        turnstile.wake();
        assert!(waiting.iter().all(has_turn), "a node may serve both");
    }
}
