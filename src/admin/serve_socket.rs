//! Serving the API on the admin socket.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::caller::Peer;
use super::http::{REQUEST, answer};
use super::router::Api;
use super::socket::AdminSocket;
use crate::reading::os_reason;

/// Serves the API on the admin socket: a bounded number of connections at a time, each for a bounded time.
pub async fn serve_socket(socket: Arc<AdminSocket>, api: Api) -> Infallible {
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
                // Whoever keeps a connection open is to come again when another process answers here.
                let (own, left) = (api.clone(), socket.left.clone());
                api.spawn(async move {
                    answer(stream, Peer::Socket { uid }, &own, left.cancelled_owned()).await;
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
const PAUSE: Duration = Duration::from_millis(200);
