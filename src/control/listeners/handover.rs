//! How listening sockets are handed over on reload, where destinations overlap.
//!
//! `0.0.0.0:21050` and `10.0.0.5:21050` overlap: Linux refuses the second socket while the first listens, unless both
//! share their port (SO_REUSEPORT), and then gives a connection to the narrower one. So sockets share their port for
//! the moment in which another is bound beside them, and:
//! - a narrower destination takes over as soon as it listens; the wider socket goes on for a while, for handshakes that
//!   it began;
//! - a wider destination is served through the narrower socket as well, which stays open: closing it would reset the
//!   connections that the kernel has accepted for it.

use std::net::SocketAddr;

use crate::model::covers;

/// What becomes of an open socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handover {
    /// It serves this destination: its own, or a wider one.
    Serves(SocketAddr),
    /// A narrower destination takes over from it, and it closes after a while.
    ClosesLater,
    Closes,
}

/// Decides what becomes of an open socket when the `wanted` destinations are served, for which the `new` sockets are
/// bound.
pub(super) fn handover(socket: SocketAddr, wanted: &[SocketAddr], new: &[SocketAddr]) -> Handover {
    if wanted.contains(&socket) {
        return Handover::Serves(socket);
    }
    let wider = wanted.iter().filter(|wider| covers(**wider, socket));
    // The narrowest of them; `[::]` is wider than `0.0.0.0`.
    match wider.min_by_key(|wider| wider.is_ipv6()) {
        Some(wider) => Handover::Serves(*wider),
        None if new.iter().any(|narrower| covers(socket, *narrower)) => Handover::ClosesLater,
        None => Handover::Closes,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Returns every destination of a port that the tests know, from the widest to the narrowest.
    fn destinations() -> Vec<SocketAddr> {
        let texts = ["[::]:1", "0.0.0.0:1", "10.0.0.1:1", "10.0.0.2:1", "[fd00::1]:1", "0.0.0.0:2", "10.0.0.1:2"];
        texts.map(|text| text.parse().unwrap()).into()
    }

    #[test]
    fn wider_destinations_cover_narrower_ones() {
        let covered = |wide: &str| -> Vec<String> {
            let wide = wide.parse().unwrap();
            destinations().iter().filter(|narrow| covers(wide, **narrow)).map(ToString::to_string).collect()
        };
        assert_eq!(covered("[::]:1"), ["0.0.0.0:1", "10.0.0.1:1", "10.0.0.2:1", "[fd00::1]:1"]);
        assert_eq!(covered("0.0.0.0:1"), ["10.0.0.1:1", "10.0.0.2:1"]);
        assert!(covered("10.0.0.1:1").is_empty() && covered("[::]:0").is_empty());
    }

    /// Returns the destination among these that a connection to an address belongs to, as the kernel has it: the
    /// narrowest.
    fn taker(among: impl IntoIterator<Item = SocketAddr>, address: SocketAddr) -> Option<SocketAddr> {
        let takes = |at: &SocketAddr| *at == address || covers(*at, address);
        let width = |at: &SocketAddr| match at.ip() {
            ip if !ip.is_unspecified() => 0,
            ip => 1 + u8::from(ip.is_ipv6()),
        };
        among.into_iter().filter(takes).min_by_key(width)
    }

    /// Any sequence of reloads, against a model of the kernel.
    #[test]
    fn connections_reach_their_destination_whatever_the_order_of_reloads() {
        let all = destinations();
        let addresses: Vec<SocketAddr> =
            ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1", "[fd00::1]:1", "[fd00::2]:1", "10.0.0.1:2"]
                .map(|text| text.parse().unwrap())
                .into();
        for seed in 0..200 {
            let mut orders = fastrand::Rng::with_seed(seed);
            // What is open and which destination it serves; what is about to close.
            let (mut open, mut closing) = (BTreeMap::<SocketAddr, SocketAddr>::new(), BTreeSet::new());
            for _ in 0..30 {
                let wanted: Vec<_> = all.iter().copied().filter(|_| orders.u8(..3) == 0).collect();
                let new: Vec<_> = wanted.iter().copied().filter(|at| !open.contains_key(at)).collect();
                open.extend(new.iter().map(|at| (*at, *at)));
                let fates: Vec<_> = open.keys().map(|at| (*at, handover(*at, &wanted, &new))).collect();
                for (at, fate) in fates {
                    closing.remove(&at);
                    match fate {
                        Handover::Serves(destination) => drop(open.insert(at, destination)),
                        Handover::ClosesLater => drop(closing.insert(at)),
                        Handover::Closes => {
                            let takes = |address: &&SocketAddr| taker(open.keys().copied(), **address) == Some(at);
                            for address in addresses.iter().filter(takes) {
                                assert_eq!(
                                    taker(wanted.clone(), *address),
                                    None,
                                    "{seed}: {at} is reset while it is wanted"
                                );
                            }
                            open.remove(&at);
                        }
                    }
                }
                for address in &addresses {
                    let served = taker(open.keys().copied(), *address).map(|at| open[&at]);
                    match taker(wanted.clone(), *address) {
                        Some(expected) => assert_eq!(served, Some(expected), "{seed}: {address} of {open:?}"),
                        None => assert!(
                            taker(open.keys().copied().filter(|at| !closing.contains(at)), *address).is_none(),
                            "{seed}: {address} is still served"
                        ),
                    }
                }
                if orders.bool() {
                    open.retain(|at, _| !closing.contains(at));
                    closing.clear();
                }
            }
        }
    }
}
