use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::api;
use super::socket::AdminSocket;
use crate::control::Handle;
use crate::log::Log;

/// Answers on the socket for as long as its task runs: so many connections at a time, each for a bounded time.
pub async fn serve(socket: Arc<AdminSocket>, handle: Handle, log: Log) -> Infallible {
    let router = api::router(handle, log);
    let [places, refusals] = [(); 2].map(|()| Arc::new(Semaphore::new(MOST_CONNECTIONS)));
    loop {
        let stream = match socket.listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::error!(%error, "the admin socket cannot accept a connection; trying again after a pause");
                sleep(PAUSE).await;
                continue;
            }
        };
        match Arc::clone(&places).try_acquire_owned() {
            Ok(place) => {
                let router = router.clone();
                tokio::spawn(async move {
                    // One that takes longer is closed.
                    let _ = timeout(LONGEST, answer(stream, router)).await;
                    drop(place);
                });
            }
            Err(_) => {
                let Ok(place) = Arc::clone(&refusals).try_acquire_owned() else { continue };
                tokio::spawn(async move {
                    let _ = timeout(REQUEST, refuse(stream)).await;
                    drop(place);
                });
            }
        }
    }
}

async fn answer(stream: UnixStream, router: Router) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // What was asked for is done, also for one that does not wait for the answer.
        .half_close(true)
        .header_read_timeout(REQUEST)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection to the admin socket ended early");
    }
}

/// Answers one that comes when all places are taken; without a place to do that, the connection is closed.
async fn refuse(mut stream: UnixStream) -> std::io::Result<()> {
    // An answer is one only after the question.
    stream.read_u8().await?;
    let body =
        format!("{{\"error\":\"{MOST_CONNECTIONS} connections to the admin socket are open; try again later\"}}");
    let head = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nconnection: close\r\n";
    stream.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await?;
    stream.shutdown().await?;
    // Closing with a request unread would take the answer from whoever asked.
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map(drop)
}

const MOST_CONNECTIONS: usize = 64;
/// Within which a request must be there, and within which the next one must begin.
const REQUEST: Duration = Duration::from_secs(10);
/// For a whole connection: a reload may derive slow keys, a long list be read slowly.
const LONGEST: Duration = Duration::from_secs(300);
const PAUSE: Duration = Duration::from_millis(200);
