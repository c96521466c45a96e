//! The gate before every route: who may ask for what, how often, and what the audit log is told.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;

use super::answers::{Refusal, refused};
use super::asked::Asked;
use super::caller::{Caller, Peer, who};
use super::forwarded;
use super::route::{Access, Route};
use crate::access::{AddressBudget, Role, Verdict};
use crate::audit::{Outcome, Record};
use crate::control::Handle;

/// The gate before every route.
pub(super) struct Gate {
    rules: HashMap<&'static str, Vec<(Method, Rule)>>,
    handle: Handle,
    failed_logins: Mutex<AddressBudget>,
    requests: Mutex<AddressBudget>,
}

/// Who may ask for something, and whether that changes anything.
#[derive(Clone, Copy, Debug)]
struct Rule {
    access: Access,
    writes: bool,
}

/// Why somebody is not let in.
struct Denial {
    refusal: Refusal,
    who: String,
    role: Option<Role>,
    /// When to try again.
    wait: Option<Duration>,
}

impl Gate {
    pub(super) fn new(routes: &[Route], handle: Handle) -> Self {
        let mut rules: HashMap<_, Vec<_>> = HashMap::new();
        for route in routes {
            let rule = Rule { access: route.access, writes: route.writes() };
            rules.entry(route.path).or_default().push((route.method.clone(), rule));
        }
        let (burst, every) = FAILED_LOGINS;
        let failed_logins = Mutex::new(AddressBudget::new(burst, every));
        let (burst, every) = REQUESTS;
        Self { rules, handle, failed_logins, requests: Mutex::new(AddressBudget::new(burst, every)) }
    }

    /// Returns the rule of a request. Whoever may see something may know what there is not.
    fn rule(&self, asked: &Asked) -> Rule {
        let method = if asked.method == Method::HEAD { &Method::GET } else { &asked.method };
        let rules = self.rules.get(asked.path.as_str()).map(Vec::as_slice).unwrap_or_default();
        let rule = rules.iter().find(|(of, _)| of == method).map(|(_, rule)| *rule);
        rule.unwrap_or(Rule { access: Access::Role(Role::Viewer), writes: false })
    }

    /// Decides whether a request is let in, and as whose.
    fn admit(&self, peer: Peer, rule: Rule, asked: &Asked, headers: &HeaderMap) -> Result<Caller, Denial> {
        let caller = match peer {
            Peer::Socket { uid } => {
                let known = uid.map_or_else(|| "unknown user".to_owned(), |uid| format!("uid {uid}"));
                let is_forwarded = forwarded::says_so(headers);
                if is_forwarded && self.handle.handed_over().borrow().is_none() {
                    let error = "only a process that has handed over is asked by another one";
                    return Err(Denial {
                        refusal: refused(StatusCode::FORBIDDEN, error),
                        who: known,
                        role: None,
                        wait: None,
                    });
                }
                let (who, role) = match (forwarded::role(headers, uid), &asked.by) {
                    // The other process says who it is.
                    (Some(role), Some(who)) => (who.clone(), role),
                    _ => (who(asked.by.as_deref(), &known), Role::Admin),
                };
                Caller { who, role, why: asked.reason.clone(), is_forwarded }
            }
            Peer::Network { address } => self.admit_from_network(address.ip(), rule, asked, headers)?,
        };
        match asked.check() {
            Ok(()) => Ok(caller),
            Err(refusal) => Err(Denial { refusal, who: caller.who, role: Some(caller.role), wait: None }),
        }
    }

