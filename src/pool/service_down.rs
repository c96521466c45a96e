//! The service-down action: what becomes of a member's connections when it goes down or is removed.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::model::ServiceDownAction;

/// What becomes of connections whose member goes down or is removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ServiceDown {
    pub action: ServiceDownAction,
    /// How long after a removal; `None` is never.
    pub drain_time: Option<Duration>,
}

/// The action in force on the connections of one member: none while it is up. What they wait with is made for the first
/// connection, as there may be thousands of members that have none.
#[derive(Debug, Default)]
pub(super) struct ActionInForce(OnceLock<Box<Followed>>);

/// The action, as connections follow it: it is kept once for each of some groups of them, as waiting takes a lock.
///
/// This is no `watch`, as each connection would have to hold twice as much to follow one.
#[derive(Debug, Default)]
struct Followed {
    /// Is held while the action is set.
    setting: Mutex<()>,
    groups: [Group; 8],
}

#[derive(Debug, Default)]
struct Group {
    action: AtomicU8,
    changed: Notify,
}

impl ActionInForce {
    /// Puts an action in force; returns whether it is another one than before.
    pub(super) fn set(&self, action: ServiceDownAction) -> bool {
        if action == ServiceDownAction::None && self.0.get().is_none() {
            return false;
        }
        let Followed { setting, groups } = self.followed();
        let _setting = setting.lock();
        // All groups have the same action, so each says the same.
        groups.iter().fold(false, |_, group| group.set(action))
    }

    /// Waits until an action is in force, and returns it.
    pub(super) fn due(&self) -> impl Future<Output = ServiceDownAction> {
        let groups = &self.followed().groups;
        let group = &groups[fastrand::usize(..groups.len())];
        // A block, as a function would have room for its argument twice.
        async move {
            loop {
                // Before the question, so that no change is missed.
                let changed = group.changed.notified();
                match group.action() {
                    ServiceDownAction::None => changed.await,
                    action => return action,
                }
            }
        }
    }

    fn followed(&self) -> &Followed {
        self.0.get_or_init(Box::default)
    }
}

impl Group {
    fn set(&self, action: ServiceDownAction) -> bool {
        let is_new = self.action.swap(action as u8, Ordering::SeqCst) != action as u8;
        if is_new {
            self.changed.notify_waiters();
        }
        is_new
    }

    fn action(&self) -> ServiceDownAction {
        let number = self.action.load(Ordering::SeqCst);
        ServiceDownAction::ALL.into_iter().find(|action| *action as u8 == number).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn action_that_is_in_force_is_told_and_none_is_waited_out() {
        let (action, mut cx) = (ActionInForce::default(), Context::from_waker(Waker::noop()));
        assert!(!action.set(ServiceDownAction::None));
        assert!(size_of_val(&action.due()) <= 80, "every connection has it");
        let mut waiting = pin!(action.due());
        assert!(waiting.as_mut().poll(&mut cx).is_pending());
        assert!(action.set(ServiceDownAction::Reset));
        assert!(!action.set(ServiceDownAction::Reset), "as before");
        assert_eq!(waiting.poll(&mut cx), Poll::Ready(ServiceDownAction::Reset));
        assert_eq!(pin!(action.due()).poll(&mut cx), Poll::Ready(ServiceDownAction::Reset), "waits from now on");
        assert!(action.set(ServiceDownAction::None));
        assert!(pin!(action.due()).poll(&mut cx).is_pending());
    }

    /// An action may come at any moment while connections begin to wait.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn action_that_comes_while_connections_begin_to_wait_reaches_all() {
        for _ in 0..500 {
            let action = Arc::new(ActionInForce::default());
            let waiting: Vec<_> = (0..4)
                .map(|_| {
                    let action = Arc::clone(&action);
                    tokio::spawn(async move { pin!(action.due()).await })
                })
                .collect();
            action.set(ServiceDownAction::Reselect);
            for waiting in waiting {
                assert_eq!(waiting.await.unwrap(), ServiceDownAction::Reselect);
            }
        }
    }
}
