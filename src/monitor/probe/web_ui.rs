//! Fetching a page of an impalad's web UI.

use std::net::SocketAddr;

use http_body_util::Empty;
use hyper::header::{AUTHORIZATION, CONNECTION, HOST, HeaderValue, USER_AGENT};
use hyper::{Request, StatusCode};

use super::limit::Limit;
use super::page::{AGENT, Page, Rest, fetch};
use super::stream::{Failure, open};
use crate::tls::MemberTls;

/// How much of a page is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::monitor) enum Need {
    /// Whether it is there.
    Status,
    /// What is in it.
    Body,
}

/// Fetches a page of the web UI at `address`, within `limit`. `host` goes into the `Host` header.
pub(in crate::monitor) async fn web_page(
    address: SocketAddr,
    host: Option<&str>,
    tls: Option<&MemberTls>,
    authorization: Option<&HeaderValue>,
    (path, need): (&str, Need),
    limit: Limit,
) -> Result<Page, Failure> {
    let host = host.map_or_else(|| address.to_string(), str::to_owned);
    let mut request = Request::get(path).header(HOST, host).header(USER_AGENT, AGENT).header(CONNECTION, "close");
    if let Some(header) = authorization {
        request = request.header(AUTHORIZATION, header);
    }
    let request = request.body(Empty::new()).map_err(|_| Failure::new("no request can be made for that host"))?;
    let stream = open(address, tls, limit).await.map_err(|failure| failure.at(address))?;
    let page =
        fetch(stream, request, LONGEST_PAGE, limit, |page| need == Need::Status || page.status != StatusCode::OK);
    let page = page.await.map_err(|failure| failure.at(address))?;
    match page.status.as_u16() {
        200 => match (need, &page.rest) {
            (Need::Status, _) | (Need::Body, Rest::None | Rest::Coming) => Ok(page),
            (Need::Body, Rest::Cut) => {
                Err(Failure::new(format!("{address}: {path} is longer than {} MiB", LONGEST_PAGE >> 20)))
            }
            (Need::Body, Rest::Late(limit)) => {
                Err(Failure::silent(format!("{address}: {path} does not come to its end within {limit}")))
            }
            (Need::Body, Rest::Broken(reason)) => {
                Err(Failure::ended(format!("{address}: {path} cannot be read: {reason}")))
            }
        },
        401 => Err(Failure::new(format!("{address}: {path} needs a user and a password (status 401)"))),
        code => Err(Failure::new(format!("{address}: {path} answers with status {code}"))),
    }
}

/// Of a page, in bytes: a large cluster has long ones.
const LONGEST_PAGE: usize = 4 << 20;
