//! Giving memory that is no longer used back to the system.
//!
//! The allocator keeps what is freed for whoever allocates next, and each of its parts for the threads that share it. So the
//! process stays as large as it ever was: after a night with thousands of connections, and after a reload, which holds two
//! configurations for a while.

use std::convert::Infallible;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::time::interval;

use super::system_state::SystemState;
use crate::net::release_free_memory;

/// Gives memory back when it has not been used for a while.
pub(super) async fn give_back_unused_memory(state: Arc<SystemState>) -> Infallible {
    let mut unused = UnusedMemory::default();
    let mut seconds = interval(Duration::from_secs(1));
    loop {
        seconds.tick().await;
        let configurations = 1 + state.reloads.succeeded() + state.reloads.failed();
        if unused.is_to_be_given_back(state.open.len(), configurations) {
            // It holds the allocator's locks, for about 3 ms for each 10 MiB: so on a thread of its own, whose priority is that
            // of those that may wait for it. Where the system grants none, memory stays.
            let _ = thread::Builder::new().name("unused memory".to_owned()).spawn(release_free_memory);
        }
    }
}

/// Tells when memory goes back, from one second to the next.
///
/// Threads that allocate wait meanwhile, so memory goes back seldom: when it is much, and nobody has used it for a while.
#[derive(Debug, Default)]
struct UnusedMemory {
    /// The most connections that there were at once since memory was given back.
    most_connections: usize,
    /// How many configurations had been prepared when it was.
    configurations: u64,
    /// For so many seconds in a row much of it has been unused.
    seconds: u32,
}

impl UnusedMemory {
    /// Returns whether memory is to be given back now. Asked each second, with the number of open connections and of the
    /// configurations that were prepared since the start.
    fn is_to_be_given_back(&mut self, connections: usize, configurations: u64) -> bool {
        self.most_connections = self.most_connections.max(connections);
        let gone = self.most_connections - connections;
        let is_much = gone >= FEW_CONNECTIONS && gone > self.most_connections / PART;
        if !is_much && configurations == self.configurations {
            self.seconds = 0;
            return false;
        }
        self.seconds += 1;
        if self.seconds < REST {
            return false;
        }
        *self = Self { most_connections: connections, configurations, seconds: 0 };
        true
    }
}

/// For so many seconds memory is kept for connections like those that have ended.
const REST: u32 = 10;
/// Memory of fewer connections stays: it is some MiB.
const FEW_CONNECTIONS: usize = 500;
/// Memory of a smaller part of the connections than one in so many stays.
const PART: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns in which seconds memory is given back.
    fn given_back(course: impl IntoIterator<Item = (usize, u64)>) -> Vec<usize> {
        let mut unused = UnusedMemory { configurations: 1, ..UnusedMemory::default() };
        let course = course.into_iter().enumerate();
        course.filter(|(_, (open, prepared))| unused.is_to_be_given_back(*open, *prepared)).map(|it| it.0).collect()
    }

    fn connections(parts: &[(usize, usize)]) -> Vec<usize> {
        let course = parts.iter().flat_map(|(seconds, open)| std::iter::repeat_n((*open, 1), *seconds));
        given_back(course)
    }

    #[test]
    fn memory_of_connections_goes_back_once_after_a_rest() {
        assert_eq!(connections(&[(5, 10_000), (100, 50)]), [14]);
        assert_eq!(connections(&[(5, 10_000), (20, 5000), (20, 0)]), [14, 34], "what goes later goes back later");
    }

    #[test]
    fn memory_stays_that_is_used_again_or_is_little() {
        assert!(connections(&[(5, 10_000), (9, 0), (5, 10_000), (9, 0), (1, 10_000)]).is_empty(), "they come back");
        assert!(connections(&[(5, 400), (100, 0)]).is_empty(), "they are few");
        assert!(connections(&[(5, 100_000), (100, 95_000)]).is_empty(), "they are a small part");
        assert!(connections(&[(100, 0), (100, 10_000)]).is_empty(), "they have only come");
    }

    #[test]
    fn memory_of_a_reload_goes_back_after_a_rest() {
        let reload = |at: usize| (0..100).map(move |second| (7, 1 + u64::from(second >= at)));
        assert_eq!(given_back(reload(20)), [29]);
        // As many as one likes: they are one pause.
        let reloads = (0..100).map(|second| (7, 1 + (second / 2).min(20)));
        assert_eq!(given_back(reloads), [11, 21, 31, 41]);
    }

    #[test]
    fn start_is_a_configuration_too() {
        let mut unused = UnusedMemory::default();
        let seconds: Vec<_> = (0..100).filter(|_| unused.is_to_be_given_back(0, 1)).collect();
        assert_eq!(seconds, [9]);
    }

    /// Whatever the course: much that is unused for longer than the rest has gone back, and never twice within a rest.
    #[test]
    fn random_courses() {
        for seed in 0..2000 {
            let mut random = fastrand::Rng::with_seed(seed);
            let (mut unused, mut prepared, mut open) = (UnusedMemory::default(), 1, 0_usize);
            let mut since: Vec<(usize, u64)> = Vec::new();
            for second in 0..200 {
                match random.u8(..20) {
                    0 => open = random.usize(..20_000),
                    1 => open /= 2,
                    2 => prepared += 1,
                    _ => {}
                }
                since.push((open, prepared));
                if unused.is_to_be_given_back(open, prepared) {
                    assert!(since.len() >= REST as usize, "seed {seed}, second {second}: twice within a rest");
                    since = vec![(open, prepared)];
                }
                // What was the most before the rest began is unused for all of the rest at no time.
                if let Some(before) = since.len().checked_sub(REST as usize) {
                    let most = since[..=before].iter().map(|it| it.0).max().unwrap_or_default();
                    let rest = &since[before..];
                    let kept = rest.iter().map(|it| most.saturating_sub(it.0)).min().unwrap_or_default();
                    assert!(kept < FEW_CONNECTIONS || kept <= most / PART, "seed {seed}, second {second}: {kept} kept");
                }
            }
        }
    }
}
