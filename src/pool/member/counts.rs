//! What is counted of a member's connections beside how many there are.

use super::setups::Setups;
use crate::pool::persisted_count::PersistedCount;
use crate::pool::rate_limit::RateLimiter;

/// What is counted of a member's connections beside how many there are.
#[derive(Debug, Default)]
pub(in crate::pool) struct Counts {
    /// Connections that persistence sent here.
    pub persisted: PersistedCount,
    /// Connections that the member has not yet answered.
    pub setups: Setups,
    /// Connections within the last second.
    pub rate: RateLimiter,
}
