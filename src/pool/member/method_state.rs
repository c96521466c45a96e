//! What the load-balancing methods remember of a member from one choice to the next.

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64};

/// What the load-balancing methods remember of a member from one choice to the next.
#[derive(Debug, Default)]
pub(in crate::pool) struct Turns {
    /// When it was last chosen, as a number of the sequence of all choices; 0 is never.
    pub last: AtomicU64,
    /// Its credit in weighted round robin.
    pub credit: AtomicI64,
    /// Its ratio under the predictive methods; 0 is not known yet.
    pub trend: AtomicU32,
    /// Its connections when the trend was last looked at.
    pub trend_connections: AtomicU32,
}
