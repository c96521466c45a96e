//! Predictive: members whose connections become fewer take more turns.

use std::cmp::Ordering::{Equal, Greater, Less};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::model::{LoadBalancing, Scope};
use crate::pool::pool::{Pool, PoolMember};
use crate::pool::select::candidate::Candidate;

pub(super) fn weight(candidate: &Candidate) -> f64 {
    f64::from(candidate.trend)
}

impl Pool {
    /// Looks, each second, how every member's connections have changed. Tells `changed` those whose trend has.
    pub(in crate::pool::select) fn update_trends(&self, now: Instant, mut changed: impl FnMut(usize)) {
        let LoadBalancing::Predictive(scope) = self.config.load_balancing_mode else { return };
        let taken = self.live.trends_taken.get();
        if taken.is_some_and(|taken| now.saturating_duration_since(taken) < INTERVAL) {
            return;
        }
        self.live.trends_taken.set(now);
        for (index, PoolMember { live, node, .. }) in self.members.iter().enumerate() {
            let connections = match scope {
                Scope::Member => live.connections.everywhere(),
                Scope::Node => node.connections.everywhere(),
            };
            let before = live.turns.trend_connections.swap(connections, Ordering::Relaxed);
            let trend = live.turns.trend.load(Ordering::Relaxed);
            let before = if trend == 0 { connections } else { before };
            let next = next_trend(trend, before, connections);
            if next != trend {
                live.turns.trend.store(next, Ordering::Relaxed);
                changed(index);
            }
        }
    }
}

/// Returns the ratio after a second in which the connections changed so: where they rise, it falls.
pub(in crate::pool::select) fn next_trend(before: u32, connections_before: u32, connections: u32) -> u32 {
    let before = if before == 0 { MOST / 2 } else { before };
    match connections.cmp(&connections_before) {
        Greater => (before - 1).max(LEAST),
        Less => (before + 1).min(MOST),
        Equal => before,
    }
}

/// How often trends are looked at.
pub(in crate::pool::select) const INTERVAL: Duration = Duration::from_secs(1);
/// The least and the greatest ratio.
const LEAST: u32 = 1;
const MOST: u32 = 4;
