//! HTTP on one connection, whatever it comes by: bounded in size and time.

use std::pin::pin;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::caller::Peer;
use super::router::Api;

/// Answers requests until the connection ends, or its time is over. After `closing`, and when the process ends, it answers
/// the request that it has, and no other.
pub(super) async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, peer: Peer, api: &Api, closing: impl Future) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // A request is carried out also if its caller does not wait for the answer.
        .half_close(true)
        .header_read_timeout(REQUEST)
        .max_buf_size(LONGEST_REQUEST)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(api.for_peer(peer)));
    let (mut connection, mut closing) = (pin!(connection), pin!(closing));
    let served = async {
        tokio::select! {
            served = &mut connection => return served,
            _ = &mut closing => {}
            () = api.ended() => {}
        }
        connection.as_mut().graceful_shutdown();
        connection.await
    };
    // A connection that takes longer is closed.
    if let Ok(Err(error)) = timeout(LONGEST, served).await {
        tracing::debug!(%error, "a connection of an administrator ended early");
    }
}

/// Bytes of a request, which has names in its path and no body.
const LONGEST_REQUEST: usize = 16 << 10;
/// Within this time a request must be received, and the next one must begin.
pub(super) const REQUEST: Duration = Duration::from_secs(10);
/// The limit of a whole connection: a reload may derive slow keys, and a long list may be read slowly.
const LONGEST: Duration = Duration::from_secs(300);
