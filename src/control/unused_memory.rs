//! Giving memory that is no longer used back to the system.
//!
//! The allocator keeps freed memory for later allocations, separately in each of its arenas, which some threads share. So the
//! process would stay as large as it ever was: after a night with thousands of connections, and after a reload, which holds two
//! configurations for a while.

use std::convert::Infallible;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::phase::Phase;
use super::system_state::SystemState;
use crate::net::release_free_memory;

/// Gives memory back that has not been used for a while.
pub(super) async fn give_back_unused_memory(state: Arc<SystemState>) -> Infallible {
    let (mut phase, mut preparing) = (state.phase.subscribe(), state.preparing.subscribe());
    // At once after the start, before many connections are open. An error means that nobody changes it any more.
    let _ = phase.wait_for(|phase| *phase > Phase::Starting).await;
    let _ = preparing.wait_for(Option::is_none).await;
    give_back();
    let mut unused = UnusedMemory::default();
    let mut seconds = interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        seconds.tick().await;
        let has_changed = preparing.has_changed().unwrap_or_default();
        let prepares = preparing.borrow_and_update().is_some() || has_changed;
        if unused.after_second(state.open.len(), prepares) {
            give_back();
        }
    }
}

/// Gives back what is free on a thread of its own, of the same priority as those that may wait for it: it holds the locks of
/// the allocator's arenas, one after the other, for about 3 ms for each 10 MiB. Where the system grants no thread, memory stays.
fn give_back() {
    let _ = thread::Builder::new().name("unused memory".to_owned()).spawn(release_free_memory);
}

/// Tells when memory goes back, from one second to the next.
///
/// Threads that allocate may wait meanwhile, so it goes back when it is much, and nobody has used it for a while.
#[derive(Debug, Default)]
struct UnusedMemory {
    /// The most connections that there were at once since memory was given back.
    most_connections: usize,
    /// For so many seconds in a row much of their memory has been unused.
    since_connections: u32,
    /// So many seconds ago the last configuration was prepared, until its memory is given back.
    since_configuration: Option<u32>,
}

impl UnusedMemory {
    /// Takes the number of open connections, and whether a configuration is being prepared or was in the last second. Returns
    /// whether memory is to be given back now.
    fn after_second(&mut self, connections: usize, prepares: bool) -> bool {
        self.most_connections = self.most_connections.max(connections);
        let ended = self.most_connections - connections;
        let is_much = ended >= FEW_CONNECTIONS && ended > self.most_connections / PART;
        self.since_connections = if is_much { self.since_connections + 1 } else { 0 };
        self.since_configuration = if prepares { Some(0) } else { self.since_configuration.map(|since| since + 1) };
        let has_rested = |since: &u32| *since >= REST;
        let is_due = has_rested(&self.since_connections) || self.since_configuration.as_ref().is_some_and(has_rested);
        if prepares || !is_due {
            return false;
        }
        *self = Self {
            most_connections: connections,
            since_connections: 0,
            since_configuration: self.since_configuration.take_if(|since| !has_rested(since)),
        };
        true
    }
}

/// For so many seconds memory is kept for connections like those that have ended.
const REST: u32 = 10;
/// Memory of fewer connections stays: it is usually less than 10 MiB.
const FEW_CONNECTIONS: usize = 500;
/// Memory of a smaller part of the connections than one in so many stays.
const PART: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns in which seconds memory is given back, for connections and whether a configuration is prepared.
    fn given_back(course: impl IntoIterator<Item = (usize, bool)>) -> Vec<usize> {
        let mut unused = UnusedMemory::default();
        let course = course.into_iter().enumerate();
        course.filter(|(_, (open, prepared))| unused.after_second(*open, *prepared)).map(|it| it.0).collect()
    }

    /// The same, with so many connections for so many seconds.
    fn given_back_of(parts: &[(usize, usize)]) -> Vec<usize> {
        given_back(parts.iter().flat_map(|(seconds, open)| std::iter::repeat_n((*open, false), *seconds)))
    }

    #[test]
    fn memory_of_connections_goes_back_once_after_a_rest() {
        assert_eq!(given_back_of(&[(5, 10_000), (100, 50)]), [14]);
        assert_eq!(given_back_of(&[(5, 10_000), (20, 5000), (20, 0)]), [14, 34], "what goes later goes back later");
    }

    #[test]
    fn memory_stays_that_is_used_again_or_is_little() {
        let again = given_back_of(&[(5, 10_000), (9, 0), (5, 10_000), (9, 0), (1, 10_000)]);
        assert!(again.is_empty(), "they come back");
        assert!(given_back_of(&[(5, 400), (100, 0)]).is_empty(), "they are few");
        assert!(given_back_of(&[(5, 100_000), (100, 95_000)]).is_empty(), "they are a small part");
        assert!(given_back_of(&[(100, 0), (100, 10_000)]).is_empty(), "they have only come");
    }

    #[test]
    fn memory_of_a_reload_goes_back_after_a_rest() {
        let reloads = |at: &[u32]| given_back((0..100).map(|second| (7, at.contains(&second))));
        assert_eq!(reloads(&[20]), [30]);
        assert_eq!(reloads(&[20, 60]), [30, 70]);
        assert_eq!(reloads(&[20, 25, 34, 40]), [50], "after the last of them");
        assert_eq!(reloads(&[20, 29, 30, 31, 32]), [42], "not while the next is prepared");
    }

    #[test]
    fn connections_and_reloads_wait_each_for_their_own_rest() {
        let course = |reload| (0..60).map(move |second| (if second < 5 { 1000 } else { 0 }, second == reload));
        assert_eq!(given_back(course(8)), [14, 18]);
        assert_eq!(given_back(course(14)), [15, 24], "not while a configuration is prepared");
    }

    /// Whatever the course: much that was unused during a whole rest is not kept, and memory never goes back for nothing.
    #[test]
    fn random_courses() {
        for seed in 0..2000 {
            let mut random = fastrand::Rng::with_seed(seed);
            let (mut unused, mut open) = (UnusedMemory::default(), 0_usize);
            // Since memory was given back, and since the start.
            let (mut course, mut prepared): (Vec<usize>, Vec<bool>) = Default::default();
            for second in 0..200 {
                match random.u8(..20) {
                    0 => open = random.usize(..20_000),
                    1 => open /= 2,
                    _ => {}
                }
                let prepares = random.u8(..15) == 0 || (prepared.last() == Some(&true) && random.bool());
                course.push(open);
                prepared.push(prepares);
                let is_given_back = unused.after_second(open, prepares);
                let (before, rest) = course.split_at(course.len().saturating_sub(REST as usize));
                let most = before.iter().copied().max().unwrap_or_default();
                let ended = rest.iter().map(|it| most.saturating_sub(*it)).min().unwrap_or_default();
                let is_much = ended >= FEW_CONNECTIONS && ended > most / PART;
                let last = prepared.iter().rev().position(|it| *it);
                let is_due = is_much && !prepares || last == Some(REST as usize);
                assert_eq!(is_given_back, is_due, "seed {seed}, second {second}: {course:?}, {prepared:?}");
                if is_given_back {
                    course = vec![open];
                }
            }
        }
    }
}
