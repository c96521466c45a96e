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
    /// A member that took what opens this session and did not answer it: others are tried first.
    pub avoided: Option<&'a MemberKey>,
}

impl<'a> Asker<'a> {
    /// Returns a connection that has met no member yet.
    pub fn new(client: IpAddr, persistence: &'a [Sticky]) -> Self {
        Self { client, persistence, tried: &[], avoided: None }
    }
}
