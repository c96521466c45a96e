//! The counts behind connection limits under every interleaving of threads that the memory model allows.

/// The model checker's, under the name by which the counts know theirs.
mod atomic {
    pub use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering};
}
#[path = "../src/stats/connections.rs"]
mod connections;

use connections::Connections;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;

#[test]
fn limit_is_never_exceeded_and_nothing_leaks() {
    loom::model(|| {
        let connections = Arc::new(Connections::default());
        // How many are in, counted by themselves.
        let inside = Arc::new(AtomicU32::new(0));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (connections, inside) = (Arc::clone(&connections), Arc::clone(&inside));
                thread::spawn(move || {
                    if connections.try_enter(Some(1)) {
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two are in at a limit of one");
                        inside.fetch_sub(1, Ordering::SeqCst);
                        connections.leave();
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let counts = connections.read();
        assert_eq!((counts.current, counts.maximum), (0, 1));
        assert!(connections.try_enter(Some(1)), "whoever left made room");
    });
}

#[test]
fn member_and_node_are_entered_both_or_neither() {
    loom::model(|| {
        // Two members of one node, which has room for one connection.
        let members = [(); 2].map(|()| Arc::new(Connections::default()));
        let node = Arc::new(Connections::default());
        let threads = members.clone().map(|member| {
            let node = Arc::clone(&node);
            thread::spawn(move || {
                let entered = Connections::try_enter_both((&member, Some(1)), (&node, Some(1)));
                if entered {
                    assert_eq!((member.current(), node.current()), (1, 1));
                    member.leave();
                    node.leave();
                }
                entered
            })
        });
        let entered: u64 = threads.into_iter().map(|thread| u64::from(thread.join().unwrap())).sum();
        assert!(entered >= 1, "somebody enters");
        assert!(members.iter().all(|member| member.current() == 0) && node.current() == 0);
        assert_eq!(members.iter().map(|member| member.total()).sum::<u64>(), entered, "only those who got in count");
    });
}

#[test]
fn maximum_that_begins_anew_is_never_below_what_is_open() {
    loom::model(|| {
        let connections = Arc::new(Connections::default());
        assert!(connections.try_enter(None));
        let enters = thread::spawn({
            let connections = Arc::clone(&connections);
            move || assert!(connections.try_enter(None))
        });
        connections.reset_maximum();
        enters.join().unwrap();
        let counts = connections.read();
        assert_eq!((counts.current, counts.maximum, counts.total), (2, 2, 2));
    });
}

#[test]
fn total_counts_nobody_who_does_not_get_in() {
    loom::model(|| {
        let (member, node) = (Arc::new(Connections::default()), Arc::new(Connections::default()));
        assert!(node.try_enter(Some(1)));
        let refused = thread::spawn({
            let (member, node) = (Arc::clone(&member), Arc::clone(&node));
            move || assert!(!Connections::try_enter_both((&member, None), (&node, Some(1))))
        });
        // Whoever collects totals takes one that falls for one that began anew.
        assert_eq!((member.total(), node.total()), (0, 1));
        refused.join().unwrap();
        assert_eq!(member.read().maximum, 0);
    });
}

#[test]
fn limit_holds_with_connections_elsewhere_that_become_fewer() {
    loom::model(|| {
        let connections = Arc::new(Connections::default());
        connections.set_elsewhere(1);
        let enters = thread::spawn({
            let connections = Arc::clone(&connections);
            move || connections.try_enter(Some(1))
        });
        assert_eq!(connections.set_elsewhere(0), 1);
        let entered = enters.join().unwrap();
        assert_eq!(connections.everywhere(), u32::from(entered));
        assert_eq!(connections.try_enter(Some(1)), !entered);
    });
}
