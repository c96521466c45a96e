//! Persistence profiles: source-addr and hash.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::model::name::Name;

/// How a client comes to the same member again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct Persistence {
    pub name: Name,
    pub kind: PersistenceKind,
    /// Clients whose addresses agree under this mask count as one.
    pub mask: SourceMask,
    /// Whether a member's own connection limit is waived for clients that come back to it.
    pub override_connection_limit: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersistenceKind {
    /// A record for each client tells which member served it (F5's `source_addr`).
    SourceAddr(Affinity),
    /// The client's address alone decides, so that several pronks agree without telling one another (F5's `carp`).
    Hash,
}

/// How records are kept and who shares them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Affinity {
    /// How long a record outlives the last connection that used it; `None` is forever (`indefinite`).
    pub timeout: Option<Duration>,
    /// Virtual servers with the same address share records.
    pub match_across_services: bool,
    /// All virtual servers share records.
    pub match_across_virtuals: bool,
    /// A record counts for whatever pool the virtual server has by then.
    pub match_across_pools: bool,
}

/// Prefix lengths, in bits, that are kept of a client's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceMask {
    pub v4: u8,
    pub v6: u8,
}

impl SourceMask {
    /// Every address is its own client.
    pub const HOST: Self = Self { v4: 32, v6: 128 };

    /// Returns the address with the bits outside the mask cleared. An IPv4 client of a dual-stack socket counts as
    /// IPv4.
    pub fn apply(self, address: IpAddr) -> IpAddr {
        match address.to_canonical() {
            IpAddr::V4(v4) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.v4.min(32))).unwrap_or(0);
                Ipv4Addr::from_bits(v4.to_bits() & mask).into()
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.v6.min(128))).unwrap_or(0);
                Ipv6Addr::from_bits(v6.to_bits() & mask).into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mask_keeps_the_network_part() {
        let mask = SourceMask { v4: 24, v6: 64 };
        let apply = |text: &str| mask.apply(text.parse().unwrap()).to_string();
        assert_eq!(apply("10.17.84.12"), "10.17.84.0");
        assert_eq!(apply("::ffff:10.17.84.12"), "10.17.84.0");
        assert_eq!(apply("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(SourceMask { v4: 0, v6: 0 }.apply("10.1.1.1".parse().unwrap()).to_string(), "0.0.0.0");
    }
}
