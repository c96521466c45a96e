use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::connection::{self, Accepted};
use super::virtual_server::{Lifecycle, LiveVirtualServer};
use crate::model::profile::Protocol;
use crate::net;

/// The pause after an accept error, doubled while errors go on.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// A destination that is listened on. Which virtual server its connections belong to can change while it listens.
#[derive(Debug)]
pub struct Listener {
    socket: Arc<TcpListener>,
    serves: Arc<ArcSwap<LiveVirtualServer>>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Listener {
    /// Begins to accept on `socket`.
    pub fn start(socket: TcpListener, virtual_server: Arc<LiveVirtualServer>, lifecycle: &Lifecycle) -> Self {
        let socket = Arc::new(socket);
        let serves = Arc::new(ArcSwap::new(virtual_server));
        let stop = CancellationToken::new();
        let accepting = accept_until(Arc::clone(&socket), Arc::clone(&serves), lifecycle.clone(), stop.clone());
        Self { socket, serves, stop, task: tokio::spawn(accepting) }
    }

    /// Sends the connections accepted from now on to another virtual server.
    pub fn serve(&self, virtual_server: Arc<LiveVirtualServer>) {
        self.serves.store(virtual_server);
    }

    /// Gives the socket the options of another protocol profile.
    ///
    /// # Errors
    /// What the system says.
    pub fn adjust(&self, profile: &Protocol) -> io::Result<()> {
        net::adjust(&*self.socket, profile)
    }

    /// Stops listening. Connections that the kernel has accepted already are served first.
    pub async fn stop(self) {
        self.stop.cancel();
        // The task only ends; a panic in it was reported when it happened.
        let _ = self.task.await;
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
            biased;
            accepted = socket.accept() => accepted,
            () = stop.cancelled() => return,
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
                tracing::error!(virtual_server = %name, %error, pause_ms = pause.as_millis() as u64,
                    "cannot accept a connection; trying again after a pause");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE.1);
            }
        }
    }
}

fn begin(tcp: TcpStream, client: SocketAddr, virtual_server: Arc<LiveVirtualServer>, lifecycle: &Lifecycle) {
    let accepted = Accepted::new(tcp, client, virtual_server, lifecycle.clone());
    lifecycle.connections.spawn(connection::serve(accepted));
}
