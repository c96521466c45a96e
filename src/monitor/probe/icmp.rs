//! The monitor `gateway-icmp`: pings the host.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use super::limit::Limit;
use super::probe_trait::{Probe, Probing};
use super::stream::Failure;
use crate::monitor::outcome::Outcome;
use crate::net::{NotConnected, Shortage};

/// Sends ICMP echo requests through a ping socket, for which no privilege is needed where the system allows it to the
/// process's group (`net.ipv4.ping_group_range`, which holds for IPv6 as well).
#[derive(Default)]
pub(in crate::monitor) struct Pinger {
    sequence: u16,
}

/// Returns why this process may not send ICMP echo requests, if it may not. That there is no socket left just now is no
/// refusal.
pub fn ping_refused() -> Option<io::Error> {
    socket(false).err().filter(|error| Shortage::of(error).is_none())
}

impl Pinger {
    async fn ping(&mut self, address: IpAddr, limit: Duration) -> Outcome {
        self.sequence = self.sequence.wrapping_add(1);
        let limit = Limit::new(limit);
        match limit.keep(echo(address, self.sequence)).await {
            Ok(Ok(())) => Outcome::Answers,
            Ok(Err(error)) => {
                let failure = NotConnected::of_datagrams(error, format_args!("pinging {address}"));
                Failure::of_connecting(&failure, format_args!("cannot ping {address}")).into()
            }
            Err(_) => Outcome::Fails(format!("{address} did not answer the ping within {limit}")),
        }
    }
}

impl Probe for Pinger {
    fn probe(&mut self, address: SocketAddr, limit: Duration) -> Probing<'_> {
        Box::pin(self.ping(address.ip(), limit))
    }
}

async fn echo(address: IpAddr, sequence: u16) -> io::Result<()> {
    let v6 = address.is_ipv6();
    let socket = socket(v6)?;
    socket.connect(&SocketAddr::new(address, 0).into())?;
    // Any datagram socket will do for tokio's: it only sends and receives.
    let socket = UdpSocket::from_std(socket.into())?;
    socket.send(&request(v6, sequence)).await?;
    let mut answer = [0; 256];
    loop {
        let read = socket.recv(&mut answer).await?;
        // What else comes is another's answer.
        if is_reply(v6, answer.get(..read).unwrap_or_default(), sequence) {
            return Ok(());
        }
    }
}

fn socket(v6: bool) -> io::Result<Socket> {
    let (domain, protocol) = if v6 { (Domain::IPV6, Protocol::ICMPV6) } else { (Domain::IPV4, Protocol::ICMPV4) };
    let socket = Socket::new(domain, Type::DGRAM, Some(protocol))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Returns an echo request (RFC 792; RFC 4443, section 4.1). The kernel puts in the identifier and the checksum.
fn request(v6: bool, sequence: u16) -> [u8; 16] {
    let [high, low] = sequence.to_be_bytes();
    let kind = if v6 { 128 } else { 8 };
    [kind, 0, 0, 0, 0, 0, high, low, b'p', b'r', b'o', b'n', b'k', 0, 0, 0]
}

fn is_reply(v6: bool, bytes: &[u8], sequence: u16) -> bool {
    let kind = if v6 { 129 } else { 0 };
    let [high, low] = sequence.to_be_bytes();
    matches!(bytes, [of, 0, _, _, _, _, h, l, ..] if *of == kind && *h == high && *l == low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reply_is_told_from_the_request_and_from_others() {
        let mut reply = request(false, 7);
        assert!(!is_reply(false, &reply, 7), "a request is no reply");
        reply[0] = 0;
        assert!(is_reply(false, &reply, 7));
        assert!(!is_reply(false, &reply, 8));
        assert!(!is_reply(true, &reply, 7));
        assert!(!is_reply(false, &reply[..7], 7));
    }

    /// Where the system allows no ping, that must be told; where it does, loopback answers.
    #[tokio::test]
    async fn loopback_answers_or_the_refusal_is_told() {
        let outcome = Pinger::default().ping(IpAddr::from([127, 0, 0, 1]), Duration::from_secs(10)).await;
        match ping_refused() {
            None => assert_eq!(outcome, Outcome::Answers),
            Some(_) => assert!(matches!(outcome, Outcome::Fails(reason) if reason.contains("cannot ping 127.0.0.1"))),
        }
    }
}
