//! A client as persistence records know it: its address under the profile's mask.

use std::net::{IpAddr, Ipv6Addr};

use crate::model::profile::Persistence;

/// An address in 16 bytes; IPv4 mapped into IPv6.
pub(super) type Client = [u8; 16];

pub(super) fn key(profile: &Persistence, client: IpAddr) -> Client {
    bits(profile.mask.apply(client))
}

pub(super) fn bits(client: IpAddr) -> Client {
    match client {
        IpAddr::V4(client) => client.to_ipv6_mapped().octets(),
        IpAddr::V6(client) => client.octets(),
    }
}

pub(super) fn address(client: Client) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from(client)).to_canonical()
}
