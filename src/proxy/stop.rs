//! Ending one connection from outside, by the drain of the process or by an administrator.

use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Waker;

use atomic_waker::AtomicWaker;

use super::close_reasons::CloseReason;

/// Why a connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Stop {
    /// An administrator drains its member, node or virtual server, and ends what is idle. A connection that is not idle
    /// any more goes on.
    DrainIdle = 1,
    /// An administrator drains its member, node or virtual server, and the deadline is over.
    DrainDeadline,
    /// An administrator ends this connection.
    Killed,
    /// pronk stops, and its drain time is over.
    Drained,
}

impl Stop {
    const ALL: [Self; 4] = [Self::DrainIdle, Self::DrainDeadline, Self::Killed, Self::Drained];

    /// Returns why a connection ends by it.
    pub(super) fn reason(self, in_exchange: bool) -> CloseReason {
        match self {
            Self::DrainIdle => CloseReason::DrainIdle,
            Self::DrainDeadline => CloseReason::DrainDeadline,
            Self::Killed => CloseReason::Killed,
            Self::Drained if in_exchange => CloseReason::DrainedInExchange,
            Self::Drained => CloseReason::Drained,
        }
    }
}

/// The order to a connection to end, and the waker of the task that waits for it. It takes 32 bytes, and no connection
/// shares it with another.
#[derive(Debug, Default)]
pub(super) struct StopSwitch {
    ordered: AtomicU8,
    waker: AtomicWaker,
}

impl StopSwitch {
    /// Orders the end. Of several orders the first counts, but any counts more than [`Stop::DrainIdle`]. Returns whether
    /// this one does.
    pub(super) fn order(&self, stop: Stop) -> bool {
        let newer =
            |ordered| (ordered == 0 || ordered == Stop::DrainIdle as u8 && ordered != stop as u8).then_some(stop as u8);
        let is_new = self.ordered.fetch_update(Ordering::AcqRel, Ordering::Acquire, newer).is_ok();
        if is_new {
            self.waker.wake();
        }
        is_new
    }

    /// Takes the order back that is for idle connections alone.
    pub(super) fn withdraw_idle(&self) {
        // Another order that came meanwhile stays.
        let _ = self.ordered.compare_exchange(Stop::DrainIdle as u8, 0, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Has this task woken by the next order.
    pub(super) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// Forgets the task that was to be woken, and is about to end. Whoever has the switch would keep the task's memory.
    pub(super) fn forget_task(&self) {
        self.waker.take();
    }

    pub(super) fn ordered(&self) -> Option<Stop> {
        let ordered = self.ordered.load(Ordering::Acquire);
        Stop::ALL.into_iter().find(|stop| *stop as u8 == ordered)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// Random orders, against what should count.
    #[test]
    fn first_order_counts_but_one_for_idle_connections_gives_way() {
        for seed in 0..500 {
            let mut random = fastrand::Rng::with_seed(seed);
            let (switch, mut expected) = (StopSwitch::default(), None);
            for _ in 0..random.usize(..8) {
                if random.u8(..3) == 0 {
                    switch.withdraw_idle();
                    expected = expected.filter(|stop| *stop != Stop::DrainIdle);
                } else {
                    let stop = *random.choice(&Stop::ALL).unwrap();
                    let counts = match expected {
                        None => true,
                        Some(Stop::DrainIdle) => stop != Stop::DrainIdle,
                        Some(_) => false,
                    };
                    assert_eq!(switch.order(stop), counts, "{seed}");
                    if counts {
                        expected = Some(stop);
                    }
                }
                assert_eq!(switch.ordered(), expected, "{seed}");
            }
        }
    }

    #[test]
    fn task_that_is_forgotten_is_kept_by_nobody() {
        struct Task;
        impl std::task::Wake for Task {
            fn wake(self: Arc<Self>) {}
        }
        let (switch, task) = (StopSwitch::default(), Arc::new(Task));
        switch.register(&Waker::from(Arc::clone(&task)));
        assert_eq!(Arc::strong_count(&task), 2);
        switch.forget_task();
        assert_eq!(Arc::strong_count(&task), 1);
    }

    #[test]
    fn order_that_races_with_the_wait_is_never_missed() {
        for _ in 0..2000 {
            let switch = StopSwitch::default();
            std::thread::scope(|scope| {
                scope.spawn(|| switch.order(Stop::Killed));
                let waiting = std::future::poll_fn(|cx| {
                    switch.register(cx.waker());
                    if switch.ordered().is_some() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
                });
                tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(waiting);
            });
        }
    }
}
