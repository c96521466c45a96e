//! The listeners that are open, and how a configuration changes them.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::bind::{InheritedSocket, OpenSockets, Place, Sockets};
use super::handover::{Handover, handover};
use tokio::net::TcpListener;

use crate::control::supervisor::Restarts;
use crate::handover::HandedSocket;
use crate::model::{Mode, VirtualServer};
use crate::proxy::{Lifecycle, Listener, LiveVirtualServer};
use crate::reading::os_reason;

/// The listeners, by what their sockets are bound to.
#[derive(Debug, Default)]
pub(in crate::control) struct Listeners(BTreeMap<Place, OpenListener>);

#[derive(Debug)]
struct OpenListener {
    listener: Listener,
    /// When it is closed, if it is.
    closes_at: Option<Instant>,
}

impl Listeners {
    /// Returns the sockets that are open.
    pub(crate) fn sockets(&self) -> OpenSockets {
        self.0.iter().map(|(at, open)| (at.clone(), Arc::downgrade(open.listener.socket()))).collect()
    }

    /// Returns the sockets with descriptors of their own, for another process; those that the service manager holds also
    /// where nothing is served.
    ///
    /// # Errors
    /// The system grants no more descriptors.
    pub(crate) fn descriptors(&self, held: &[InheritedSocket]) -> io::Result<Vec<(HandedSocket, OwnedFd)>> {
        let is_open = |inherited: &&InheritedSocket| self.0.contains_key(&inherited.place);
        let open = self.0.iter().map(|(at, open)| (at, open.listener.socket()));
        let only_held = held.iter().filter(|it| !is_open(it)).map(|it| (&it.place, &it.socket));
        let of = |(at, socket): (&Place, &Arc<TcpListener>)| {
            let is_held = held.iter().any(|it| it.place == *at && it.is_held);
            let owner = at.owner.as_ref().map(ToString::to_string);
            let name = HandedSocket { destination: at.destination, owner, is_held };
            Ok((name, socket.as_fd().try_clone_to_owned()?))
        };
        open.chain(only_held).map(of).collect()
    }

    /// Listens for exactly these virtual servers, on `sockets` where they have no listener. Returns the listeners to be
    /// stopped.
    pub(crate) fn apply(
        &mut self,
        wanted: &[(&Arc<VirtualServer>, Arc<LiveVirtualServer>)],
        sockets: Sockets,
        lifecycle: &Lifecycle,
        now: Instant,
    ) -> Vec<Listener> {
        let destinations: Vec<_> = wanted.iter().map(|(config, _)| config.destination).collect();
        let new: Vec<_> = sockets.into_iter().filter(|(at, _)| !self.0.contains_key(at)).collect();
        let added: Vec<_> = new.iter().map(|(at, _)| at.destination).collect();
        for (at, socket) in new {
            let Some((config, live)) = wanted.iter().find(|(config, _)| Place::of(config) == at) else { continue };
            let address = socket.local_addr().unwrap_or(at.destination);
            // What passes through without SSL profiles is not known yet: it may be plain.
            let mode = Some(config.mode()).filter(|mode| *mode != Mode::Passthrough).map(Mode::as_str);
            tracing::info!(virtual_server = %config.name, %address, mode, "listening");
            let listener = Listener::start(socket, Arc::clone(live), lifecycle);
            self.0.insert(at, OpenListener { listener, closes_at: None });
        }
        for (at, open) in &mut self.0 {
            // With port 0 it serves its own virtual server or none.
            let is_orphan = at.owner.is_some() && !wanted.iter().any(|(config, _)| Place::of(config) == *at);
            let handover = if is_orphan { Handover::Closes } else { handover(at.destination, &destinations, &added) };
            open.closes_at = match handover {
                Handover::Serves(destination) => {
                    let served = Place { destination, owner: at.owner.clone() };
                    let serves = wanted.iter().find(|(config, _)| Place::of(config) == served);
                    if let Some((config, live)) = serves {
                        open.set_virtual_server(config, live);
                    }
                    None
                }
                // One that is closing already gets no more time.
                Handover::ClosesLater => open.closes_at.or_else(|| now.checked_add(HANDSHAKES)),
                Handover::Closes => open.closes_at.or(Some(now)),
            };
        }
        self.take_due(now)
    }

    /// Takes out the listeners that are due to close.
    pub(crate) fn take_due(&mut self, now: Instant) -> Vec<Listener> {
        let closing = self.0.extract_if(.., |_, open| open.closes_at.is_some_and(|at| at <= now));
        closing.map(|(_, open)| open.listener).collect()
    }

    /// Returns when the next listener closes.
    pub(crate) fn next_close(&self) -> Option<Instant> {
        self.0.values().filter_map(|open| open.closes_at).min()
    }

    /// Accepts no connection from here on. Clients wait in the queues of the sockets.
    pub(crate) async fn pause(&mut self) {
        for open in self.0.values_mut() {
            open.listener.pause().await;
        }
    }

    /// Accepts connections again.
    pub(crate) fn resume(&mut self) {
        self.resume_but(&[]);
    }

    /// Accepts connections again, but at these destinations, at which another process accepts them.
    pub(crate) fn resume_but(&mut self, served: &[SocketAddr]) {
        for (at, open) in &mut self.0 {
            if !served.contains(&at.destination) {
                open.listener.resume();
            }
        }
    }

    /// Takes out every listener.
    pub(crate) fn take_all(&mut self) -> Vec<Listener> {
        std::mem::take(&mut self.0).into_values().map(|open| open.listener).collect()
    }

    /// Restarts accept loops that panicked.
    pub(crate) fn restart_panicked(&mut self, restarts: &Restarts) {
        for (at, open) in &mut self.0 {
            if open.listener.restart_if_panicked() {
                restarts.increment();
                tracing::error!(destination = %at.destination, "internal error: an accept loop panicked; it is restarted");
            }
        }
    }
}

impl OpenListener {
    fn set_virtual_server(&self, config: &VirtualServer, live: &Arc<LiveVirtualServer>) {
        self.listener.set_virtual_server(Arc::clone(live));
        if let Err(error) = self.listener.set_options(&config.protocol) {
            tracing::warn!(virtual_server = %config.name, error = %os_reason(&error), "cannot change the listening socket's options");
        }
    }
}

/// How long a TCP handshake may take that a socket began before another took over: a few round trips.
const HANDSHAKES: Duration = Duration::from_secs(1);
