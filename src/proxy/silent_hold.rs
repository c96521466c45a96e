//! Holding a client's connection open in silence, as service-down-action `drop` asks.

use std::future::{Future, pending};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::net;

/// Holds a client's connection and sends nothing: until the client leaves, `limit` is over or the drain is `closing`
/// it.
///
/// F5 forgets such a connection. A process cannot: its kernel would answer the client's next packet with a reset.
pub(super) async fn hold_silently(client: &TcpStream, limit: Option<Duration>, closing: impl Future<Output = ()>) {
    let time_over = async {
        match limit {
            Some(limit) => sleep(limit).await,
            None => pending().await,
        }
    };
    tokio::select! {
        () = net::peer_closed(client) => {}
        () = time_over => {}
        () = closing => {}
    }
}
