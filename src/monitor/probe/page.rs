//! Fetching one page over HTTP/1.1, or as much of it as is wanted.

use std::io::ErrorKind;
use std::pin::pin;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Request, StatusCode, Version};
use hyper_util::rt::TokioIo;

use super::limit::Limit;
use super::stream::{Failure, GOODBYE, Stream, silence};
use crate::reading::os_reason;

/// An answer to a request.
#[derive(Debug)]
pub(in crate::monitor) struct Page {
    pub status: StatusCode,
    pub version: Version,
    pub headers: HeaderMap<HeaderValue>,
    pub body: Vec<u8>,
    pub rest: Rest,
}

/// Whether there is more of a page than what was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::monitor) enum Rest {
    /// This is all.
    None,
    /// More may come.
    Coming,
    /// As many bytes as wanted are here, and more may come.
    Cut,
    /// It did not come to its end within the limit, with the limit in words.
    Late(String),
    /// The connection ended or failed within the page, with the reason in words.
    Broken(String),
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

/// Sends a request and reads the answer, until `is_enough` of it is there, `most` bytes of its body, or all. An answer
/// whose headers have come is a page, whatever becomes of its body. Headers have limits of their own.
pub(super) async fn fetch(
    stream: Box<dyn Stream>,
    request: Request<Empty<Bytes>>,
    most: usize,
    limit: Limit,
    is_enough: impl Fn(&Page) -> bool,
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
            let answer = limit.keep(sender.send_request(request)).await.map_err(|_| silence(limit))?;
            let (head, mut body) = answer.map_err(|error| Failure::ended(not_http(&error)))?.into_parts();
            let (status, version, headers) = (head.status, head.version, head.headers);
            let mut page = Page { status, version, headers, body: Vec::new(), rest: Rest::Coming };
            read_body(&mut body, &mut page, most, limit, is_enough).await;
            if matches!(page.rest, Rest::Coming | Rest::Cut) {
                // A server that is about to send the rest would find its connection reset, and log that.
                let _ = limit.within(COURTESY).keep(read_rest(&mut body, most)).await;
            }
            Ok(page)
        });
        let both = std::future::poll_fn(|cx| {
            if !ended {
                ended = connection.as_mut().poll(cx).is_ready();
            }
            exchange.as_mut().poll(cx)
        });
        both.await?
    };
    drop(sender);
    if !ended {
        // It says goodbye where there is TLS; the server may have gone already.
        let _ = limit.within(GOODBYE).keep(connection).await;
    }
    Ok(page)
}

/// Reads the body of a page until there is enough of it. It is asked whenever the page has grown by an eighth, and when
/// nothing more has come for a moment, as to ask may be a search through the whole page.
async fn read_body(body: &mut Incoming, page: &mut Page, most: usize, limit: Limit, is_enough: impl Fn(&Page) -> bool) {
    let (mut asked, mut ask_at) = (None, 0);
    loop {
        if body.is_end_stream() {
            page.rest = Rest::None;
            return;
        }
        let length = page.body.len();
        if length >= most {
            page.rest = Rest::Cut;
            return;
        }
        if length >= ask_at {
            if is_enough(page) {
                return;
            }
            (asked, ask_at) = (Some(length), length + length / 8 + 1);
        }
        let wait = if asked == Some(length) { limit } else { limit.within(PAUSE) };
        match wait.keep(body.frame()).await {
            Ok(Some(Ok(frame))) => {
                let data = frame.into_data().unwrap_or_default();
                page.body.extend(data.iter().take(most - length));
                if data.len() > most - length {
                    page.rest = Rest::Cut;
                    return;
                }
            }
            Ok(Some(Err(error))) => {
                page.rest = Rest::Broken(why(&error));
                return;
            }
            Ok(None) => {
                page.rest = Rest::None;
                return;
            }
            Err(_) if limit.left().is_zero() => {
                page.rest = Rest::Late(limit.to_string());
                return;
            }
            Err(_) => ask_at = length,
        }
    }
}

/// Reads what is left of a body, at most about `most` bytes of it.
async fn read_rest(body: &mut Incoming, most: usize) {
    let mut read = 0;
    while read < most
        && let Some(Ok(frame)) = body.frame().await
    {
        read += frame.data_ref().map_or(0, Bytes::len);
    }
}

fn not_http(error: &hyper::Error) -> String {
    format!("it gave no HTTP answer: {}", why(error))
}

