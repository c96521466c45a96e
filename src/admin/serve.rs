//! Serving the API on the admin socket.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::api::{self, Caller};
use super::socket::AdminSocket;
use crate::control::Handle;
use crate::log::Log;
use crate::reading::os_reason;

/// The connections of whoever administers the process.
#[derive(Clone, Debug, Default)]
pub struct AdminConnections {
    tasks: TaskTracker,
    ending: CancellationToken,
}

impl AdminConnections {
    /// Has requests that are under way answered, and closes connections. Returns after `limit` at the latest.
    pub async fn end(&self, limit: Duration) {
        self.tasks.close();
        self.ending.cancel();
        // Whoever reads no answer gets none.
        let _ = timeout(limit, self.tasks.wait()).await;
    }
}

/// Serves the API on the admin socket: a bounded number of connections at a time, each for a bounded time.
pub async fn serve(socket: Arc<AdminSocket>, handle: Handle, log: Log, connections: AdminConnections) -> Infallible {
    let router = api::router(handle, log);
    let [permits, refusal_permits] = [(); 2].map(|()| Arc::new(Semaphore::new(MOST_CONNECTIONS)));
    loop {
        let stream = match socket.listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::error!(error = %os_reason(&error), "the admin socket cannot accept a connection; trying again after a pause");
                sleep(PAUSE).await;
                continue;
            }
        };
        match Arc::clone(&permits).try_acquire_owned() {
            Ok(permit) => {
                let uid = stream.peer_cred().ok().map(|peer| peer.uid());
                let router = router.clone().layer(Extension(Caller { uid }));
                let ending = connections.ending.clone();
                connections.tasks.spawn(async move {
                    // A connection that takes longer is closed.
                    let _ = timeout(LONGEST, answer(stream, router, ending)).await;
                    drop(permit);
                });
            }
            Err(_) => {
                let Ok(permit) = Arc::clone(&refusal_permits).try_acquire_owned() else { continue };
                tokio::spawn(async move {
                    let _ = timeout(REQUEST, refuse(stream)).await;
                    drop(permit);
                });
            }
        }
    }
}

async fn answer(stream: UnixStream, router: Router, ending: CancellationToken) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // A request is carried out also if its caller does not wait for the answer.
        .half_close(true)
        .header_read_timeout(REQUEST)
        .max_buf_size(LONGEST_REQUEST)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = ending.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the admin socket ended early");
    }
}

/// Refuses a connection that is one too many.
async fn refuse(mut stream: UnixStream) -> std::io::Result<()> {
    // Clients expect the answer after their request.
    stream.read_u8().await?;
    let body =
        format!("{{\"error\":\"{MOST_CONNECTIONS} connections to the admin socket are open; try again later\"}}");
    let head = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nconnection: close\r\n";
    stream.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await?;
    stream.shutdown().await?;
    // Closing while a request is unread would discard the answer.
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map(drop)
}

const MOST_CONNECTIONS: usize = 64;
/// Bytes of a request, which has names in its path and no body.
const LONGEST_REQUEST: usize = 16 << 10;
/// Within this time a request must be received, and the next one must begin.
const REQUEST: Duration = Duration::from_secs(10);
/// The limit of a whole connection: a reload may derive slow keys, and a long list may be read slowly.
const LONGEST: Duration = Duration::from_secs(300);
const PAUSE: Duration = Duration::from_millis(200);
