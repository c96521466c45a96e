//! What a request asks for, as the audit log has it: its parameters, who it says that it is from, and why.

use std::collections::BTreeMap;

use axum::extract::{Query, Request};
use axum::http::uri::PathAndQuery;
use axum::http::{Method, StatusCode, Uri, header};

use super::answers::{Refusal, refused};
use super::forwarded;
use super::parameters::name_of;
use crate::words::bounded;

/// What a request asks for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub method: Method,
    pub path: String,
    pub parameters: BTreeMap<String, String>,
    /// Who it says that it is from.
    pub by: Option<String>,
    pub reason: Option<String>,
    /// Why it is not understood.
    wrong: Option<Refusal>,
}

impl Asked {
    /// Takes what is not for the route itself out of a request: `by` and `reason` of a change.
    pub(super) fn take(request: &mut Request) -> Self {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let mut asked = Self {
            wrong: wrong_with(request).err(),
            path: uri.path().to_owned(),
            parameters: BTreeMap::new(),
            by: None,
            reason: None,
            method,
        };
        if asked.wrong.is_none() && asked.changes() {
            match Query::<Vec<(String, String)>>::try_from_uri(&uri) {
                Ok(Query(pairs)) => asked.read(pairs, forwarded::says_so(request.headers())),
                Err(_) => asked.wrong = Some(refused(StatusCode::BAD_REQUEST, "the query is not of names and values")),
            }
            if let Some(rest) = without_who_and_why(&uri) {
                *request.uri_mut() = rest;
            }
        }
        asked
    }

    fn read(&mut self, pairs: Vec<(String, String)>, is_forwarded: bool) {
        let most_of_name = if is_forwarded { LONGEST_FORWARDED } else { LONGEST_NAME };
        for (name, value) in pairs {
            match name.as_str() {
                "by" if value.chars().count() > most_of_name => self.refuse(&name, most_of_name),
                // They are shown on terminals.
                "by" | "reason" if value.chars().any(char::is_control) => {
                    let error = format!("`{name}` has a control character, such as a line break; leave it out");
                    self.wrong = Some(refused(StatusCode::BAD_REQUEST, error));
                }
                "by" => self.by = Some(value),
                "reason" if value.chars().count() > LONGEST_REASON => self.refuse(&name, LONGEST_REASON),
                "reason" => self.reason = Some(value).filter(|reason| !reason.is_empty()),
                _ => drop(self.parameters.insert(bounded(&name).into_owned(), bounded(&value).into_owned())),
            }
        }
    }

    fn refuse(&mut self, name: &str, most: usize) {
        self.wrong = Some(refused(StatusCode::BAD_REQUEST, format!("`{name}` has {most} letters at most")));
    }

    fn changes(&self) -> bool {
        !matches!(self.method, Method::GET | Method::HEAD)
    }

    /// Returns the method and the path, such as `POST /v1/reload`.
    pub(super) fn what(&self) -> String {
        format!("{} {}", self.method, bounded(&self.path))
    }

    /// Refuses what no route understands.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        self.wrong.clone().map_or(Ok(()), Err)
    }
}

/// Refuses a query that is too long, and a body: what it says would not be done.
fn wrong_with(request: &Request) -> Result<(), Refusal> {
    let length = request.uri().query().map_or(0, str::len);
    if length > LONGEST_QUERY {
        let error = format!("the query has {length} bytes, and at most {LONGEST_QUERY} are read");
        return Err(refused(StatusCode::URI_TOO_LONG, error));
    }
    let headers = request.headers();
    let has_length = headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0");
    if has_length || headers.contains_key(header::TRANSFER_ENCODING) {
        let error = "a request has no body; write its parameters into the query, as in ?name=value";
        return Err(refused(StatusCode::BAD_REQUEST, error));
    }
    Ok(())
}

/// Returns the address without who asks and why; `None` where it has neither.
fn without_who_and_why(uri: &Uri) -> Option<Uri> {
    let is_own = |pair: &&str| !matches!(name_of(pair).as_str(), "by" | "reason");
    let query = uri.query()?;
    let rest = query.split('&').filter(is_own).collect::<Vec<_>>().join("&");
    if rest == query {
        return None;
    }
    let path = PathAndQuery::try_from(format!("{}?{rest}", uri.path())).ok()?;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).ok()
}

/// Bytes of a query: a few names of at most 255 letters, and a reason, whose letters may have four bytes that are encoded
/// with three each.
const LONGEST_QUERY: usize = 16_000;
/// Letters of a reason, and of the name of who asks.
pub(super) const LONGEST_REASON: usize = 1000;
pub(super) const LONGEST_NAME: usize = 100;
/// Letters of the name of who asks with that of the token, as another process passes it on.
const LONGEST_FORWARDED: usize = 500;

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn request(method: &str, uri: &str) -> Request {
        Request::builder().method(method).uri(uri).body(Body::empty()).unwrap()
    }

    #[test]
    fn who_and_why_are_taken_out_of_a_change() {
        let mut change = request("POST", "/v1/x?by=al%20ice&name=a%26b&reason=new+disk&all=true");
        let asked = Asked::take(&mut change);
        assert_eq!((asked.by.as_deref(), asked.reason.as_deref()), (Some("al ice"), Some("new disk")));
        assert_eq!(change.uri(), "/v1/x?name=a%26b&all=true");
        assert_eq!(asked.parameters["name"], "a&b");
        let mut otherwise = request("POST", "/v1/x?%62y=alice&re%61son=x&name=a");
        assert_eq!(Asked::take(&mut otherwise).by.as_deref(), Some("alice"));
        assert_eq!(otherwise.uri(), "/v1/x?name=a", "however it is written");
        let mut shown = request("GET", "/v1/x?by=alice");
        assert_eq!(Asked::take(&mut shown).by, None);
        assert_eq!(shown.uri(), "/v1/x?by=alice", "a route without such a parameter refuses it");
    }

    #[test]
    fn what_no_route_reads_is_refused() {
        let with = |name, value: &str| {
            let mut it = request("POST", "/v1/x");
            it.headers_mut().insert(name, value.parse().unwrap());
            Asked::take(&mut it).check().map_err(|refusal| refusal.code)
        };
        assert_eq!(with(header::CONTENT_LENGTH, "0"), Ok(()));
        assert_eq!(with(header::CONTENT_LENGTH, "2"), Err(StatusCode::BAD_REQUEST));
        assert_eq!(with(header::TRANSFER_ENCODING, "chunked"), Err(StatusCode::BAD_REQUEST));
        let long = |name: &str, length| {
            let mut it = request("POST", &format!("/v1/x?{name}={}", "x".repeat(length)));
            Asked::take(&mut it).check().map_err(|refusal| refusal.code)
        };
        assert_eq!(long("name", 16_000), Err(StatusCode::URI_TOO_LONG));
        assert_eq!((long("reason", 1000), long("reason", 1001)), (Ok(()), Err(StatusCode::BAD_REQUEST)));
        assert_eq!((long("by", 100), long("by", 101)), (Ok(()), Err(StatusCode::BAD_REQUEST)));
    }
}
