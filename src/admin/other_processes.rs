//! The processes that drain after they have handed over to this one: what is asked of this one is asked of them as well,
//! each at an admin socket of its own. A process that drains knows of none itself, so that a request goes no further.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Method, Request, StatusCode, Uri, header};
use http_body_util::Empty;
use hyper::body::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::answers::{AskedProcess, ErrorBody};
use super::caller::Caller;
use super::exchange::{NoAnswer, exchange};
use super::forwarded::FORWARDED;
use super::parameters::name_of;
use super::socket_path::draining_path;
use super::state::ApiState;
use crate::control::{DrainingProcess, Handle};
use crate::reading::os_reason;

/// The same request, for the other processes.
pub(super) struct Elsewhere {
    handle: Handle,
    socket: Arc<Path>,
    method: Method,
    uri: Uri,
    /// Who asks, if the request is to be passed on.
    caller: Option<Caller>,
    long_answers: Arc<Semaphore>,
}

/// Long answers, with the permit to keep them in memory.
pub(super) struct LongAnswers<T> {
    pub replies: Vec<Reply<T>>,
    /// To be held for as long as what was answered.
    pub permit: Option<OwnedSemaphorePermit>,
}

/// What another process said.
#[derive(Debug)]
pub(super) struct Reply<T> {
    pub pid: u32,
    /// When it was answered.
    pub at: Instant,
    pub answer: Result<T, Missing>,
}

/// Why there is no answer that could be used.
#[derive(Debug)]
pub(super) enum Missing {
    /// The process knows nothing of what is named.
    Unknown,
    Failed {
        why: String,
        /// All that it last reported.
        connections: Option<u64>,
    },
}

impl FromRequestParts<ApiState> for Elsewhere {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Infallible> {
        let caller = parts.extensions.get::<Caller>().filter(|caller| !caller.is_forwarded);
        Ok(Self {
            handle: state.handle.clone(),
            socket: Arc::clone(&state.socket),
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            caller: caller.cloned(),
            long_answers: Arc::clone(&state.long_answers),
        })
    }
}

impl Elsewhere {
    /// Asks every other process, and returns what each of them said that still runs, the oldest first. It takes some
    /// seconds at most.
    pub(super) async fn ask<T: DeserializeOwned + Send + 'static>(&self) -> Vec<Reply<T>> {
        self.ask_with(&[]).await
    }

    /// Does the same with other values of some parameters, or without them.
    pub(super) async fn ask_with<T>(&self, with: &[(&str, Option<&str>)]) -> Vec<Reply<T>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        replies(self.each(with)).await
    }

    /// Does the same for at most so many rows, of which each process may have many. While too many such answers are being
    /// read, the processes are not asked.
    pub(super) async fn ask_at_length<T>(&self, rows: usize) -> LongAnswers<T>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let all = self.each(&[("limit", Some(&rows.to_string()))]);
        if all.is_empty() {
            return LongAnswers { replies: Vec::new(), permit: None };
        }
        let Ok(Ok(permit)) = timeout(TURN, Arc::clone(&self.long_answers).acquire_owned()).await else {
            let busy = || "too many lists are being read at this moment; ask again later".to_owned();
            let left_out = |asked: Asked| Reply {
                pid: asked.process.facts.pid,
                at: Instant::now(),
                answer: Err(asked.failed(busy())),
            };
            return LongAnswers { replies: all.into_iter().map(left_out).collect(), permit: None };
        };
        LongAnswers { replies: replies(all).await, permit: Some(permit) }
    }

    /// Returns the other processes, each with what it is asked: the same with other values of some parameters.
    fn each(&self, with: &[(&str, Option<&str>)]) -> Vec<Asked> {
        let Some(caller) = &self.caller else { return Vec::new() };
        let asked = |process| Asked {
            handle: self.handle.clone(),
            process,
            socket: Arc::clone(&self.socket),
            method: self.method.clone(),
            uri: self.uri_for(caller, with),
            role: caller.role.as_str(),
        };
        self.handle.draining_processes().into_iter().map(asked).collect()
    }

    /// Returns the address of the request, with who asks and why if it changes something.
    fn uri_for(&self, caller: &Caller, with: &[(&str, Option<&str>)]) -> String {
        let mut with = with.to_vec();
        if self.method != Method::GET {
            with.extend([("by", Some(caller.who.as_str())), ("reason", caller.why.as_deref())]);
        }
        format!("{}?{}", self.uri.path(), query_with(self.uri.query().unwrap_or_default(), &with))
    }
}

