//! Serving the API over the network, where the configuration asks for it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::caller::Peer;
use super::http::{REQUEST, answer};
use super::network_clients::NetworkClients;
use super::router::Api;
use crate::control::{Handle, NetworkApi};
use crate::reading::os_reason;
use crate::tls::TlsFault;

/// Serves the API where the configuration in force asks for it. A connection that is open goes on when the address
/// changes; its token is looked at with every request.
pub async fn serve_network(handle: Handle, api: Api) -> Infallible {
    let (mut served, clients) = (handle.network_apis(), NetworkClients::default());
    loop {
        let current = served.borrow_and_update().clone();
        let accept = async {
            match current.as_ref().and_then(|current| Some((current, current.listener.as_ref()?))) {
                Some((current, listener)) => (current, listener.accept().await),
                None => std::future::pending().await,
            }
        };
        let (current, accepted) = tokio::select! {
            changed = served.changed() => {
                if changed.is_err() {
                    // The process ends.
                    std::future::pending::<()>().await;
                }
                continue;
            }
            accepted = accept => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                let address = SocketAddr::new(address.ip().to_canonical(), address.port());
                let client = Client { stream, address, current: Arc::clone(current), served: handle.network_apis() };
                admit(client, &clients, &api);
            }
            Err(error) => {
                tracing::error!(error = %os_reason(&error), "the admin API cannot accept a connection; trying again after a pause");
                sleep(PAUSE).await;
            }
        }
    }
}

/// Serves a client, if it may come from where it does and there is room. Others are closed without an answer.
fn admit(client: Client, clients: &NetworkClients, api: &Api) {
    let Client { address, current, .. } = &client;
    if !current.lets_in(address.ip()) {
        return tracing::debug!(client = %address, "no network of the admin API's `source` has this address");
    }
    let Some(place) = clients.admit(address.ip()) else {
        return tracing::debug!(client = %address, "too many connections to the admin API");
    };
    let own = api.clone();
    api.spawn(async move {
        client.serve(&own).await;
        drop(place);
    });
}

/// A client that was accepted.
struct Client {
    stream: TcpStream,
    address: SocketAddr,
    current: Arc<NetworkApi>,
    served: watch::Receiver<Option<Arc<NetworkApi>>>,
}

impl Client {
    async fn serve(self, api: &Api) {
        let Self { stream, address, current, mut served } = self;
        // Answers are small; if the option is refused, they come later.
        let _ = stream.set_nodelay(true);
        let (tls, listener) = (current.tls.clone(), current.listener.as_ref().map(Arc::downgrade));
        drop(current);
        // Whoever keeps a connection open is to come again when another address or another process serves.
        let closing = async move {
            let is_other = |api: &Option<Arc<NetworkApi>>| {
                let serving = api.as_ref().and_then(|api| api.listener.as_ref()).map(Arc::downgrade);
                !matches!((&serving, &listener), (Some(serving), Some(own)) if Weak::ptr_eq(serving, own))
            };
            drop(served.wait_for(is_other).await);
        };
        let Some(tls) = tls else {
            return answer(stream, Peer::Network { address }, api, closing).await;
        };
        match timeout(tls.handshake_timeout().min(REQUEST), tls.acceptor().accept(stream)).await {
            Ok(Ok(stream)) => answer(stream, Peer::Network { address }, api, closing).await,
            Ok(Err(error)) => {
                let fault = TlsFault::of_handshake(&error).describe();
                tracing::debug!(client = %address, error = fault, "no TLS with a client of the admin API");
            }
            Err(_) => tracing::debug!(client = %address, "no TLS in time with a client of the admin API"),
        }
    }
}

const PAUSE: Duration = Duration::from_millis(200);
