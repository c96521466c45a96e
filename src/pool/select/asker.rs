//! A connection that wants a member.

use std::net::IpAddr;

use crate::model::MemberKey;
use crate::pool::persistence::Sticky;

/// A connection that wants a member.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    pub client: IpAddr,
    /// Asked in this order.
    pub persistence: &'a [Sticky],
    /// Members that failed this connection already, be it in another pool or configuration.
    pub tried: &'a [MemberKey],
}
