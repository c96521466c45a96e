//! Fetching a page of an impalad's web UI.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::Empty;
use hyper::Request;
use hyper::header::{AUTHORIZATION, CONNECTION, HOST, HeaderValue, USER_AGENT};

use super::page::{AGENT, Page, fetch};
use super::stream::{Failure, open};
use crate::tls::MemberTls;

/// Fetches a page of the web UI at `address`. `host` goes into the `Host` header.
pub(in crate::monitor) async fn web_page(
    address: SocketAddr,
    host: Option<&str>,
    tls: Option<&MemberTls>,
    authorization: Option<&HeaderValue>,
    path: &str,
    limit: Duration,
) -> Result<Page, Failure> {
    let host = host.map_or_else(|| address.to_string(), str::to_owned);
    let mut request = Request::get(path).header(HOST, host).header(USER_AGENT, AGENT).header(CONNECTION, "close");
    if let Some(header) = authorization {
        request = request.header(AUTHORIZATION, header);
    }
    let request = request.body(Empty::new()).map_err(|error| Failure::new(error.to_string()))?;
    let stream = open(address, tls, limit).await.map_err(|failure| failure.at(address))?;
    let page = fetch(stream, request, LONGEST_PAGE, limit).await.map_err(|failure| failure.at(address))?;
    match page.status.as_u16() {
        200 => Ok(page),
        401 => Err(Failure::new(format!("{address}: {path} needs a user and a password (status 401)"))),
        code => Err(Failure::new(format!("{address}: {path} answers with status {code}"))),
    }
}

/// Of a page, in bytes: a large cluster has long ones.
const LONGEST_PAGE: usize = 4 << 20;
