//! The accept loop: each listening socket has one, and gives every connection a task of its own.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::connection::{self, Accepted};
use super::lifecycle::Lifecycle;
use super::virtual_server::LiveVirtualServer;
use crate::model::profile::Protocol;
use crate::net::{self, Shortage};

/// A socket that accepts connections until this is dropped. Their virtual server can change meanwhile.
#[derive(Debug)]
pub struct Listener {
    socket: Arc<TcpListener>,
    virtual_server: Arc<ArcSwap<LiveVirtualServer>>,
    lifecycle: Lifecycle,
    stop: CancellationToken,
    /// The accept loop; none while it is paused.
    accepting: Option<Accepting>,
}

/// An accept loop.
#[derive(Debug)]
struct Accepting {
    task: JoinHandle<()>,
    pause: CancellationToken,
}

impl Listener {
    /// Starts accepting from `socket`, which is registered with the runtime of connections.
    pub fn start(socket: Arc<TcpListener>, virtual_server: Arc<LiveVirtualServer>, lifecycle: &Lifecycle) -> Self {
        let virtual_server = Arc::new(ArcSwap::new(virtual_server));
        let stop = lifecycle.listener_token();
        let mut listener = Self { socket, virtual_server, lifecycle: lifecycle.clone(), stop, accepting: None };
        listener.resume();
        listener
    }

    /// Accepts connections again after a [pause](Self::pause).
    pub fn resume(&mut self) {
        if self.accepting.as_ref().is_some_and(|accepting| !accepting.task.is_finished()) {
            return;
        }
        let (socket, virtual_server) = (Arc::clone(&self.socket), Arc::clone(&self.virtual_server));
        let pause = CancellationToken::new();
        let ends = Ends { stop: self.stop.clone(), pause: pause.clone() };
        let task = self.lifecycle.workers().spawn(accept_until(socket, virtual_server, self.lifecycle.clone(), ends));
        self.accepting = Some(Accepting { task, pause });
    }

    /// Accepts no connection from here on. Clients wait in the queue of the socket, which stays open.
    pub async fn pause(&mut self) {
        if let Some(Accepting { task, pause }) = self.accepting.take() {
            pause.cancel();
            // The task can only end; a panic in it was logged when it happened.
            let _ = task.await;
        }
    }

    /// Sets the virtual server of the connections that are accepted from this moment on.
    pub fn set_virtual_server(&self, virtual_server: Arc<LiveVirtualServer>) {
        self.virtual_server.store(virtual_server);
    }

    pub fn socket(&self) -> &Arc<TcpListener> {
        &self.socket
    }

    /// Sets the socket's options to those of another protocol profile.
    ///
    /// # Errors
    /// The system refuses an option.
    pub fn set_options(&self, profile: &Protocol) -> io::Result<()> {
        net::set_listening_options(&*self.socket, profile)
    }

    /// Starts accepting again if the accept loop panicked. Returns whether it had.
    pub fn restart_if_panicked(&mut self) -> bool {
        let ended = self.accepting.as_ref().is_some_and(|accepting| accepting.task.is_finished());
        let panicked = ended && !self.stop.is_cancelled();
        if panicked {
            self.resume();
        }
        panicked
    }

    /// Stops listening. Connections that the kernel has accepted already are served, unless accepting is
    /// [paused](Self::pause): then the socket is another process's as well.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(Accepting { task, .. }) = self.accepting.take() {
            // The task can only end; a panic in it was logged when it happened.
            let _ = task.await;
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What ends an accept loop.
struct Ends {
    stop: CancellationToken,
    pause: CancellationToken,
}

async fn accept_until(
    socket: Arc<TcpListener>,
    virtual_server: Arc<ArcSwap<LiveVirtualServer>>,
    lifecycle: Lifecycle,
    ends: Ends,
) {
    let mut pause = PAUSE.0;
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            () = ends.pause.cancelled() => return,
            () = ends.stop.cancelled() => return accept_remaining(&socket, &virtual_server, &lifecycle),
        };
        match accepted {
            Ok((tcp, client)) => {
                pause = PAUSE.0;
                spawn_connection(tcp, client, virtual_server.load_full(), &lifecycle);
            }
            // The client left between its connect and this accept.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                let name = &virtual_server.load().name;
                match Shortage::of(&error) {
                    Some(shortage) => shortage.report(format_args!("accepting a connection of virtual server {name}")),
                    None => tracing::error!(virtual_server = %name, %error, pause_ms = pause.as_millis() as u64,
                        "cannot accept a connection; trying again after a pause"),
                }
                // A listener that is stopped does not wait.
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = ends.pause.cancelled() => {}
                    () = ends.stop.cancelled() => {}
                }
                pause = (pause * 2).min(PAUSE.1);
            }
        }
    }
}

/// Accepts the connections that the kernel has accepted already. It asks the kernel directly, as the runtime may not
/// know of the last of them yet.
fn accept_remaining(socket: &TcpListener, virtual_server: &ArcSwap<LiveVirtualServer>, lifecycle: &Lifecycle) {
    for _ in 0..MAX_REMAINING {
        let accepted = SockRef::from(socket).accept().and_then(|(tcp, client)| {
            tcp.set_nonblocking(true)?;
            Ok((TcpStream::from_std(tcp.into())?, client.as_socket().ok_or(io::ErrorKind::InvalidData)?))
        });
        match accepted {
            Ok((tcp, client)) => spawn_connection(tcp, client, virtual_server.load_full(), lifecycle),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(error) => {
                if let Some(shortage) = Shortage::of(&error) {
                    let name = &virtual_server.load().name;
                    return shortage.report(format_args!("accepting the last connections of virtual server {name}"));
                }
                // The error may be one client's, with more clients behind it (accept(2)).
            }
        }
    }
}

fn spawn_connection(tcp: TcpStream, client: SocketAddr, virtual_server: Arc<LiveVirtualServer>, lifecycle: &Lifecycle) {
    let accepted = Accepted::new(tcp, client, virtual_server);
    // Boxed, as the runtime would move it several times, and would round its size up to a multiple of 128 bytes.
    lifecycle.connections.spawn(Box::pin(connection::serve(accepted, Arc::clone(&lifecycle.open))));
}

/// The pause after an accept error, doubled while errors go on up to the second.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));
/// Connections that are accepted after a listener was stopped, at most.
const MAX_REMAINING: usize = 4096;
