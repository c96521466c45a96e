//! The sockets that are listened on, and how destinations that overlap are handed over.
//!
//! `0.0.0.0:21050` and `10.0.0.5:21050` overlap: Linux refuses the second socket while the first listens, unless both
//! share their port (SO_REUSEPORT), and then gives a connection to the narrower one. So sockets share their port for
//! the moment in which another is bound beside them, and:
//! - a narrower destination takes over by being there; the wider socket goes on for a while, for handshakes that it
//!   began;
//! - a wider destination serves through the narrower socket as well, which stays open, as closing it would reset whom
//!   the kernel has accepted meanwhile.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;

use crate::config::{Diagnostic, Diagnostics, Loaded};
use crate::control::supervisor::Restarts;
use crate::model::{AdminState, Model, VirtualServer, covers, overlap};
use crate::net::{self, BoundSocket};
use crate::proxy::{Lifecycle, Listener, LiveVirtualServer};

/// What listens, by the address to which the socket is bound.
#[derive(Debug, Default)]
pub(in crate::control) struct Listeners(BTreeMap<SocketAddr, Open>);

#[derive(Debug)]
struct Open {
    listener: Listener,
    /// When it is closed, if it is to be.
    closes: Option<Instant>,
}

/// A socket for every destination that is wanted, new or open already. Held until they are put in force, so that none
/// is closed meanwhile.
pub(in crate::control) type Sockets = BTreeMap<SocketAddr, Arc<TcpListener>>;

/// The sockets that are open. Whoever holds these does not keep them open, as a reload that hangs must not.
pub(in crate::control) type OpenSockets = Vec<(SocketAddr, Weak<TcpListener>)>;

/// What becomes of a socket that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handover {
    /// It serves this destination: its own, or a wider one.
    Serves(SocketAddr),
    /// A narrower destination takes over from it.
    ClosesLater,
    Closes,
}

fn handover(socket: SocketAddr, wanted: &[SocketAddr], new: &[SocketAddr]) -> Handover {
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

/// The virtual servers that are listened for.
pub(in crate::control) fn listening(model: &Model) -> impl Iterator<Item = &Arc<VirtualServer>> {
    model.virtual_servers.values().filter(|config| config.state != AdminState::ForcedOffline)
}

/// Sockets that are bound and take no connection yet: dropping them changes nothing.
pub(in crate::control) struct BoundSockets<'a> {
    bound: Vec<(&'a Arc<VirtualServer>, BoundSocket)>,
    kept: Sockets,
    _sharing: PortSharing,
}

/// Binds a socket for every destination that none of `open` is bound to.
///
/// # Errors
/// Every destination that cannot be had, at its place in the file.
pub(in crate::control) fn bind<'a>(loaded: &'a Loaded, open: &OpenSockets) -> Result<BoundSockets<'a>, Diagnostics> {
    let open: Vec<_> = open.iter().filter_map(|(at, socket)| Some((*at, socket.upgrade()?))).collect();
    let mut kept: Sockets = open.iter().map(|(at, socket)| (*at, Arc::clone(socket))).collect();
    let wanted: Vec<_> = listening(&loaded.model).filter(|config| !kept.contains_key(&config.destination)).collect();
    kept.retain(|at, _| listening(&loaded.model).any(|config| config.destination == *at));
    let overlaps_wanted = |at: SocketAddr| wanted.iter().any(|it| it.destination != at && overlap(at, it.destination));
    let beside = open.iter().filter(|(at, _)| overlaps_wanted(*at)).map(|(_, socket)| Arc::clone(socket));
    let sharing = PortSharing::of(beside.collect());
    let mut wrong = Diagnostics::default();
    let mut bound = Vec::with_capacity(wanted.len());
    for config in &wanted {
        let at = config.destination;
        let shared = overlaps_wanted(at) || open.iter().any(|(other, _)| overlap(*other, at));
        match net::bind(at, shared) {
            Ok(socket) => bound.push((*config, socket)),
            Err(error) => wrong.push(cannot_listen(loaded, config, &error)),
        }
    }
    if wrong.has_errors() { Err(wrong) } else { Ok(BoundSockets { bound, kept, _sharing: sharing }) }
}

impl BoundSockets<'_> {
    /// Listens. From here on the kernel takes connections for these sockets, so this comes last of all that can fail.
    ///
    /// # Errors
    /// Every destination at which another program has come to listen meanwhile.
    pub fn listen(self, loaded: &Loaded) -> Result<Sockets, Diagnostics> {
        let mut wrong = Diagnostics::default();
        let mut sockets = self.kept;
        for (config, socket) in self.bound {
            match socket.listen(&config.protocol) {
                Ok(socket) => {
                    // Shared only while it is bound beside others of this process.
                    let _ = net::share_port(&socket, false);
                    sockets.insert(config.destination, Arc::new(socket));
                }
                Err(error) => wrong.push(cannot_listen(loaded, config, &error)),
            }
        }
        if wrong.has_errors() { Err(wrong) } else { Ok(sockets) }
    }
}

