//! What a member reports of its own load.

use std::time::{Duration, Instant};

/// What a member last reported of its own load. Whatever it did not report is `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement {
    /// When it was reported.
    pub taken: Instant,
    /// How long it is valid.
    pub good_for: Duration,
    /// The connections that its node had got from all pools by then.
    pub connections_got: u64,
    /// Queries that the coordinator has under way, from any client.
    pub queries_registered: Option<u64>,
    /// Connections to the port, from anyone: pronk, other load balancers, clients that go past them.
    pub connections_in_use: Option<u64>,
    /// Connections to the port that it serves at once (Impala's `--fe_service_threads`).
    pub service_threads: Option<u64>,
    /// Connections that wait for their TLS or SASL to be negotiated.
    pub setup_queue: Option<u64>,
    /// Queries that wait for admission at this coordinator.
    pub admission_queued: Option<u64>,
    /// Memory in use as a share of the process's limit; above 1 is over it.
    pub memory_fraction: Option<f64>,
}

#[cfg(test)]
pub(in crate::pool) fn measurement(taken: Instant, queries: u64) -> Measurement {
    Measurement {
        taken,
        good_for: Duration::from_secs(16),
        connections_got: 0,
        queries_registered: Some(queries),
        connections_in_use: None,
        service_threads: None,
        setup_queue: None,
        admission_queued: None,
        memory_fraction: None,
    }
}
