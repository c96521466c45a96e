//! The monitors `http` and `https`: asks for a page and judges the answer.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::Empty;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONNECTION, HOST, USER_AGENT};
use regex::bytes::Regex;

use super::limit::Limit;
use super::page::{AGENT, Page, Rest, fetch};
use super::probe_trait::{Probe, Probing};
use super::stream::open;
use crate::model::HttpCheck;
use crate::monitor::assignment::Assignment;
use crate::monitor::outcome::Outcome;
use crate::pool::Verdict;

/// Asks for a page and judges it.
pub(in crate::monitor) struct HttpProbe<'a> {
    check: &'a HttpCheck,
    assignment: &'a Assignment,
    recv: Option<Regex>,
    recv_disable: Option<Regex>,
}

impl<'a> HttpProbe<'a> {
    pub(crate) fn new(check: &'a HttpCheck, assignment: &'a Assignment) -> Self {
        // Patterns are checked with the file.
        let compiled = |pattern: &Option<String>| pattern.as_deref().and_then(|pattern| Regex::new(pattern).ok());
        Self { check, assignment, recv: compiled(&check.recv), recv_disable: compiled(&check.recv_disable) }
    }

    async fn ask(&self, address: SocketAddr, limit: Duration) -> Outcome {
        let request = match self.request(address) {
            Ok(request) => request,
            Err(reason) => return Outcome::Fails(reason),
        };
        let limit = Limit::new(limit);
        let stream = match open(address, self.assignment.transport.tls().first().map(|tls| &**tls), limit).await {
            Ok(stream) => stream,
            Err(failure) => return failure.into(),
        };
        let is_enough = |page: &Page| self.judge(page).is_some();
        match fetch(stream, request, LONGEST, limit, is_enough).await {
            // What came decides, whether or not there was more.
            Ok(page) => self.judge(&page).unwrap_or(Outcome::Answers),
            Err(failure) => failure.into(),
        }
    }

    fn request(&self, address: SocketAddr) -> Result<Request<Empty<Bytes>>, String> {
        let send = &self.check.send;
        if !send.starts_with('/') {
            return whole_request(send);
        }
        let host = self.check.host.clone().or_else(|| self.assignment.hostname.clone());
        let request = Request::get(send)
            .header(HOST, host.unwrap_or_else(|| address.to_string()))
            .header(USER_AGENT, AGENT)
            .header(CONNECTION, "close");
        let request = match &self.assignment.authorization {
            Some(header) => request.header(AUTHORIZATION, header),
            None => request,
        };
        request.body(Empty::new()).map_err(not_a_request)
    }

    /// Returns what a page means; `None` while more of it may come and change that. Without patterns the status is
    /// enough.
    fn judge(&self, page: &Page) -> Option<Outcome> {
        let disables = matches(self.recv_disable.as_ref(), page);
        if disables? {
            return Some(Outcome::Reported(Verdict::Disabled("its answer matches recv-disable".into())));
        }
        let code = page.status.as_u16();
        let ranges = &self.check.status;
        if !ranges.is_empty() && !ranges.iter().any(|(least, most)| (*least..=*most).contains(&code)) {
            return Some(Outcome::Fails(format!("it answers with status {code}")));
        }
        if self.recv.is_none() {
            return Some(Outcome::Answers);
        }
        Some(match (matches(self.recv.as_ref(), page)?, self.check.reverse) {
            (true, true) => Outcome::Fails("its answer matches recv, which is reversed".into()),
            (false, false) => Outcome::Fails(format!("its answer does not match recv{}", so_far(page))),
            (true, false) | (false, true) => Outcome::Answers,
        })
    }
}

/// Returns whether a page matches a pattern; `None` while that depends on what is still to come.
fn matches(pattern: Option<&Regex>, page: &Page) -> Option<bool> {
    let Some(pattern) = pattern else { return Some(false) };
    let mut text = page.text();
    let is_match = pattern.is_match(&text);
    if page.rest != Rest::Coming {
        return Some(is_match);
    }
    // The end of what has come is not the end of the answer, which `$` and the like look for.
    let mut goes_on = |next| {
        text.push(next);
        let is_match = pattern.is_match(&text);
        text.pop();
        is_match
    };
    (is_match && goes_on(b'x') && goes_on(b' ')).then_some(true)
}

/// Returns how much of a page was looked at, in words that follow "does not match recv", unless it was all.
fn so_far(page: &Page) -> String {
    match &page.rest {
        Rest::None | Rest::Coming => String::new(),
        Rest::Cut => format!(" in the first {} KiB", LONGEST >> 10),
        Rest::Late(limit) => format!(" in the {} bytes that came within {limit}", page.body.len()),
        Rest::Broken(reason) => format!(" and breaks off after {} bytes: {reason}", page.body.len()),
    }
}

impl Probe for HttpProbe<'_> {
    fn probe(&mut self, address: SocketAddr, limit: Duration) -> Probing<'_> {
        Box::pin(self.ask(address, limit))
    }
}

/// Returns a request as a `send` string of F5's has it: a line, headers, with `\r\n` written out.
fn whole_request(text: &str) -> Result<Request<Empty<Bytes>>, String> {
    let text = text.replace("\\r", "\r").replace("\\n", "\n");
    let mut lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    let mut line = lines.next().unwrap_or_default().split_whitespace();
    let (method, target) = (line.next().unwrap_or_default(), line.next().unwrap_or("/"));
    let mut request = Request::builder().method(method).uri(target);
    let mut host = false;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        host |= name.eq_ignore_ascii_case("host");
        request = request.header(name.trim(), value.trim());
    }
    if !host {
        // HTTP/1.1 needs one, even an empty one (RFC 9112, section 3.2).
        request = request.header(HOST, "");
    }
    request.body(Empty::new()).map_err(not_a_request)
}

fn not_a_request(error: hyper::http::Error) -> String {
    let what = if error.is::<hyper::http::method::InvalidMethod>() {
        "its method"
    } else if error.is::<hyper::http::uri::InvalidUri>() || error.is::<hyper::http::uri::InvalidUriParts>() {
        "its path"
    } else {
        "the name or the value of a header"
    };
    format!("`send` is no request: {what} has characters that HTTP does not allow there")
}

/// How much of a page's body is looked at, in bytes.
const LONGEST: usize = 64 << 10;
