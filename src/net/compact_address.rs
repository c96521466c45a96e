//! Addresses that many are kept of.

use std::net::{Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// An address and a port in 24 bytes in place of 32. It has no flow label, which no list and no log tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompactAddress {
    V4(SocketAddrV4),
    V6 { ip: Ipv6Addr, port: u16, scope_id: u32 },
}

impl From<SocketAddr> for CompactAddress {
    fn from(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(address) => Self::V4(address),
            SocketAddr::V6(address) => {
                Self::V6 { ip: *address.ip(), port: address.port(), scope_id: address.scope_id() }
            }
        }
    }
}

impl From<CompactAddress> for SocketAddr {
    fn from(address: CompactAddress) -> Self {
        match address {
            CompactAddress::V4(address) => address.into(),
            CompactAddress::V6 { ip, port, scope_id } => SocketAddrV6::new(ip, port, 0, scope_id).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_kept_but_for_its_flow_label() {
        for text in ["10.17.84.2:21050", "[::]:0", "[fe80::1%3]:65535", "[::ffff:10.0.0.1]:21000"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(SocketAddr::from(CompactAddress::from(address)), address);
        }
        let labelled = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 21050, 7, 0);
        let kept = SocketAddr::from(CompactAddress::from(SocketAddr::from(labelled)));
        assert_eq!(kept, "[::1]:21050".parse().unwrap());
        assert_eq!(size_of::<Option<CompactAddress>>(), 24);
    }
}
