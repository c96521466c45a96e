//! Asking a pronk: one request over a connection, and its answer, which is bounded in size.

use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::task::AbortOnDropHandle;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The connection ended before.
    Lost,
    /// What answers does not speak HTTP.
    Foreign,
    TooLong,
}

/// Sends a request, and returns its answer, of at most `longest` bytes.
///
/// # Errors
/// Why there is none.
pub async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Empty<Bytes>>,
    longest: usize,
) -> Result<(StatusCode, Bytes), NoAnswer> {
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|_| NoAnswer::Lost)?;
    let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
    let failed = |error: hyper::Error| if error.is_parse() { NoAnswer::Foreign } else { NoAnswer::Lost };
    let answer = sender.send_request(request).await.map_err(failed)?;
    let code = answer.status();
    let body = Limited::new(answer.into_body(), longest).collect().await;
    let body = body.map_err(|error| if error.is::<LengthLimitError>() { NoAnswer::TooLong } else { NoAnswer::Lost })?;
    Ok((code, body.to_bytes()))
}
