//! The admin API over the network: its socket, TLS and tokens, as the configuration says. They are prepared here, and
//! `admin` serves with them.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use tokio::net::TcpListener;

use super::built_profiles::BuiltProfiles;
use super::listeners::{OpenSockets, Place};
use crate::access::{self, Tokens};
use crate::config::{Diagnostic, Diagnostics, Loaded};
use crate::handover::HandedSocket;
use crate::model::{Admin, overlap};
use crate::net::{self, BoundSocket};
use crate::reading::os_reason;
use crate::tls::LiveClientSsl;

/// What the admin API is served with over the network.
#[derive(Clone, Debug)]
pub struct NetworkApi {
    pub config: Arc<Admin>,
    /// `None` once another process has taken over, which accepts all further connections.
    pub listener: Option<Arc<TcpListener>>,
    /// `None` is plaintext, on loopback.
    pub tls: Option<Arc<LiveClientSsl>>,
    pub tokens: Arc<Tokens>,
}

impl NetworkApi {
    /// Returns whether a client may come from this address.
    pub fn lets_in(&self, address: IpAddr) -> bool {
        self.config.lets_in(address)
    }

    /// Returns the socket with a descriptor of its own, for another process.
    ///
    /// # Errors
    /// The system grants no more descriptors.
    pub(super) fn descriptor(&self) -> io::Result<Option<(HandedSocket, OwnedFd)>> {
        let (Some(destination), Some(listener)) = (self.config.listen, &self.listener) else { return Ok(None) };
        let name = HandedSocket { destination, owner: None, is_held: false };
        Ok(Some((name, listener.as_fd().try_clone_to_owned()?)))
    }

    /// Returns the same with the profiles that are in force now.
    pub(super) fn renewed(&self, profiles: &BuiltProfiles) -> Self {
        let tls = self.config.client_ssl.as_ref().and_then(|profile| profiles.client.get(&profile.name)).cloned();
        Self { tls, ..self.clone() }
    }

    /// Returns the same without its socket: whoever was accepted is still answered.
    pub(super) fn handed_over(&self) -> Self {
        Self { listener: None, ..self.clone() }
    }

    /// Returns whether another API listens at the same socket.
    pub fn has_socket_of(&self, other: &Self) -> bool {
        matches!((&self.listener, &other.listener), (Some(own), Some(other)) if Arc::ptr_eq(own, other))
    }
}

/// An API whose socket is bound and accepts no connection yet, or is open already.
pub(super) struct BoundApi {
    config: Arc<Admin>,
    socket: BoundOrOpen,
    /// Is given back when the socket listens.
    _sharing: Vec<Sharing>,
}

enum BoundOrOpen {
    Bound(BoundSocket),
    Passed(std::net::TcpListener),
    Open(Arc<TcpListener>),
}

/// An API that only has to be served.
#[derive(Debug)]
pub(super) struct PreparedApi(NetworkApi);

impl PreparedApi {
    /// Returns what it is served with, after `before`.
    pub(super) fn with(self, profiles: &BuiltProfiles, before: Option<&NetworkApi>) -> NetworkApi {
        let api = self.0.renewed(profiles);
        if before.is_none_or(|before| !before.has_socket_of(&api)) {
            let bound = api.listener.as_ref().and_then(|listener| listener.local_addr().ok());
            let address = bound.or(api.config.listen).map(tracing::field::display);
            tracing::info!(address, tls = api.tls.is_some(), "the admin API is listening");
        }
        api
    }
}

/// Returns a line if the tokens of an API that goes on have changed.
pub(super) fn changed_tokens(before: Option<&NetworkApi>, tokens: &Tokens, loaded: &Loaded) -> Option<String> {
    let goes_on = loaded.model.admin.as_ref().is_some_and(|admin| admin.listen.is_some());
    let is_other = before.is_some_and(|before| *before.tokens != *tokens);
    (goes_on && is_other).then(|| "~ admin API: its tokens".to_owned())
}

/// Reads the tokens of the admin API, if it is served over the network.
///
/// # Errors
/// What is wrong with their file, at the key that names it.
pub(super) fn tokens(loaded: &Loaded) -> Result<Tokens, Diagnostics> {
    let admin = loaded.model.admin.as_ref().filter(|admin| admin.listen.is_some());
    let Some(path) = admin.and_then(|admin| admin.tokens_file.as_ref()) else { return Ok(Tokens::default()) };
    let wrong = |error: access::TokensFileError| {
        loaded.diagnose(&["admin", "tokens-file"], error.to_string(), Some(error.help())).into()
    };
    access::read(path).map_err(wrong)
}

