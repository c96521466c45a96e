//! Asking an impalad's port, in the way in which it speaks: with or without TLS, with or without SASL.

use std::net::SocketAddr;
use std::sync::Arc;

use super::limit::Limit;
use super::stream::{Failure, How, exchange, open};
use crate::impala::{Answer, Question};
use crate::model::{ImpalaCheck, ImpalaProtocol, PortSsl, Transport};
use crate::monitor::assignment::Assignment;
use crate::tls::MemberTls;

/// A port of an impalad. What it spoke when it last answered is tried first.
pub(in crate::monitor) struct Port<'a> {
    /// Not `auto`.
    protocol: ImpalaProtocol,
    sasl: Option<bool>,
    transport: &'a Transport<Arc<MemberTls>>,
    /// The monitor that asks, if one does.
    asked_by: Option<(&'a ImpalaCheck, &'a Assignment)>,
    spoke: Option<Way>,
}

/// A way to ask a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::monitor) struct Way {
    pub tls: bool,
    pub sasl: bool,
}

/// A port that serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::monitor) enum Served {
    Alive,
    /// It says that its daemon is being shut down.
    Draining,
}

impl<'a> Port<'a> {
    /// The port that a monitor asks.
    pub(super) fn new(check: &'a ImpalaCheck, assignment: &'a Assignment) -> Self {
        let port = assignment.monitor.probing.alias_port.unwrap_or(assignment.member.port);
        let asked_by = Some((check, assignment));
        Self { sasl: check.sasl, asked_by, ..Self::of(protocol_of(check.protocol, port), &assignment.transport) }
    }

    /// A port that speaks `protocol` and is asked by no monitor.
    pub(in crate::monitor) fn of(protocol: ImpalaProtocol, transport: &'a Transport<Arc<MemberTls>>) -> Self {
        Self { protocol, sasl: None, transport, asked_by: None, spoke: None }
    }

    /// Returns in which way the port answered last.
    pub(in crate::monitor) fn spoke(&self) -> Option<Way> {
        self.spoke
    }

    /// Asks the port, and at once in another way if it ends the connection as a port does that speaks otherwise. The
    /// ways that an earlier one has ruled out are left out.
    pub(in crate::monitor) async fn ask(&mut self, address: SocketAddr, limit: Limit) -> Result<Served, Failure> {
        let mut speaks_tls = None;
        let mut failed: Option<(Way, Failure)> = None;
        for way in self.ways() {
            if speaks_tls.is_some_and(|tls| tls != way.tls) {
                continue;
            }
            let failure = match self.ask_in(way, address, limit).await {
                Ok(served) => {
                    self.spoke = Some(way);
                    return Ok(served);
                }
                Err(failure) if failure.is_not_made() => return Err(failure),
                Err(failure) => failure,
            };
            let how = failure.how;
            // The first failure tells most, unless it was to be asked in TLS.
            if failed.as_ref().is_none_or(|(first, _)| way.tls && !first.tls && how != How::NotTls) {
                failed = Some((way, failure));
            }
            match how {
                How::NotTls => speaks_tls = Some(false),
                How::Tls => speaks_tls = Some(true),
                How::Ended if way.tls => speaks_tls = Some(true),
                // It may expect TLS or SASL.
                How::Ended => {}
                // It may wait for the rest of what it takes for a message, so the next probe begins with the question
                // that any port answers.
                How::Silent => {
                    self.spoke = None;
                    break;
                }
                How::NotMade | How::Refused | How::Unreached | How::Other => break,
            }
        }
        Err(match failed {
            Some((way, failure)) => self.explain(way, failure),
            None => Failure::new("there is no way to ask it"),
        })
    }

    /// Returns the ways in which the port may be asked, the likeliest first.
    fn ways(&self) -> Vec<Way> {
        let sasl = if self.protocol == ImpalaProtocol::Hs2Http { Some(false) } else { self.sasl };
        let may_be = |way: &Way| self.transport.allows(way.tls) && sasl.is_none_or(|sasl| sasl == way.sasl);
        let others = WAYS.into_iter().filter(|way| may_be(way) && self.spoke != Some(*way));
        self.spoke.into_iter().chain(others).collect()
    }