/// Returns what is wrong with an answer, in words instead of the library's.
fn why(error: &hyper::Error) -> String {
    let source = std::error::Error::source(error);
    if let Some(cause) = source.and_then(|source| source.downcast_ref::<hyper::Error>()) {
        return why(cause);
    }
    let source = source.and_then(|source| source.downcast_ref::<std::io::Error>());
    match (error, source) {
        (error, _) if error.is_incomplete_message() => "the connection ended before the answer did".to_owned(),
        (error, _) if error.is_parse_too_large() => {
            format!("its headers have more than {} KiB, or are more than 100", HEADERS >> 10)
        }
        (error, _) if error.is_parse_status() => "its status is no number from 100 to 999".to_owned(),
        (error, _) if error.is_parse() => NOT_HTTP.to_owned(),
        (error, _) if error.is_timeout() => "it took too long".to_owned(),
        (_, Some(source)) if source.kind() == ErrorKind::UnexpectedEof => {
            "the connection ended before the answer did".to_owned()
        }
        (_, Some(source)) if source.kind() == ErrorKind::InvalidInput => "its chunks are malformed".to_owned(),
        (_, Some(source)) => os_reason(source),
        _ => NOT_HTTP.to_owned(),
    }
}

/// How probes name themselves to HTTP servers.
pub(super) const AGENT: &str = concat!("pronk/", env!("CARGO_PKG_VERSION"));
const NOT_HTTP: &str = "what came is not HTTP/1.1";
/// The most bytes of headers.
const HEADERS: usize = 64 << 10;
/// A server that sends nothing for so long may send nothing more.
const PAUSE: Duration = Duration::from_millis(10);
/// How long the rest of a page may take that is not wanted.
const COURTESY: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const PIECES: &[&str] = &[
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 404 \r\n",
        "HTTP/1.1 99999 X\r\n",
        "HTTP/2 200\r\n",
        "content-length: 3\r\n",
        "content-length: 18446744073709551616\r\n",
        "content-length: -1\r\n",
        "transfer-encoding: chunked\r\n",
        "transfer-encoding: gzip\r\n",
        "connection: upgrade\r\nupgrade: x\r\n",
        "x: y\r\n",
        "\r\n",
        "\n",
        "3\r\nabc\r\n",
        "ffffffffffffffff\r\n",
        "0\r\n\r\n",
        "zz\r\n",
        "3;ext=1\r\nabc\r\n",
        "{}",
        "\0",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ];

    /// What comes of an answer of these bytes, within a second that passes at once.
    fn fetched(answer: Vec<u8>, most: usize) -> Result<Page, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (near, mut far) = tokio::io::duplex(1 << 20);
            let answering = tokio::spawn(async move {
                let _ = far.read(&mut [0; 1000]).await;
                let _ = far.write_all(&answer).await;
                // The rest of what it is asked does not matter.
                let _ = tokio::io::copy(&mut far, &mut tokio::io::sink()).await;
            });
            let request = Request::get("/").header("host", "member").body(Empty::new()).unwrap();
            let page = fetch(Box::new(near), request, most, Limit::new(Duration::from_secs(1)), |_| false).await;
            answering.abort();
            page
        })
    }

    fn check(answer: Vec<u8>, most: usize) -> Result<(), TestCaseError> {
        let reason = match fetched(answer, most) {
            Ok(page) => {
                prop_assert!(page.body.len() <= most);
                match page.rest {
                    Rest::Broken(reason) => reason,
                    _ => String::new(),
                }
            }
            Err(failure) => failure.reason,
        };
        for library in ["hyper", "Parse", "parsed", "IncompleteMessage", "message completed", "os error"] {
            prop_assert!(!reason.contains(library), "{}", reason);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn any_answer_is_a_page_or_a_reason(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..12), most in 0_usize..20) {
            check(pieces.concat().into_bytes(), most)?;
        }

        #[test]
        fn any_bytes_are_a_page_or_a_reason(bytes in prop::collection::vec(any::<u8>(), 0..300), most in 0_usize..300) {
            check([b"HTTP/1.1 200 OK\r\n", &bytes[..]].concat(), most)?;
            check(bytes, most)?;
        }
    }

    #[test]
    fn headers_without_end_are_left_at_the_limit() {
        for headers in [b"x: y\r\n".repeat(200), b"x: y\r\n".repeat(40_000), [b"x: ", &[b'y'; 200_000][..]].concat()] {
            let reason = fetched([&b"HTTP/1.1 200 OK\r\n"[..], &headers, b"\r\n\r\n"].concat(), 10).unwrap_err().reason;
            assert!(reason.ends_with("its headers have more than 64 KiB, or are more than 100"), "{reason}");
        }
    }
}
