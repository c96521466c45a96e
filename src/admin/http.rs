//! HTTP on one connection, whatever it comes by: bounded in size and time.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::middleware::map_response_with_state;
use axum::response::Response;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::caller::Peer;
use super::router::Api;

/// Answers requests until the connection ends, or its time is over. After `closing`, and when the process ends, it closes
/// the connection with the next answer, or after a moment without a request.
pub(super) async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, peer: Peer, api: &Api, closing: impl Future) {
    let closes = Arc::new(AtomicBool::new(false));
    let routes = api.for_peer(peer).layer(map_response_with_state(Arc::clone(&closes), say_close));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // A request is carried out also if its caller does not wait for the answer.
        .half_close(true)
        .header_read_timeout(REQUEST)
        .max_buf_size(LONGEST_REQUEST)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    let (mut connection, mut closing) = (pin!(connection), pin!(closing));
    let served = async {
        let patience = tokio::select! {
            served = &mut connection => return served,
            _ = &mut closing => LAST_REQUEST,
            () = api.ended() => LAST_REQUEST_AT_END,
        };
        // A request may be on its way already, also the first one of a client that has just been accepted.
        closes.store(true, Ordering::Relaxed);
        if let Ok(served) = timeout(patience, &mut connection).await {
            return served;
        }
        connection.as_mut().graceful_shutdown();
        connection.await
    };
    // A connection that takes longer is closed.
    if let Ok(Err(error)) = timeout(LONGEST, served).await {
        tracing::debug!(%error, "a connection of an administrator ended early");
    }
}

/// Has the client come again on another connection, if this one closes.
async fn say_close(State(closes): State<Arc<AtomicBool>>, mut response: Response) -> Response {
    if closes.load(Ordering::Relaxed) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Bytes of a request, which has names in its path and no body.
const LONGEST_REQUEST: usize = 24 << 10;
/// Within this time a request must be received, and the next one must begin.
pub(super) const REQUEST: Duration = Duration::from_secs(10);
/// How long a connection that closes waits for a request that is on its way: where another address or process serves from
/// now on, and at the end of the process.
const LAST_REQUEST: Duration = Duration::from_secs(2);
const LAST_REQUEST_AT_END: Duration = Duration::from_millis(250);
/// The limit of a whole connection: a reload may derive slow keys, and a long list may be read slowly.
const LONGEST: Duration = Duration::from_secs(300);
