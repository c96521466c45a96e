use std::time::Instant;

/// What a member last told of its own load. Whatever it did not tell is `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement {
    /// When it was told; a method must not trust one that is older than a few intervals of its monitor.
    pub taken: Instant,
    /// Queries that the coordinator has under way, from any client.
    pub queries_registered: Option<u64>,
    /// Connections to the port, from anyone: pronk, other load balancers, clients that go past them.
    pub connections_in_use: Option<u64>,
    /// Connections that wait for their TLS or SASL to be negotiated.
    pub setup_queue: Option<u64>,
    /// Queries that wait for admission at this coordinator.
    pub admission_queued: Option<u64>,
    /// Memory in use as a share of the process's limit; above 1 is over it.
    pub memory_fraction: Option<f64>,
}
