//! Fetching one page over HTTP/1.1.

use std::pin::pin;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Request, StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::stream::{Failure, GOODBYE, Stream};

/// An answer to a request.
#[derive(Debug)]
pub(in crate::monitor) struct Page {
    pub status: StatusCode,
    pub version: Version,
    pub headers: HeaderMap<HeaderValue>,
    pub body: Bytes,
}

impl Page {
    /// Returns the answer as it was sent, or nearly: its status line, headers and body.
    pub(crate) fn text(&self) -> Vec<u8> {
        let reason = self.status.canonical_reason().unwrap_or_default();
        let mut text = format!("{:?} {} {reason}\r\n", self.version, self.status.as_str()).into_bytes();
        for (name, value) in &self.headers {
            text.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        text.extend_from_slice(b"\r\n");
        text.extend_from_slice(&self.body);
        text
    }
}

/// Sends a request and reads the answer within `limit`, and at most `most` bytes of body. Headers have limits of their
/// own.
pub(super) async fn fetch(
    stream: Box<dyn Stream>,
    request: Request<Empty<Bytes>>,
    most: usize,
    limit: Duration,
) -> Result<Page, Failure> {
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(HEADERS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| Failure::ended(not_http(&error)))?;
    let mut connection = pin!(connection);
    let mut ended = false;
    let page = {
        let mut exchange = pin!(async {
            let answer = sender.send_request(request).await.map_err(|error| Failure::ended(not_http(&error)))?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, most).collect().await;
            let body = body.map_err(|error| Failure::ended(format!("its page cannot be read: {error}")))?;
            Ok(Page { status: head.status, version: head.version, headers: head.headers, body: body.to_bytes() })
        });
        let both = std::future::poll_fn(|cx| {
            if !ended {
                ended = connection.as_mut().poll(cx).is_ready();
            }
            exchange.as_mut().poll(cx)
        });
        match timeout(limit, both).await {
            Ok(page) => page?,
            Err(_) => {
                return Err(Failure::silent(format!("it takes the connection and answers nothing within {limit:?}")));
            }
        }
    };
    drop(sender);
    if !ended {
        // It says goodbye where there is TLS; the server may have gone already.
        let _ = timeout(GOODBYE, connection).await;
    }
    Ok(page)
}

fn not_http(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("it gave no HTTP answer: {error}: {source}"),
        None => format!("it gave no HTTP answer: {error}"),
    }
}

/// How probes name themselves to HTTP servers.
pub(super) const AGENT: &str = concat!("pronk/", env!("CARGO_PKG_VERSION"));
/// The most bytes of headers.
const HEADERS: usize = 64 << 10;
