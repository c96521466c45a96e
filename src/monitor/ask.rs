//! Asking once, for commands: a port in whichever way it speaks, a member as one of its monitors does, and a login.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::assignment::Assignment;
use super::kind::Method;
use super::member_probe::MemberProbe;
use super::outcome::Outcome;
use super::probe::{Failure, How, Limit, Port, Served, exchange, open, protocol_of};
use crate::impala::{SaslMessage, sasl_begin};
use crate::model::{ImpalaProtocol, Transport};
use crate::pool::Verdict;
use crate::tls::MemberTls;

/// What a port answered to a question that needs no credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortAnswer {
    pub protocol: ImpalaProtocol,
    pub tls: bool,
    pub sasl: bool,
    /// It says that its daemon is being shut down.
    pub is_draining: bool,
}

/// Why a port gave no answer that an impalad gives.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NoAnswer {
    pub reason: String,
    pub how: How,
}

impl From<Failure> for NoAnswer {
    fn from(failure: Failure) -> Self {
        Self { reason: failure.reason, how: failure.how }
    }
}

/// Asks a port in each way that `transport` allows, with and without SASL, until it answers. A port of an unusual number
/// whose protocol is not known is asked as HiveServer2, and soon over HTTP too: either meets the other's question with
/// silence.
///
/// # Errors
/// The failure that tells most.
pub async fn ask_port(
    address: SocketAddr,
    protocol: ImpalaProtocol,
    transport: &Transport<Arc<MemberTls>>,
    limit: Duration,
) -> Result<PortAnswer, NoAnswer> {
    let likeliest = protocol_of(protocol, address.port());
    let is_told = protocol != ImpalaProtocol::Auto || likeliest != ImpalaProtocol::Hs2 || address.port() == HS2_PORT;
    let mut likely = pin!(ask_as(address, likeliest, transport, limit));
    if is_told {
        return likely.await;
    }
    let mut http = pin!(async {
        sleep(SOON).await;
        ask_as(address, ImpalaProtocol::Hs2Http, transport, limit).await
    });
    tokio::select! {
        biased;
        answer = &mut likely => match answer {
            Err(failure) if matches!(failure.how, How::Ended | How::Silent | How::Other) => {
                http.await.map_err(|_| failure)
            }
            answer => answer,
        },
        answer = &mut http => if answer.is_ok() { answer } else { likely.await },
    }
}

async fn ask_as(
    address: SocketAddr,
    protocol: ImpalaProtocol,
    transport: &Transport<Arc<MemberTls>>,
    limit: Duration,
) -> Result<PortAnswer, NoAnswer> {
    let mut port = Port::of(protocol, transport);
    let served = port.ask(address, Limit::new(limit)).await?;
    let (tls, sasl) = port.spoke().map_or((false, false), |way| (way.tls, way.sasl));
    Ok(PortAnswer { protocol, tls, sasl, is_draining: served == Served::Draining })
}

/// Probes a member once as its monitor does, at whichever of its addresses answers. `None` for a monitor that asks
/// nothing.
pub async fn probe_once(assignment: &Assignment) -> Option<Result<(), String>> {
    let Method::Active(probe) = Method::of(assignment) else { return None };
    Some(match MemberProbe::new(assignment, probe).probe(None).await {
        Outcome::Answers | Outcome::Reported(Verdict::Up) => Ok(()),
        Outcome::Fails(reason) | Outcome::Silent(reason) | Outcome::NotMade(reason) => Err(reason),
        Outcome::Reported(verdict) => Err(verdict.reason().unwrap_or(verdict.as_str()).to_owned()),
    })
}

/// Begins a SASL login with a mechanism and its first response. Returns what the port answers to that.
///
/// # Errors
/// It answers no SASL message.
pub async fn sasl_login(
    address: SocketAddr,
    tls: Option<&MemberTls>,
    mechanism: &str,
    response: &[u8],
    limit: Duration,
) -> Result<SaslMessage, NoAnswer> {
    let limit = Limit::new(limit);
    let stream = open(address, tls, limit).await?;
    let question = sasl_begin(mechanism, response);
    let answer = exchange(stream, &question, LONGEST_MESSAGE, SaslMessage::read, limit).await?;
    answer.flatten().ok_or_else(|| Failure::ended("it answers something that is not SASL".to_owned()).into())
}

const HS2_PORT: u16 = 21050;
/// After which an impalad would have answered the right question.
const SOON: Duration = Duration::from_millis(300);
const LONGEST_MESSAGE: usize = 64 << 10;
