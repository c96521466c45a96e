//! How a pool finds coordinators by itself.

use std::time::Duration;

/// How a pool finds coordinators by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Discovery {
    /// Web UIs that are asked who belongs to the cluster; coordinators that were found are asked as well.
    pub seeds: Vec<Seed>,
    /// The port of the members that are found.
    pub port: u16,
    /// A regular expression that a coordinator's host must match.
    pub filter: Option<String>,
    /// How often the cluster is asked.
    pub interval: Duration,
}

/// A web UI.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Seed {
    /// A host name or an IP address.
    pub host: String,
    /// `None` is the port that the pool's impala monitor has for web UIs.
    pub port: Option<u16>,
}