impl<T> Reply<T> {
    /// Tells what the process said, with how many connections it has that are meant.
    pub(super) fn told(&self, connections: impl FnOnce(&T) -> Option<usize>) -> AskedProcess {
        let pid = self.pid;
        match &self.answer {
            Ok(answer) => AskedProcess { pid, connections: connections(answer).map(|count| count as u64), error: None },
            Err(Missing::Unknown) => AskedProcess { pid, connections: Some(0), error: None },
            Err(Missing::Failed { why, connections }) => {
                AskedProcess { pid, connections: *connections, error: Some(why.clone()) }
            }
        }
    }
}

/// Returns whether any of them knows what is named.
pub(super) fn is_known<T>(replies: &[Reply<T>]) -> bool {
    replies.iter().any(|reply| reply.answer.is_ok())
}

/// Returns which of them may know what is named and did not say so, in words; empty if none.
pub(super) fn may_be_known<T>(replies: &[Reply<T>]) -> String {
    let silent = |reply: &Reply<T>| match &reply.answer {
        Err(Missing::Failed { why, .. }) => Some(format!("; process {}, which drains, may know it: {why}", reply.pid)),
        Ok(_) | Err(Missing::Unknown) => None,
    };
    replies.iter().filter_map(silent).collect()
}

/// Asks all at once.
async fn replies<T: DeserializeOwned + Send + 'static>(all: Vec<Asked>) -> Vec<Reply<T>> {
    let asking: Vec<_> = all.into_iter().map(|asked| AbortOnDropHandle::new(tokio::spawn(asked.reply()))).collect();
    let mut replies = Vec::new();
    for one in asking {
        // It fails only if the process ends.
        replies.extend(one.await.ok().flatten());
    }
    replies
}

/// One process that is asked.
struct Asked {
    handle: Handle,
    process: DrainingProcess,
    socket: Arc<Path>,
    method: Method,
    uri: String,
    role: &'static str,
}

impl Asked {
    /// Returns what the process says; nothing if it has ended.
    async fn reply<T: DeserializeOwned + Send + 'static>(self) -> Option<Reply<T>> {
        let pid = self.process.facts.pid;
        let silent = self.process.silent_for();
        if let Some(silent) = silent.filter(|_| self.method == Method::GET) {
            // Requests that nobody accepts fill the queue of its socket, which has to have room for changes.
            let why = format!("it hangs: nothing was heard of it for {} s", silent.as_secs());
            return Some(Reply { pid, at: Instant::now(), answer: Err(self.failed(why)) });
        }
        let limit = if silent.is_some() { HANGS } else { LIMIT };
        let answer = match timeout(limit, self.answer()).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("it does not answer within {limit:?}")),
        };
        let answer = match answer {
            Ok((code, body)) => self.read(code, body).await,
            Err(_) if self.has_ended().await => return None,
            Err(why) => Err(self.failed(why)),
        };
        Some(Reply { pid, at: Instant::now(), answer })
    }

    async fn read<T: DeserializeOwned + Send + 'static>(&self, code: StatusCode, body: Bytes) -> Result<T, Missing> {
        let method = self.method.clone();
        // A list may be long.
        let read = spawn_blocking(move || read(&method, code, &body));
        let read = read.await.unwrap_or_else(|_| Err(Some("internal error".to_owned())));
        read.map_err(|why| why.map_or(Missing::Unknown, |why| self.failed(why)))
    }

    fn failed(&self, why: String) -> Missing {
        Missing::Failed { why, connections: self.process.report.as_ref().map(|report| report.connections) }
    }

    async fn answer(&self) -> Result<(StatusCode, Bytes), String> {
        let request = Request::builder()
            .method(self.method.clone())
            .uri(&self.uri)
            .header(header::HOST, "pronk")
            .header(FORWARDED, self.role)
            .body(Empty::new())
            .map_err(|_| "the request cannot be passed on".to_owned())?;
        let answer = exchange(self.connect().await?, request, LONGEST_ANSWER).await;
        answer.map_err(|none| match none {
            NoAnswer::Lost => "it ended the connection before its answer".to_owned(),
            NoAnswer::Foreign => "what answers at its admin socket is no pronk".to_owned(),
            NoAnswer::TooLong => format!("its answer has more than {} MiB", LONGEST_ANSWER >> 20),
        })
    }

    async fn connect(&self) -> Result<UnixStream, String> {
        use std::io::ErrorKind::{ConnectionRefused, NotFound};
        let pid = self.process.facts.pid;
        let path = draining_path(&self.socket, pid);
        loop {
            match UnixStream::connect(&path).await {
                Ok(stream) if stream.peer_cred().is_ok_and(|peer| peer.pid() == i32::try_from(pid).ok()) => {
                    return Ok(stream);
                }
                Ok(_) => return Err(format!("another process answers at {}", path.display())),
                // It makes the socket when it has handed over.
                Err(error) if matches!(error.kind(), NotFound | ConnectionRefused) && self.is_new() => {
                    sleep(AGAIN).await;
                }
                Err(error) => return Err(format!("no connection to {}: {}", path.display(), os_reason(&error))),
            }
        }
    }

    fn is_new(&self) -> bool {
        self.process.since.elapsed() < NEW && self.is_there()
    }

    fn is_there(&self) -> bool {
        self.handle.draining_processes().iter().any(|process| process.facts == self.process.facts)
    }

    /// Returns whether the process has ended, which is known a moment after it cannot be asked any more.
    async fn has_ended(&self) -> bool {
        let ended = async {
            while self.is_there() {
                sleep(AGAIN).await;
            }
        };
        timeout(KNOWN_WITHIN, ended).await.is_ok()
    }
}

