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

/// The pause after an accept error, doubled while errors go on.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// Connections that are accepted after a listener was stopped, at most: those that the kernel had taken already.
const LAST: usize = 4096;

/// A socket that is listened on until this is dropped. Which virtual server its connections belong to can change
/// meanwhile.
#[derive(Debug)]
pub struct Listener {
    socket: Arc<TcpListener>,
    serves: Arc<ArcSwap<LiveVirtualServer>>,
    lifecycle: Lifecycle,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Listener {
    /// Begins to accept on `socket`, which is registered with the runtime of connections.
    pub fn start(socket: Arc<TcpListener>, virtual_server: Arc<LiveVirtualServer>, lifecycle: &Lifecycle) -> Self {
        let serves = Arc::new(ArcSwap::new(virtual_server));
        let stop = lifecycle.listener_token();
        let accepting = accept_until(Arc::clone(&socket), Arc::clone(&serves), lifecycle.clone(), stop.clone());
        let task = lifecycle.workers().spawn(accepting);
        Self { socket, serves, lifecycle: lifecycle.clone(), stop, task }
    }

    /// Sends the connections accepted from this moment on to another virtual server.
    pub fn serve(&self, virtual_server: Arc<LiveVirtualServer>) {
        self.serves.store(virtual_server);
    }

    pub fn socket(&self) -> &Arc<TcpListener> {
        &self.socket
    }

    /// Gives the socket the options of another protocol profile.
    ///
    /// # Errors
    /// What the system says.
    pub fn adjust(&self, profile: &Protocol) -> io::Result<()> {
        net::set_listening_options(&*self.socket, profile)
    }

    /// Accepts again where accepting panicked; returns whether it had.
    pub fn revive(&mut self) -> bool {
        let panicked = self.task.is_finished() && !self.stop.is_cancelled();
        if panicked {
            let (socket, serves) = (Arc::clone(&self.socket), Arc::clone(&self.serves));
            let accepting = accept_until(socket, serves, self.lifecycle.clone(), self.stop.clone());
            self.task = self.lifecycle.workers().spawn(accepting);
        }
        panicked
    }

    /// Stops listening. Connections that the kernel has accepted already are served first.
    pub async fn stop(mut self) {
        self.stop.cancel();
        // The task only ends; a panic in it was reported when it happened.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept_until(
    socket: Arc<TcpListener>,
    serves: Arc<ArcSwap<LiveVirtualServer>>,
    lifecycle: Lifecycle,
    stop: CancellationToken,
) {
    let mut pause = PAUSE.0;
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            () = stop.cancelled() => return accept_last(&socket, &serves, &lifecycle),
        };
        match accepted {
            Ok((tcp, client)) => {
                pause = PAUSE.0;
                begin(tcp, client, serves.load_full(), &lifecycle);
            }
            // The client has gone between its connect and our accept.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                let name = &serves.load().name;
                match Shortage::of(&error) {
                    Some(shortage) => shortage.report(format_args!("accepting a connection of virtual server {name}")),
                    None => tracing::error!(virtual_server = %name, %error, pause_ms = pause.as_millis() as u64,
                        "cannot accept a connection; trying again after a pause"),
                }
                // A listener that is to stop waits for nothing.
                let _ = tokio::time::timeout(pause, stop.cancelled()).await;
                pause = (pause * 2).min(PAUSE.1);
            }
        }
    }
}

/// Accepts the clients whom the kernel has taken already. It is asked itself: what the runtime knows of the socket may
/// be older than the last of them.
fn accept_last(socket: &TcpListener, serves: &ArcSwap<LiveVirtualServer>, lifecycle: &Lifecycle) {
    for _ in 0..LAST {
        let accepted = SockRef::from(socket).accept().and_then(|(tcp, client)| {
            tcp.set_nonblocking(true)?;
            Ok((TcpStream::from_std(tcp.into())?, client.as_socket().ok_or(io::ErrorKind::InvalidData)?))
        });
        match accepted {
            Ok((tcp, client)) => begin(tcp, client, serves.load_full(), lifecycle),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(error) => {
                if let Some(shortage) = Shortage::of(&error) {
                    let name = &serves.load().name;
                    return shortage.report(format_args!("accepting the last connections of virtual server {name}"));
                }
                // What is wrong with one client says nothing of those behind it (accept(2)).
            }
        }
    }
}

fn begin(tcp: TcpStream, client: SocketAddr, virtual_server: Arc<LiveVirtualServer>, lifecycle: &Lifecycle) {
    let accepted = Accepted::new(tcp, client, virtual_server, lifecycle.clone());
    lifecycle.connections.spawn(connection::serve(accepted));
}
