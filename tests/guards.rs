//! The counts behind connection limits, and the marks of what changed, under every interleaving of threads that the
//! memory model allows.

/// The model checker's, under the names by which the counts and the marks know theirs.
mod atomic {
    pub use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};

    #[derive(Debug, Default)]
    pub struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
            self.0.lock().unwrap()
        }
    }
}
#[path = "../src/stats/connections.rs"]
mod connections;
#[expect(dead_code, reason = "records are marked in the same way")]
#[path = "../src/pool/marks.rs"]
mod marks;

use connections::Connections;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;
use marks::{Changed, Marks};

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

/// What a choice knows of a count that others change: it looks when it begins, and again whenever there is a mark.
fn look_again(marks: &Marks, count: &AtomicU32, known: &mut u32) {
    let mut marked = Vec::new();
    marks.take(&mut marked);
    if !marked.is_empty() {
        *known = count.load(Ordering::Relaxed);
    }
}

#[test]
fn change_is_seen_or_marked_whenever_it_comes() {
    loom::model(|| {
        let marks = Arc::new(Marks::default());
        let (position, count) = (Arc::new(AtomicU32::new(u32::MAX)), Arc::new(AtomicU32::new(0)));
        let changes = thread::spawn({
            let (marks, position, count) = (Arc::clone(&marks), Arc::clone(&position), Arc::clone(&count));
            move || {
                count.store(1, Ordering::Relaxed);
                marks.mark(&position, Changed::now());
            }
        });
        marks.restart([&*position].into_iter(), false);
        let mut known = count.load(Ordering::Relaxed);
        look_again(&marks, &count, &mut known);
        changes.join().unwrap();
        look_again(&marks, &count, &mut known);
        assert_eq!(known, 1, "the change was neither seen nor marked");
    });
}

#[test]
fn change_is_seen_or_marked_while_positions_change() {
    loom::model(|| {
        let marks = Arc::new(Marks::default());
        let positions = [(); 2].map(|()| Arc::new(AtomicU32::new(u32::MAX)));
        let count = Arc::new(AtomicU32::new(0));
        marks.restart(positions.iter().map(|position| &**position), false);
        let changes = thread::spawn({
            let (marks, position, count) = (Arc::clone(&marks), Arc::clone(&positions[0]), Arc::clone(&count));
            move || {
                count.store(1, Ordering::Relaxed);
                marks.mark(&position, Changed::now());
            }
        });
        // A reload turns the order round.
        marks.restart(positions.iter().rev().map(|position| &**position), false);
        let mut known = count.load(Ordering::Relaxed);
        changes.join().unwrap();
        let mut marked = Vec::new();
        marks.take(&mut marked);
        if marked.contains(&1) {
            known = count.load(Ordering::Relaxed);
        }
        assert_eq!(known, 1, "the change was neither seen nor marked");
    });
}
