//! Logging shortages: each is logged once when it begins and once when it is over, however many failures there are.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::shortage::Shortage;

impl Shortage {
    /// Reports a failure for lack of this resource, where `doing` says what failed. The first failure of an episode is
    /// logged with the remedy, the others are counted.
    pub fn report(self, doing: impl fmt::Display) {
        let (over, begins) = episodes(|episodes| episodes.count(self, Instant::now()));
        over.iter().for_each(log_end);
        if begins {
            tracing::error!(%doing, remedy = self.remedy(), "pronk is {self}, and no member is to blame");
        }
    }
}

/// Logs the end of every shortage that caused no failure for ten seconds. It should be called about once a second;
/// otherwise the next shortage of the same kind logs the end of the last.
pub fn log_ended_shortages(now: Instant) {
    episodes(|episodes| episodes.end(now)).iter().for_each(log_end);
}

fn log_end(over: &Over) {
    let Over { shortage, failures, lasted } = over;
    tracing::info!(failures, seconds = lasted.as_secs(), "pronk is no longer {shortage}");
}

/// Descriptors, ports and memory belong to the whole process, and so do their episodes.
fn episodes<T>(change: impl FnOnce(&mut Episodes) -> T) -> T {
    static EPISODES: Mutex<Episodes> = Mutex::new(Episodes::NONE);
    change(&mut EPISODES.lock())
}

/// The shortages of the moment. It is pure, so that it is tested without waiting.
#[derive(Debug)]
struct Episodes {
    under_way: BTreeMap<Shortage, Episode>,
}

/// Failures for lack of one resource, each less than [`QUIET`] after the one before.
#[derive(Debug)]
struct Episode {
    began: Instant,
    last: Instant,
    failures: u64,
}

/// A shortage that is over.
#[derive(Debug, PartialEq, Eq)]
struct Over {
    shortage: Shortage,
    failures: u64,
    /// From the first failure to the last.
    lasted: Duration,
}

impl Episodes {
    const NONE: Self = Self { under_way: BTreeMap::new() };

    /// Counts a failure. Returns the last episode, if it is over and was not returned yet, and whether this failure
    /// begins another.
    fn count(&mut self, shortage: Shortage, now: Instant) -> (Option<Over>, bool) {
        let over = self.end_of(shortage, now);
        match self.under_way.get_mut(&shortage) {
            Some(episode) => {
                episode.last = episode.last.max(now);
                episode.failures += 1;
                (over, false)
            }
            None => {
                self.under_way.insert(shortage, Episode { began: now, last: now, failures: 1 });
                (over, true)
            }
        }
    }

    /// Removes and returns what is over.
    fn end(&mut self, now: Instant) -> Vec<Over> {
        let shortages: Vec<_> = self.under_way.keys().copied().collect();
        shortages.into_iter().filter_map(|shortage| self.end_of(shortage, now)).collect()
    }

    fn end_of(&mut self, shortage: Shortage, now: Instant) -> Option<Over> {
        let Episode { began, last, failures } = *self.under_way.get(&shortage)?;
        if now.saturating_duration_since(last) < QUIET {
            return None;
        }
        self.under_way.remove(&shortage);
        Some(Over { shortage, failures, lasted: last.saturating_duration_since(began) })
    }
}

/// Time without a failure after which a shortage is over.
const QUIET: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn episode_begins_once_and_is_over_after_ten_quiet_seconds() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let mut episodes = Episodes::NONE;
        assert_eq!(episodes.count(Shortage::Descriptors, at(0)), (None, true));
        assert_eq!(episodes.count(Shortage::Descriptors, at(9)), (None, false));
        assert_eq!(episodes.count(Shortage::Ports, at(15)), (None, true), "each kind has episodes of its own");
        assert_eq!(episodes.end(at(18)), []);
        let over = |failures, seconds| Over {
            shortage: Shortage::Descriptors,
            failures,
            lasted: Duration::from_secs(seconds),
        };
        assert_eq!(episodes.end(at(19)), [over(2, 9)]);
        assert_eq!(episodes.end(at(19)), [], "told once");
        assert_eq!(episodes.count(Shortage::Descriptors, at(20)), (None, true));
        let next = episodes.count(Shortage::Descriptors, at(40));
        assert_eq!(next, (Some(over(1, 0)), true), "the next failure ends what nobody has ended");
    }

    #[derive(Clone, Copy, Debug)]
    enum Op {
        Fail(Shortage),
        Look,
    }

    fn op() -> impl Strategy<Value = Op> {
        let shortage = prop_oneof![Just(Shortage::Descriptors), Just(Shortage::Ports), Just(Shortage::Memory)];
        prop_oneof![3 => shortage.prop_map(Op::Fail), 2 => Just(Op::Look)]
    }

    proptest! {
        /// Whoever looks and whenever, the episodes are those into which gaps of ten seconds divide the failures.
        #[test]
        fn gaps_divide_failures_into_episodes(ops in prop::collection::vec((0_u64..15, op()), 0..60)) {
            let start = Instant::now();
            let mut now = start;
            let mut episodes = Episodes::NONE;
            let mut failures: BTreeMap<Shortage, Vec<Instant>> = BTreeMap::new();
            let (mut begun, mut over) = (BTreeMap::<Shortage, usize>::new(), Vec::new());
            for (gap, op) in ops {
                now += Duration::from_secs(gap);
                match op {
                    Op::Fail(shortage) => {
                        let (ended, begins) = episodes.count(shortage, now);
                        over.extend(ended);
                        *begun.entry(shortage).or_default() += usize::from(begins);
                        failures.entry(shortage).or_default().push(now);
                    }
                    Op::Look => over.extend(episodes.end(now)),
                }
            }
            over.extend(episodes.end(now + QUIET));
            for (shortage, times) in failures {
                let expected: Vec<_> = times
                    .chunk_by(|one, next| *next - *one < QUIET)
                    .map(|group| Over {
                        shortage,
                        failures: group.len() as u64,
                        lasted: *group.last().unwrap() - group[0],
                    })
                    .collect();
                prop_assert_eq!(begun[&shortage], expected.len());
                let of_kind: Vec<_> = over.extract_if(.., |over| over.shortage == shortage).collect();
                prop_assert_eq!(of_kind, expected);
            }
            prop_assert!(over.is_empty());
        }
    }
}