    async fn ask_in(&self, way: Way, address: SocketAddr, limit: Limit) -> Result<Served, Failure> {
        let question = self.question(way.sasl);
        if !way.tls {
            return put(question, address, None, limit).await;
        }
        let mut served = Served::Alive;
        let profiles = self.transport.tls();
        for tls in profiles {
            served = put(question, address, Some(tls), limit).await.map_err(|failure| match profiles.len() {
                ..=1 => failure,
                _ => {
                    Failure { reason: format!("{} (server-ssl profile {})", failure.reason, tls.profile()), ..failure }
                }
            })?;
            if served == Served::Draining {
                break;
            }
        }
        Ok(served)
    }

    fn question(&self, sasl: bool) -> Question {
        match (self.protocol, sasl) {
            (ImpalaProtocol::Hs2Http, _) => Question::HttpOptions,
            (_, true) => Question::SaslStart,
            (ImpalaProtocol::Beeswax, false) => Question::BeeswaxPing,
            (ImpalaProtocol::Hs2 | ImpalaProtocol::Auto, false) => Question::Hs2Info,
        }
    }

    pub(super) fn protocol(&self) -> ImpalaProtocol {
        self.protocol
    }

    /// Adds why a port with TLS was asked in plaintext. Most TLS libraries close the connection then, and say nothing.
    fn explain(&self, way: Way, failure: Failure) -> Failure {
        let in_plaintext = !way.tls && matches!(self.transport, Transport::Plaintext);
        let Some((check, _)) = self.asked_by.filter(|_| in_plaintext) else { return failure };
        let why = match check.ssl {
            PortSsl::Off => "the monitor has `ssl: false`",
            PortSsl::Auto { .. } | PortSsl::On { .. } | PortSsl::Profile(_) => {
                "its virtual servers speak plaintext to it, as they have no server-ssl"
            }
        };
        match failure.how {
            How::Tls => Failure { reason: format!("{}, and {why}", failure.reason), ..failure },
            How::Ended => Failure { reason: format!("{}; if it speaks TLS: {why}", failure.reason), ..failure },
            _ => failure,
        }
    }
}

/// Returns what a port speaks, `auto` resolved by Impala's default ports.
pub(in crate::monitor) fn protocol_of(protocol: ImpalaProtocol, port: u16) -> ImpalaProtocol {
    match protocol {
        ImpalaProtocol::Auto => ImpalaProtocol::of_usual_port(port).unwrap_or(ImpalaProtocol::Hs2),
        told => told,
    }
}

/// Puts one question over a connection of its own.
async fn put(
    question: Question,
    address: SocketAddr,
    tls: Option<&MemberTls>,
    limit: Limit,
) -> Result<Served, Failure> {
    let stream = open(address, tls, limit).await?;
    let is_whole = |bytes: &[u8]| match question.answer(bytes) {
        Answer::Incomplete => None,
        whole => Some(whole),
    };
    match exchange(stream, question.bytes(), LONGEST_ANSWER, is_whole, limit).await? {
        // Without an end it is longer than any answer needs to be, and right as far as it was read.
        Some(Answer::Alive | Answer::Incomplete) | None => Ok(Served::Alive),
        Some(Answer::Draining) => Ok(Served::Draining),
        Some(Answer::Tls) => Err(Failure { how: How::Tls, ..Failure::new("it speaks TLS") }),
        Some(Answer::Foreign(what)) => Err(Failure::ended(format!("it {what}"))),
    }
}

/// All ways to ask, each before those that a port might meet with silence if it speaks another. A ClientHello is the
/// beginning of a long message to a port without TLS and SASL. A SASL message is too short for some TLS libraries to
/// tell that it is none of theirs, and to a port without SASL it is a beginning as well.
const WAYS: [Way; 4] = [
    Way { tls: false, sasl: false },
    Way { tls: true, sasl: false },
    Way { tls: true, sasl: true },
    Way { tls: false, sasl: true },
];
/// Of what a port answers, in bytes.
const LONGEST_ANSWER: usize = 64 << 10;
