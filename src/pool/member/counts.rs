//! What is counted of a member's connections beside how many there are.

use std::sync::atomic::AtomicU32;

use super::setups::Setups;
use crate::pool::rate_limit::RateLimiter;

/// What is counted of a member's connections beside how many there are.
#[derive(Debug, Default)]
pub(in crate::pool) struct Counts {
    /// Connections that persistence sent here.
    pub persisted: AtomicU32,
    /// Connections that the member has not yet answered.
    pub setups: Setups,
    /// Connections within the last second.
    pub rate: RateLimiter,
}
