//! Limits for each client of a virtual server.

use super::profile::SourceMask;

/// What each client of a virtual server may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientLimits {
    /// Connections at once; `None` is no limit.
    pub connections: Option<u32>,
    /// New connections in any second; `None` is no limit.
    pub rate: Option<u32>,
    /// Clients whose addresses agree under this mask count as one.
    pub mask: SourceMask,
}