/// Binds a socket for the admin API, unless it listens already: for the API of before, or among the sockets that the
/// process has.
///
/// # Errors
/// Why nothing can listen there, at the key that says where.
pub(super) fn bind(
    loaded: &Loaded,
    before: Option<Arc<NetworkApi>>,
    open: &OpenSockets,
) -> Result<Option<BoundApi>, Diagnostics> {
    let Some((config, address)) = loaded.model.admin.as_ref().and_then(|admin| Some((admin, admin.listen?))) else {
        return Ok(None);
    };
    let config = Arc::clone(config);
    let at_same_address = before.as_ref().filter(|before| before.config.listen == config.listen);
    if let Some(open) = at_same_address.and_then(|before| before.listener.as_ref()) {
        let socket = BoundOrOpen::Open(Arc::clone(open));
        return Ok(Some(BoundApi { config, socket, _sharing: Vec::new() }));
    }
    // Of the process before this one or of the service manager; its own descriptor is for the runtime that serves the API.
    let place = Place { destination: address, owner: None };
    let passed = open.iter().find(|(at, _)| *at == place).and_then(|(_, socket)| socket.upgrade());
    if let Some(passed) = passed.and_then(|socket| socket.as_fd().try_clone_to_owned().ok()) {
        return Ok(Some(BoundApi { config, socket: BoundOrOpen::Passed(passed.into()), _sharing: Vec::new() }));
    }
    // For the moment in which both listen, where one of two addresses covers the other.
    let beside = before.filter(|before| before.config.listen.is_some_and(|other| overlap(other, address)));
    let inherited =
        open.iter().filter(|(at, _)| overlap(at.destination, address)).filter_map(|(_, socket)| socket.upgrade());
    let beside = beside.and_then(|before| before.listener.clone()).into_iter().chain(inherited);
    let sharing: Vec<_> = beside.map(Sharing::of).collect();
    let bound = net::bind(address, !sharing.is_empty()).map_err(|error| cannot_listen(loaded, address, &error))?;
    Ok(Some(BoundApi { config, socket: BoundOrOpen::Bound(bound), _sharing: sharing }))
}

impl BoundApi {
    /// Listens, on the runtime that serves the API, which is the current one.
    ///
    /// # Errors
    /// Another program listens there meanwhile.
    pub(super) fn listen(self, tokens: Tokens, loaded: &Loaded) -> Result<PreparedApi, Diagnostics> {
        let Self { config, socket, .. } = self;
        let listening = match socket {
            BoundOrOpen::Open(listener) => Ok(listener),
            BoundOrOpen::Passed(passed) => TcpListener::from_std(passed).map(Arc::new),
            BoundOrOpen::Bound(bound) => bound.listen_plainly(BACKLOG).map(|listener| {
                // Shared only while it is bound beside another of this process.
                let _ = net::share_port(&listener, false);
                Arc::new(listener)
            }),
        };
        let address = || config.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
        let listener = listening.map_err(|error| cannot_listen(loaded, address(), &error))?;
        Ok(PreparedApi(NetworkApi { config, listener: Some(listener), tls: None, tokens: Arc::new(tokens) }))
    }
}

fn cannot_listen(loaded: &Loaded, address: SocketAddr, error: &io::Error) -> Diagnostic {
    let message = format!("the admin API cannot listen on {address}: {}", os_reason(error));
    let help = match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there; `ss -ltnp` shows which",
        io::ErrorKind::AddrNotAvailable => "the address is not one of this machine's",
        io::ErrorKind::PermissionDenied => "ports below 1024 need CAP_NET_BIND_SERVICE",
        _ => "see the system's message",
    };
    loaded.diagnose(&["admin", "listen"], message, Some(help.to_owned()))
}

/// Lets another socket of this process bind beside one, until it is dropped.
struct Sharing(Arc<TcpListener>);

impl Sharing {
    fn of(socket: Arc<TcpListener>) -> Self {
        // If it fails, so does the other socket's bind, which says why.
        let _ = net::share_port(&socket, true);
        Self(socket)
    }
}

impl Drop for Sharing {
    fn drop(&mut self) {
        let _ = net::share_port(&self.0, false);
    }
}

const BACKLOG: i32 = 128;
