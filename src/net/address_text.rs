//! Addresses as text.

use std::net::SocketAddr;

/// Returns an address as text, as its `Display` has it, which takes fifteen times as long: each connection's line in the
/// log has four of them.
pub fn address_text(address: SocketAddr) -> String {
    let SocketAddr::V4(address) = address else { return address.to_string() };
    let mut text = String::with_capacity("255.255.255.255:65535".len());
    let mut before = "";
    for octet in address.ip().octets() {
        text.push_str(before);
        push_number(&mut text, octet.into());
        before = ".";
    }
    text.push(':');
    push_number(&mut text, address.port());
    text
}

fn push_number(text: &mut String, number: u16) {
    let mut divisor = 10_000;
    while divisor > 1 && number < divisor {
        divisor /= 10;
    }
    while divisor > 0 {
        text.push(char::from(b'0' + (number / divisor % 10) as u8));
        divisor /= 10;
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn text_is_that_of_display() {
        for number in 0..=u16::MAX {
            let [high, low] = number.to_be_bytes();
            let address = SocketAddr::from((Ipv4Addr::new(high, low, high, low), number));
            assert_eq!(address_text(address), address.to_string());
        }
        for address in ["[::1]:0", "[::ffff:10.0.0.1]:21050", "[fe80::1%3]:65535"] {
            assert_eq!(address_text(address.parse().unwrap()), address);
        }
    }
}
