//! The queue of a pool: where a connection waits while no member can take it, first come, first served.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Bound;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use super::marks::Changed;

/// Where all pools' choices pass, one at a time: choosing and counting the choice happen under its lock, so that two
/// connections never see the same member as the least loaded one. Whatever makes room wakes those who wait.
#[derive(Debug, Default)]
pub(super) struct Turnstile {
    /// Numbers the choices of all pools in one sequence.
    turn: Mutex<u64>,
    queues: Mutex<Vec<Weak<Queue>>>,
    /// Connections in all queues.
    waiting: AtomicUsize,
}

impl Turnstile {
    pub(super) fn lock(&self) -> MutexGuard<'_, u64> {
        self.turn.lock()
    }

    /// Lets the first of each queue try again.
    pub(super) fn wake(&self) {
        self.wake_after(Changed::now());
    }

    /// Does the same after a change that may have made room.
    pub(super) fn wake_after(&self, _: Changed) {
        // There is a fence between the room that was made and this look; `enter` has the same between its entry and its
        // first try.
        if self.waiting.load(Ordering::Relaxed) == 0 {
            return;
        }
        self.queues.lock().retain(|queue| match queue.upgrade() {
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
    line: Mutex<Line>,
    turnstile: Arc<Turnstile>,
}

/// Those who wait, in the order in which they arrived. Whatever is done with one of them takes logarithmic time, as
/// connections wait for the lock; looking for another client's takes a moment for each of the same client's.
#[derive(Debug, Default)]
struct Line {
    /// By number.
    waiters: BTreeMap<u64, Waiter>,
    /// The number of the next one to arrive.
    next: u64,
    /// Whose turn it is: the first's, until it is passed on, in the end to the next one to arrive.
    turn: u64,
}

#[derive(Debug)]
struct Waiter {
    client: IpAddr,
    own: Arc<Notify>,
}

impl Line {
    /// Lets the first try again.
    fn wake(&mut self) {
        let first = self.waiters.first_key_value();
        self.turn = first.map_or(self.next, |(number, _)| *number);
        if let Some((_, first)) = first {
            first.own.notify_one();
        }
    }

    /// Passes the turn on from the waiter of this number to the first one behind that `may_take` it, or to the next one
    /// to arrive.
    fn pass_on(&mut self, number: u64, may_take: impl Fn(&Waiter) -> bool) {
        let mut behind = self.waiters.range((Bound::Excluded(number), Bound::Unbounded));
        let next = behind.find(|(_, waiter)| may_take(waiter));
        if let Some((_, waiter)) = next {
            waiter.own.notify_one();
        }
        if self.turn == number {
            self.turn = next.map_or(self.next, |(number, _)| *number);
        }
    }
}

impl Queue {
    pub(super) fn new(turnstile: &Arc<Turnstile>) -> Arc<Self> {
        let queue = Arc::new(Self { line: Mutex::default(), turnstile: Arc::clone(turnstile) });
        turnstile.queues.lock().push(Arc::downgrade(&queue));
        queue
    }

    pub(super) fn len(&self) -> usize {
        self.line.lock().waiters.len()
    }

    /// Returns how many go before one that arrives now: none where all of them passed their turn on to it.
    pub(super) fn ahead(&self) -> usize {
        let line = self.line.lock();
        if line.turn == line.next { 0 } else { line.waiters.len() }
    }

    /// Lets a client's connection join the end of the queue, unless `depth` are there already.
    pub(super) fn enter(self: &Arc<Self>, client: IpAddr, depth: Option<u32>) -> Option<QueuePosition> {
        let own = Arc::new(Notify::new());
        let mut line = self.line.lock();
        if depth.is_some_and(|depth| line.waiters.len() >= depth as usize) {
            return None;
        }
        self.turnstile.waiting.fetch_add(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let number = line.next;
        line.next += 1;
        if line.turn == number {
            // Room may have been made before anybody was here to be woken, or be of no use to those who are.
            own.notify_one();
        }
        line.waiters.insert(number, Waiter { client, own: Arc::clone(&own) });
        drop(line);
        Some(QueuePosition { queue: Arc::clone(self), client, number, own })
    }

    fn wake(&self) {
        self.line.lock().wake();
    }
}

/// A position in the queue, until it is dropped; then it is the next one's turn.
#[derive(Debug)]
pub struct QueuePosition {
    queue: Arc<Queue>,
    client: IpAddr,
    number: u64,
    own: Arc<Notify>,
}

impl QueuePosition {
    /// Waits until it is worth a try.
    pub async fn turn(&self) {
        self.own.notified().await;
    }

    /// Lets the one behind try as well, whether it is here already or arrives later: what holds this one up may be its
    /// own affair.
    pub fn pass_on(&self) {
        self.queue.line.lock().pass_on(self.number, |_| true);
    }

    /// Lets the first one behind of another client try as well: what holds this one up holds up its client.
    pub fn pass_on_to_another_client(&self) {
        self.queue.line.lock().pass_on(self.number, |waiter| waiter.client != self.client);
    }
}

impl Drop for QueuePosition {
    fn drop(&mut self) {
        let mut line = self.queue.line.lock();
        line.waiters.remove(&self.number);
        self.queue.turnstile.waiting.fetch_sub(1, Ordering::Relaxed);
        line.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn has_turn(waiting: &QueuePosition) -> bool {
        pin!(waiting.turn()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn first_come_first_served() {
        let turnstile = Arc::new(Turnstile::default());
        let queue = Queue::new(&turnstile);
        let [first, second, third] = [(); 3].map(|()| queue.enter(CLIENT, Some(3)).unwrap());
        assert!(queue.enter(CLIENT, Some(3)).is_none(), "three may wait");
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
        let [first, second] = [(); 2].map(|()| queue.enter(CLIENT, None).unwrap());
        first.pass_on();
        assert!(has_turn(&second));
        second.pass_on();
    }

    #[test]
    fn one_that_its_client_holds_up_passes_its_place_on_to_another_client() {
        let queue = Queue::new(&Arc::default());
        let [first, second] = [(); 2].map(|()| queue.enter(CLIENT, None).unwrap());
        let other = queue.enter(IpAddr::from([10, 0, 0, 1]), None).unwrap();
        first.pass_on_to_another_client();
        assert!(!has_turn(&second) && has_turn(&other));
        drop(other);
        assert_eq!(queue.ahead(), 2);
        first.pass_on_to_another_client();
        assert_eq!(queue.ahead(), 0, "whoever arrives next may try");
    }

    #[test]
    fn queues_of_all_pools_are_woken() {
        let turnstile = Arc::new(Turnstile::default());
        let queues = [(); 2].map(|()| Queue::new(&turnstile));
        let waiting = queues.each_ref().map(|queue| queue.enter(CLIENT, None).unwrap());
        assert!(waiting.iter().all(has_turn), "the first of each tries at once");
        turnstile.wake();
        assert!(waiting.iter().all(has_turn), "a node may serve both");
    }

    #[test]
    fn newcomer_tries_at_once_what_nobody_before_it_can_use() {
        let turnstile = Arc::new(Turnstile::default());
        let queue = Queue::new(&turnstile);
        let [first, second] = [(); 2].map(|()| queue.enter(CLIENT, None).unwrap());
        second.pass_on();
        assert!(!has_turn(&queue.enter(CLIENT, None).unwrap()), "it is the first's turn, not the second's to pass on");
        first.pass_on();
        let third = queue.enter(CLIENT, None).unwrap();
        assert!(has_turn(&second) && !has_turn(&third), "it is the second's turn");
        second.pass_on();
        let fourth = queue.enter(CLIENT, None).unwrap();
        assert!(has_turn(&third) && !has_turn(&fourth));
        third.pass_on();
        fourth.pass_on();
        let fifth = queue.enter(CLIENT, None).unwrap();
        assert!(has_turn(&fifth), "everybody before it passed the turn on");
        turnstile.wake();
        assert!(!has_turn(&queue.enter(CLIENT, None).unwrap()), "it is the first's turn again");
    }

    /// Members, by their bits.
    const ALL: u8 = 0b111;
    const DEPTH: u32 = 6;

    #[derive(Clone, Debug)]
    enum Event {
        /// A connection arrives that some members have failed.
        Arrives { tried: u8 },
        /// One of those who wait gives up.
        Leaves(Index),
        /// A member has room for one more.
        Freed { member: u8 },
        /// One of those who wait is let run, which tries if it has its turn.
        Runs(Index),
        /// One of those who wait tries on its own account, as after a time.
        Tries(Index),
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let tried = || prop_oneof![2 => Just(0), 1 => 0..=ALL];
        let event = prop_oneof![
            3 => tried().prop_map(|tried| Event::Arrives { tried }),
            1 => any::<Index>().prop_map(Event::Leaves),
            2 => (0..3_u8).prop_map(|member| Event::Freed { member: 1 << member }),
            4 => any::<Index>().prop_map(Event::Runs),
            1 => any::<Index>().prop_map(Event::Tries),
        ];
        proptest::collection::vec(event, 0..60)
    }

    /// A queue and members with room, of which those who wait use whatever has not failed them.
    #[derive(Default)]
    struct Model {
        turnstile: Arc<Turnstile>,
        free: Vec<u8>,
        /// In the order in which they came.
        waiters: Vec<(QueuePosition, u8)>,
    }

    impl Model {
        /// One who waits tries; returns the member that serves it.
        fn tries(&mut self, at: usize) -> Option<u8> {
            let (waiting, tried) = &self.waiters[at];
            match self.free.iter().position(|member| member & tried == 0) {
                Some(index) => {
                    self.waiters.remove(at);
                    Some(self.free.swap_remove(index))
                }
                None => {
                    if *tried != 0 {
                        waiting.pass_on();
                    }
                    None
                }
            }
        }

        /// The first of those who have their turn tries; returns whether there was one. Nobody is overtaken who
        /// could use the same member.
        fn runs_in_order(&mut self) -> bool {
            let Some(at) = self.waiters.iter().position(|(waiting, _)| has_turn(waiting)) else { return false };
            if let Some(member) = self.tries(at) {
                assert!(self.waiters[..at].iter().all(|(_, tried)| tried & member != 0), "somebody was overtaken");
            }
            true
        }
    }

    proptest! {
        #[test]
        fn nobody_who_could_be_served_is_left_without_a_turn(events in events(), in_order: bool) {
            let mut model = Model::default();
            let queue = Queue::new(&model.turnstile);
            for event in events {
                let one_of = |index: Index| (!model.waiters.is_empty()).then(|| index.index(model.waiters.len()));
                match event {
                    Event::Arrives { tried } => {
                        let waiting = queue.enter(CLIENT, Some(DEPTH));
                        prop_assert_eq!(waiting.is_some(), model.waiters.len() < DEPTH as usize);
                        model.waiters.extend(waiting.map(|waiting| (waiting, tried)));
                    }
                    Event::Leaves(index) => drop(one_of(index).map(|at| model.waiters.remove(at))),
                    Event::Freed { member } => {
                        model.free.push(member);
                        model.turnstile.wake();
                    }
                    Event::Runs(_) if in_order => drop(model.runs_in_order()),
                    Event::Runs(index) => {
                        let has_turn = |at: &usize| has_turn(&model.waiters[*at].0);
                        one_of(index).filter(has_turn).map(|at| model.tries(at));
                    }
                    Event::Tries(index) => drop(one_of(index).filter(|_| !in_order).map(|at| model.tries(at))),
                }
                prop_assert_eq!(queue.len(), model.waiters.len());
            }
            while model.runs_in_order() {}
            for (_, tried) in &model.waiters {
                prop_assert!(model.free.iter().all(|member| member & tried != 0), "there is room for one who waits");
            }
        }
    }
}
