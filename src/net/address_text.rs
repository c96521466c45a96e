//! Addresses as text.

use std::net::SocketAddr;

/// Returns an address as text, as its `Display` has it, which takes several times as many instructions: each connection's
/// line in the log has four of them.
pub fn address_text(address: SocketAddr) -> String {
    let SocketAddr::V4(address) = address else { return address.to_string() };
    let mut text = *b"255.255.255.255:65535";
    // From the end to the beginning.
    let mut start = put_number(&mut text, LONGEST, address.port());
    let mut after = b':';
    for octet in address.ip().octets().into_iter().rev() {
        text[start - 1] = after;
        start = put_number(&mut text, start - 1, octet.into());
        after = b'.';
    }
    str::from_utf8(&text[start..]).unwrap_or_default().to_owned()
}

/// Puts a number before `end`. Returns where it starts.
fn put_number(text: &mut [u8; LONGEST], end: usize, mut number: u16) -> usize {
    let mut start = end;
    loop {
        start -= 1;
        text[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return start;
        }
    }
}

/// Bytes of an IPv4 address and a port, at most.
const LONGEST: usize = 21;

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
