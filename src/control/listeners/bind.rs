//! Binding the sockets of a configuration, and listening on them.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Weak};

use tokio::net::TcpListener;

use crate::handover::HandedSocket;
use crate::model::{AdminState, Model, Name, VirtualServer, overlap};
use crate::net::{self, BoundSocket};
use crate::reading::os_reason;

/// What a socket listens for: a destination. With port 0 each virtual server has a socket of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::control) struct Place {
    pub destination: SocketAddr,
    /// The virtual server, for port 0.
    pub owner: Option<Name>,
}

impl Place {
    pub(in crate::control) fn of(config: &VirtualServer) -> Self {
        let destination = config.destination;
        Self { destination, owner: (destination.port() == 0).then(|| config.name.clone()) }
    }
}

/// A socket for every destination of a configuration, new or open already. They are held until the configuration is
/// applied, so that none is closed meanwhile.
pub(in crate::control) type Sockets = BTreeMap<Place, Arc<TcpListener>>;

/// The sockets that are open. They are not kept open by it, as a reload that hangs must not keep them.
pub(in crate::control) type OpenSockets = Vec<(Place, Weak<TcpListener>)>;

/// A socket that listened before this process.
#[derive(Debug)]
pub(in crate::control) struct InheritedSocket {
    pub place: Place,
    pub socket: Arc<TcpListener>,
    /// Whether the service manager holds it as well, so that it listens even while nothing is served there.
    pub is_held: bool,
}

/// Takes a socket that listened before this process, and registers it with the current runtime.
pub(in crate::control) fn inherit((name, descriptor): (HandedSocket, OwnedFd)) -> Option<InheritedSocket> {
    let HandedSocket { destination, owner, is_held } = name;
    let socket = std::net::TcpListener::from(descriptor);
    match socket.set_nonblocking(true).and_then(|()| TcpListener::from_std(socket)) {
        Ok(socket) => {
            let place = Place { destination, owner: owner.as_deref().map(Name::from) };
            Some(InheritedSocket { place, socket: Arc::new(socket), is_held })
        }
        Err(error) => {
            tracing::warn!(%destination, error = %os_reason(&error), "cannot use a listening socket that was handed over");
            None
        }
    }
}

/// Returns the virtual servers that listen.
pub(in crate::control) fn listening(model: &Model) -> impl Iterator<Item = &Arc<VirtualServer>> {
    model.virtual_servers.values().filter(|config| config.state != AdminState::ForcedOffline)
}

/// Sockets that are bound and accept no connection yet: dropping them changes nothing.
pub(in crate::control) struct BoundSockets<'a> {
    bound: Vec<(&'a Arc<VirtualServer>, BoundSocket)>,
    kept: Sockets,
    _sharing: PortSharing,
}

/// A virtual server on whose destination nothing can listen.
#[derive(Debug)]
pub(in crate::control) struct CannotListen {
    pub config: Arc<VirtualServer>,
    error: io::Error,
}

/// Binds a socket for every destination of a configuration to which none of `open` is bound.
///
/// # Errors
/// Every destination to which no socket can be bound.
pub(in crate::control) fn bind<'a>(
    model: &'a Model,
    open: &OpenSockets,
) -> Result<BoundSockets<'a>, Vec<CannotListen>> {
    let open: Vec<_> = open.iter().filter_map(|(at, socket)| Some((at, socket.upgrade()?))).collect();
    let mut kept: Sockets = open.iter().map(|(at, socket)| ((*at).clone(), Arc::clone(socket))).collect();
    let wanted: Vec<_> = listening(model).filter(|config| !kept.contains_key(&Place::of(config))).collect();
    kept.retain(|at, _| listening(model).any(|config| Place::of(config) == *at));
    let overlaps_wanted = |at: SocketAddr| wanted.iter().any(|it| it.destination != at && overlap(at, it.destination));
    let beside = open.iter().filter(|(at, _)| overlaps_wanted(at.destination)).map(|(_, socket)| Arc::clone(socket));
    let sharing = PortSharing::of(beside.collect());
    let mut wrong = Vec::new();
    let mut bound = Vec::with_capacity(wanted.len());
    for config in &wanted {
        let at = config.destination;
        let shared = overlaps_wanted(at) || open.iter().any(|(other, _)| overlap(other.destination, at));
        match net::bind(at, shared) {
            Ok(socket) => bound.push((*config, socket)),
            Err(error) => wrong.push(CannotListen { config: Arc::clone(config), error }),
        }
    }
    if wrong.is_empty() { Ok(BoundSockets { bound, kept, _sharing: sharing }) } else { Err(wrong) }
}

impl BoundSockets<'_> {
    /// Listens. From here on the kernel accepts connections for these sockets, so this is the last step that can fail.
    ///
    /// # Errors
    /// Every destination at which another program listens meanwhile.
    pub(crate) fn listen(self) -> Result<Sockets, Vec<CannotListen>> {
        let mut wrong = Vec::new();
        let mut sockets = self.kept;
        for (config, socket) in self.bound {
            match socket.listen(&config.protocol) {
                Ok(socket) => {
                    // Shared only while it is bound beside others of this process.
                    let _ = net::share_port(&socket, false);
                    sockets.insert(Place::of(config), Arc::new(socket));
                }
                Err(error) => wrong.push(CannotListen { config: Arc::clone(config), error }),
            }
        }
        if wrong.is_empty() { Ok(sockets) } else { Err(wrong) }
    }
}

/// Lets other sockets of this process bind beside these, until it is dropped.
struct PortSharing(Vec<Arc<TcpListener>>);

impl PortSharing {
    fn of(sockets: Vec<Arc<TcpListener>>) -> Self {
        for socket in &sockets {
            // If it fails, so does the other socket's bind, which says why.
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

impl CannotListen {
    /// Returns what can be done.
    pub(in crate::control) fn help(&self) -> &'static str {
        match self.error.kind() {
            io::ErrorKind::AddrInUse => "another program listens there; `ss -ltnp` shows which",
            io::ErrorKind::AddrNotAvailable => "the address is not one of this machine's",
            io::ErrorKind::PermissionDenied => "ports below 1024 need CAP_NET_BIND_SERVICE",
            _ => "see the system's message",
        }
    }
}

impl fmt::Display for CannotListen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot listen on {}: {}", self.config.destination, os_reason(&self.error))
    }
}