/// Returns what is answered.
///
/// # Errors
/// Why nothing is; none where the process knows nothing of what is named.
fn read<T: DeserializeOwned>(method: &Method, code: StatusCode, body: &[u8]) -> Result<T, Option<String>> {
    let of_another_version = || Some("it is of another version".to_owned());
    if code.is_success() {
        return serde_json::from_slice(body).map_err(|_| of_another_version());
    }
    match serde_json::from_slice::<ErrorBody>(body) {
        // It has been asked for nothing.
        Ok(refusal) if refusal.is_of_no_route(method) => Err(of_another_version()),
        Ok(_) if code == StatusCode::NOT_FOUND => Err(None),
        Ok(refusal) => Err(Some(refusal.error)),
        Err(_) => Err(Some(format!("it answers {code}"))),
    }
}

/// Returns the query of a request that is passed on: what was asked, with other values of some parameters, or without
/// them.
fn query_with(asked: &str, with: &[(&str, Option<&str>)]) -> String {
    let is_kept = |pair: &&str| !with.iter().any(|(name, _)| name_of(pair) == *name);
    let kept = asked.split('&').filter(|pair| !pair.is_empty()).filter(is_kept).map(ToOwned::to_owned);
    let value = |(name, value): &(&str, Option<&str>)| {
        value.map(|value| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
    };
    kept.chain(with.iter().filter_map(value)).collect::<Vec<_>>().join("&")
}

/// Within this time a process answers, however busy it is; whoever waits for a drain asks again after five seconds.
const LIMIT: Duration = Duration::from_secs(3);
/// The same of one that has not reported for some seconds, and is to change something.
const HANGS: Duration = Duration::from_millis(500);
/// For so long after an upgrade the old process may have no admin socket of its own yet.
const NEW: Duration = Duration::from_secs(10);
/// Whoever asks for a long answer waits for this time until others have read theirs.
const TURN: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(20);
/// The end of a process is known within this time.
const KNOWN_WITHIN: Duration = Duration::from_millis(500);
/// Bytes of an answer; the longest is that of many connections, and has half of it.
const LONGEST_ANSWER: usize = 32 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::answers::no_route;

    /// A process that drains has the routes of its version.
    #[test]
    fn process_without_the_route_is_told_from_one_that_does_not_know_the_name() {
        let said = |code, error: &str| {
            let body = serde_json::to_vec(&ErrorBody { error: error.to_owned() }).unwrap();
            read::<u64>(&Method::POST, code, &body)
        };
        assert_eq!(said(StatusCode::NOT_FOUND, "there is no node n3; did you mean `n1`?"), Err(None));
        assert_eq!(said(StatusCode::CONFLICT, "not now"), Err(Some("not now".to_owned())));
        let other = Err(Some("it is of another version".to_owned()));
        // In these words by every version.
        let words = "there is no POST /v1/drain; is pronk of another version?";
        for code in [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED] {
            assert_eq!(no_route(code, &Method::POST, "/v1/drain").error, words);
            assert_eq!(said(code, words), other);
        }
        assert_eq!(read::<u64>(&Method::GET, StatusCode::OK, b"{}"), other);
        let foreign = read::<u64>(&Method::GET, StatusCode::NOT_FOUND, b"not found");
        assert_eq!(foreign, Err(Some("it answers 404 Not Found".to_owned())));
    }

    #[test]
    fn parameters_are_replaced_however_they_are_written() {
        let with = [("limit", Some("20")), ("name", Some("a/b c")), ("asked", None)];
        let asked = "?%6Cimit=5&pool=x%26y&&n%61me=q&%61sked=z&limit&+limit=1&limits=2";
        assert_eq!(query_with(&asked[1..], &with), "pool=x%26y&+limit=1&limits=2&limit=20&name=a%2Fb%20c");
        assert_eq!(query_with("", &[]), "");
    }
}