/// Sockets that let others of this process bind beside them, for as long as this lives.
struct PortSharing(Vec<Arc<TcpListener>>);

impl PortSharing {
    fn of(sockets: Vec<Arc<TcpListener>>) -> Self {
        for socket in &sockets {
            // What fails here shows when the other socket is bound.
            let _ = net::share_port(socket, true);
        }
        Self(sockets)
    }
}

impl Drop for PortSharing {
    fn drop(&mut self) {
        for socket in &self.0 {
            let _ = net::share_port(socket, false);
        }
    }
}

fn cannot_listen(loaded: &Loaded, config: &VirtualServer, error: &io::Error) -> Diagnostic {
    let help = match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there; `ss -ltnp` tells which",
        io::ErrorKind::AddrNotAvailable => "the address is not one of this machine's",
        io::ErrorKind::PermissionDenied => "ports below 1024 need CAP_NET_BIND_SERVICE",
        _ => "see the system's message",
    };
    let path = ["virtual-servers", config.name.as_str(), "destination"];
    loaded.diagnose(&path, format!("cannot listen on {}: {error}", config.destination), Some(help.into()))
}

impl Listeners {
    /// The sockets that are open.
    pub fn sockets(&self) -> OpenSockets {
        self.0.iter().map(|(at, open)| (*at, Arc::downgrade(open.listener.socket()))).collect()
    }

    /// Listens for exactly these virtual servers, on `sockets` where they have no listener, and returns the listeners
    /// to be stopped.
    pub fn serve(
        &mut self,
        wanted: &[(&Arc<VirtualServer>, Arc<LiveVirtualServer>)],
        sockets: Sockets,
        lifecycle: &Lifecycle,
        now: Instant,
    ) -> Vec<Listener> {
        let destinations: Vec<_> = wanted.iter().map(|(config, _)| config.destination).collect();
        let new: Vec<_> = sockets.into_iter().filter(|(at, _)| !self.0.contains_key(at)).collect();
        let added: Vec<_> = new.iter().map(|(at, _)| *at).collect();
        for (at, socket) in new {
            let Some((config, live)) = wanted.iter().find(|(config, _)| config.destination == at) else { continue };
            let address = socket.local_addr().unwrap_or(at);
            tracing::info!(virtual_server = %config.name, %address, mode = config.mode().as_str(), "listening");
            let listener = Listener::start(socket, Arc::clone(live), lifecycle);
            self.0.insert(at, Open { listener, closes: None });
        }
        for (at, open) in &mut self.0 {
            open.closes = match handover(*at, &destinations, &added) {
                Handover::Serves(destination) => {
                    let serves = wanted.iter().find(|(config, _)| config.destination == destination);
                    if let Some((config, live)) = serves {
                        open.serve(config, live);
                    }
                    None
                }
                // One that is closing already is not given more time.
                Handover::ClosesLater => open.closes.or(now.checked_add(HANDSHAKES)),
                Handover::Closes => open.closes.or(Some(now)),
            };
        }
        self.close(now)
    }

    /// Takes out the listeners whose time has come.
    pub fn close(&mut self, now: Instant) -> Vec<Listener> {
        let closing = self.0.extract_if(.., |_, open| open.closes.is_some_and(|at| at <= now));
        closing.map(|(_, open)| open.listener).collect()
    }

    /// When the next listener is to be closed.
    pub fn next_close(&self) -> Option<Instant> {
        self.0.values().filter_map(|open| open.closes).min()
    }

    /// Takes out every listener.
    pub fn take(&mut self) -> Vec<Listener> {
        std::mem::take(&mut self.0).into_values().map(|open| open.listener).collect()
    }

    /// Lets listeners accept again whose task panicked.
    pub fn revive(&mut self, restarts: &Restarts) {
        for (destination, open) in &mut self.0 {
            if open.listener.restart_if_panicked() {
                restarts.increment();
                tracing::error!(%destination, "a fault of pronk's own: accepting panicked, and goes on");
            }
        }
    }
}

impl Open {
    fn serve(&self, config: &VirtualServer, live: &Arc<LiveVirtualServer>) {
        self.listener.set_virtual_server(Arc::clone(live));
        if let Err(error) = self.listener.set_options(&config.protocol) {
            tracing::warn!(virtual_server = %config.name, %error, "cannot change the listening socket's options");
        }
    }
}

/// How long a handshake may take that a socket began before another took over: a few round trips.
const HANDSHAKES: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every destination of a port that the tests know, from the widest to the narrowest.
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

    /// The destination among these that a connection to an address belongs to, as the kernel has it: the narrowest.
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