    fn admit_from_network(
        &self,
        address: IpAddr,
        rule: Rule,
        asked: &Asked,
        headers: &HeaderMap,
    ) -> Result<Caller, Denial> {
        let now = Instant::now();
        let denial = |code, error: String| Denial {
            refusal: refused(code, error),
            who: "unknown".to_owned(),
            role: None,
            wait: None,
        };
        let wait = |wait, what: &str| {
            let error = format!("too many {what} from this address; try again in {} s", seconds(wait));
            Denial { wait: Some(wait), ..denial(StatusCode::TOO_MANY_REQUESTS, error) }
        };
        let mut requests = self.requests.lock();
        let left = requests.wait(address, now);
        if left.is_none() {
            requests.spend(address, now);
        }
        drop(requests);
        if let Some(left) = left {
            return Err(wait(left, "requests"));
        }
        let Some(api) = self.handle.network_api() else {
            let error = "the admin API is not served over the network since the last reload";
            return Err(denial(StatusCode::SERVICE_UNAVAILABLE, error.to_owned()));
        };
        let is_free = match rule.access {
            Access::Anyone => true,
            Access::Metrics => api.config.metrics_without_token,
            Access::Role(_) => false,
        };
        if is_free {
            let who = "anyone".to_owned();
            return Ok(Caller { who, role: Role::Viewer, why: None, is_forwarded: false });
        }
        // Before the token is looked at, so that nobody learns whether it is right.
        let left = self.failed_logins.lock().wait(address, now);
        if let Some(left) = left {
            return Err(wait(left, "failed logins"));
        }
        let Some(presented) = bearer(headers) else {
            let error = "this needs a token: `Authorization: Bearer TOKEN`; `pronk admin token create` makes one";
            return Err(denial(StatusCode::UNAUTHORIZED, error.to_owned()));
        };
        let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64);
        let token = match api.tokens.verify(presented, time) {
            Verdict::Valid(token) => token,
            Verdict::Expired(token) => {
                let error = format!("the token `{}` has expired; make another one", token.name);
                return Err(Denial { who: format!("token {}", token.name), ..denial(StatusCode::UNAUTHORIZED, error) });
            }
            Verdict::Unknown => {
                self.failed_logins.lock().spend(address, now);
                let error = "this token is not known here; `pronk reload` takes in what changed in the tokens file";
                return Err(denial(StatusCode::UNAUTHORIZED, error.to_owned()));
            }
        };
        let known = format!("token {}", token.name);
        let needed = match rule.access {
            Access::Role(role) => role,
            Access::Anyone | Access::Metrics => Role::Viewer,
        };
        let forbidden = |error: String| Denial {
            who: known.clone(),
            role: Some(token.role),
            ..denial(StatusCode::FORBIDDEN, error)
        };
        if token.role < needed {
            let (what, needed, has) = (asked.what(), needed.as_str(), token.role.as_str());
            return Err(forbidden(format!("{what} needs the role {needed}, and the token `{}` has {has}", token.name)));
        }
        if rule.writes && headers.contains_key(header::ORIGIN) {
            return Err(forbidden("changes are not taken from web pages (the request has an Origin)".to_owned()));
        }
        let who = who(asked.by.as_deref(), &known);
        Ok(Caller { who, role: token.role, why: asked.reason.clone(), is_forwarded: false })
    }
}

/// Lets a request through to its route, or refuses it.
pub(super) async fn pass(
    State(gate): State<Arc<Gate>>,
    Extension(peer): Extension<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let asked = Asked::take(&mut request);
    let rule = gate.rule(&asked);
    let mut response = match gate.admit(peer, rule, &asked, request.headers()) {
        Ok(caller) => {
            request.extensions_mut().insert(caller.clone());
            if rule.writes { change(gate, peer, caller, asked, request, next).await } else { next.run(request).await }
        }
        Err(denial) => deny(&gate, peer, rule, asked, denial),
    };
    protect(response.headers_mut());
    response
}

/// Carries out a change to its end, whether its caller waits or not, and records what came of it.
async fn change(gate: Arc<Gate>, peer: Peer, caller: Caller, asked: Asked, request: Request, next: Next) -> Response {
    let failed =
        || refused(StatusCode::INTERNAL_SERVER_ERROR, "internal error, which the log tells of").into_response();
    let recorded = tokio::spawn(async move {
        // A task of its own, so that a panic is recorded, too.
        let response = tokio::spawn(next.run(request)).await.unwrap_or_else(|_| failed());
        let record = Record::new(&caller.who, peer.source(), &asked.what()).role(Some(caller.role.as_str()));
        gate.handle.audit().record(ended(record.asked(asked.parameters, caller.why), &response));
        response
    });
    recorded.await.unwrap_or_else(|_| failed())
}

fn deny(gate: &Gate, peer: Peer, rule: Rule, asked: Asked, denial: Denial) -> Response {
    let Denial { refusal, who, role, wait } = denial;
    let code = refusal.code;
    let mut response = refusal.into_response();
    if let Some(wait) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, seconds(wait).into());
    }
    if code == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"pronk\""));
    }
    let is_login = matches!(code, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS);
    if rule.writes || is_login {
        let record = Record::new(&who, peer.source(), &asked.what()).role(role.map(Role::as_str));
        gate.handle.audit().record_refusal(ended(record.asked(asked.parameters, asked.reason), &response));
    }
    response
}

fn ended(record: Record, response: &Response) -> Record {
    let status = response.status();
    let outcome = match status {
        status if status.is_server_error() => Outcome::Failed,
        status if status.is_client_error() => Outcome::Refused,
        _ => Outcome::Done,
    };
    let error = response.extensions().get::<Refusal>().map(|refusal| refusal.error.as_str());
    record.ended(outcome, error).status(status.as_u16())
}

/// Keeps browsers and caches from doing anything with an answer.
fn protect(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// Returns the token that a request presents.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Returns the whole seconds after which a time is over.
fn seconds(time: Duration) -> u64 {
    time.as_millis().div_ceil(1000).max(1) as u64
}

/// Failed logins of an address: ten at once, and then ten a minute.
const FAILED_LOGINS: (u32, Duration) = (10, Duration::from_secs(6));
/// Requests of an address: so many at once, and then fifty a second.
const REQUESTS: (u32, Duration) = (200, Duration::from_millis(20));
