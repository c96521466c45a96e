//! Addresses, host names and networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net};
use serde_json::{Value as Json, json};

use super::read::{Kind, Written, Wrong, list};
use super::text::{each_text, one_or_more};
use crate::config::scalar;
use crate::config::tree::Node;
use crate::model::{Address, is_host_name};

const NAME: &str = "labels of letters, digits and hyphens, no `_`, no trailing dot, the last not a number";

/// An IP address, or a host name to resolve.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct NodeAddress;

impl Kind for NodeAddress {
    type Value = Address;

    fn describe(&self) -> String {
        "an IP address or a host name".into()
    }

    fn is_absent(&self, node: &Node) -> bool {
        node.is_none()
    }

    fn schema(&self) -> Json {
        named()
    }

    fn parse(&self, text: &str) -> Option<Address> {
        match text.parse() {
            Ok(address) => Some(Address::Ip(IpAddr::to_canonical(&address))),
            Err(_) => is_host_name(text).then(|| Address::Fqdn(text.to_owned())),
        }
    }

    fn absent(&self) -> Address {
        Address::Ip(Ipv4Addr::UNSPECIFIED.into())
    }

    fn tell(&self, value: &Address) -> String {
        value.to_string()
    }

    fn hint(&self, _: &str) -> Option<String> {
        Some(NAME.to_owned())
    }
}

/// An IP address.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct IpAddress;

impl Kind for IpAddress {
    type Value = IpAddr;

    fn describe(&self) -> String {
        "an IP address".into()
    }

    fn schema(&self) -> Json {
        named()
    }

    fn parse(&self, text: &str) -> Option<IpAddr> {
        text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
    }

    fn absent(&self) -> IpAddr {
        Ipv4Addr::UNSPECIFIED.into()
    }

    fn tell(&self, value: &IpAddr) -> String {
        value.to_string()
    }
}

/// A host name as certificates carry them.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct HostName;

impl Kind for HostName {
    type Value = String;

    fn describe(&self) -> String {
        "a host name".into()
    }

    fn schema(&self) -> Json {
        named()
    }

    fn parse(&self, text: &str) -> Option<String> {
        is_host_name(text).then(|| text.to_owned())
    }

    fn absent(&self) -> String {
        String::new()
    }

    fn tell(&self, value: &String) -> String {
        value.clone()
    }

    fn hint(&self, written: &str) -> Option<String> {
        let address = "an IP address is no host name: leave it out, or write the name in the certificate";
        Some(if written.parse::<IpAddr>().is_ok() { address } else { NAME }.to_owned())
    }
}

/// A host name or an IP address.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct CertificateName;

impl Kind for CertificateName {
    type Value = String;

    fn describe(&self) -> String {
        "a host name or an IP address".into()
    }

    fn schema(&self) -> Json {
        named()
    }

    fn parse(&self, text: &str) -> Option<String> {
        (is_host_name(text) || text.parse::<IpAddr>().is_ok()).then(|| text.to_owned())
    }

    fn absent(&self) -> String {
        String::new()
    }

    fn tell(&self, value: &String) -> String {
        value.clone()
    }

    fn hint(&self, _: &str) -> Option<String> {
        Some(NAME.to_owned())
    }
}

/// An address with a port to listen on; `*` is every address.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct Destination;

impl Kind for Destination {
    type Value = SocketAddr;

    fn describe(&self) -> String {
        "`address:port`".into()
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "pattern": "^(.*):[0-9]{1,5}$" })
    }

    fn parse(&self, text: &str) -> Option<SocketAddr> {
        match text.strip_prefix("*:") {
            Some(port) => Some(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port.parse().ok()?)),
            None => {
                let address: SocketAddr = text.parse().ok()?;
                let canonical = address.ip().to_canonical();
                Some(if canonical == address.ip() { address } else { SocketAddr::new(canonical, address.port()) })
            }
        }
    }

    fn absent(&self) -> SocketAddr {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    }

    fn tell(&self, value: &SocketAddr) -> String {
        value.to_string()
    }

    fn hint(&self, _: &str) -> Option<String> {
        Some("write `address:port`, `\"[v6-address]:port\"`, or `\"*:port\"` for every address".to_owned())
    }
}

/// One network or a list of them.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct Networks;

impl Kind for Networks {
    type Value = Vec<IpNet>;

    fn describe(&self) -> String {
        "a network such as 10.0.0.0/8, or a list of them".into()
    }

    fn schema(&self) -> Json {
        one_or_more(json!({ "type": "string" }))
    }

    fn read(&self, written: Written<'_>) -> Result<Vec<IpNet>, Wrong> {
        each_text(written, |text, item| {
            let network = text.parse().ok().or_else(|| text.parse().ok().map(|address: IpAddr| address.into()));
            let network = network.map(canonical);
            if network.is_none() {
                written.fields.error(item.at, format!("`{text}` is not a network such as 10.0.0.0/8"), None);
            }
            network
        })
    }

    fn absent(&self) -> Vec<IpNet> {
        Vec::new()
    }

    fn tell(&self, value: &Vec<IpNet>) -> String {
        list(value.iter().map(ToString::to_string))
    }
}

/// An IPv4 network mask, in bits.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct Mask;

impl Kind for Mask {
    type Value = u8;

    fn describe(&self) -> String {
        "a mask such as 255.255.255.0 or /24".into()
    }

    fn schema(&self) -> Json {
        json!({ "type": ["string", "integer"] })
    }

    fn parse(&self, text: &str) -> Option<u8> {
        scalar::mask_v4(text)
    }

    fn absent(&self) -> u8 {
        32
    }

    fn tell(&self, value: &u8) -> String {
        format!("/{value}")
    }
}

/// Returns the IPv4 network that an IPv6 network of mapped addresses (`::ffff:10.0.0.0/104`) stands for; clients are
/// known by their IPv4 addresses.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let v4 = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(MAPPED_BITS));
    v4.and_then(|(address, bits)| Ipv4Net::new(address, bits).ok()).map_or(network, IpNet::V4)
}

/// The bits of the prefix that IPv4-mapped addresses have (RFC 4291, section 2.5.5.2).
const MAPPED_BITS: u8 = 96;

fn named() -> Json {
    json!({ "type": "string", "minLength": 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_addresses_are_those_of_ipv4() {
        for (written, meant) in [
            ("[::ffff:10.0.0.1]:21050", "10.0.0.1:21050"),
            ("[::ffff:a00:1]:21050", "10.0.0.1:21050"),
            ("[::ffff:0.0.0.0]:21050", "0.0.0.0:21050"),
            ("10.0.0.1:21050", "10.0.0.1:21050"),
            ("[::1]:21050", "[::1]:21050"),
            ("[::]:21050", "[::]:21050"),
            ("*:21050", "[::]:21050"),
            ("[fe80::1%3]:21050", "[fe80::1%3]:21050"),
        ] {
            assert_eq!(Destination.parse(written).unwrap().to_string(), meant, "{written}");
        }
        for (written, meant) in
            [("::ffff:10.0.0.1", "10.0.0.1"), ("2001:db8::1", "2001:db8::1"), ("lb.example", "lb.example")]
        {
            assert_eq!(NodeAddress.parse(written).unwrap().to_string(), meant, "{written}");
        }
        for (written, meant) in [
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("::ffff:10.0.0.1/128", "10.0.0.1/32"),
            ("::/0", "::/0"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("10.0.0.0/8", "10.0.0.0/8"),
        ] {
            assert_eq!(canonical(written.parse().unwrap()).to_string(), meant, "{written}");
        }
    }
}
