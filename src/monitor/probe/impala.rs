//! The monitor `impala`: asks an impalad's web UI and its port.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::page::Page;
use super::probe_trait::{Probe, Probing};
use super::stream::{Failure, How, exchange, open};
use super::web_ui::web_page;
use crate::impala::{Answer, Metrics, Question, Role, backend_role};
use crate::model::{ImpalaCheck, ImpalaProtocol, WebUi};
use crate::monitor::assignment::Assignment;
use crate::monitor::outcome::Outcome;
use crate::pool::{Measurement, Verdict};

/// Asks an impalad's web UI what it is and how busy it is, and then its port whether it answers. A port that is known
/// to be full or to belong to a daemon that drains is left alone.
pub(in crate::monitor) struct ImpalaProbe<'a> {
    check: &'a ImpalaCheck,
    assignment: &'a Assignment,
    /// Whether the port spoke SASL when it last answered.
    sasl: bool,
    /// Why the web UI last failed to answer.
    web_failure: Option<String>,
}

impl<'a> ImpalaProbe<'a> {
    pub(crate) fn new(check: &'a ImpalaCheck, assignment: &'a Assignment) -> Self {
        Self { check, assignment, sasl: false, web_failure: None }
    }

    async fn ask_both(&mut self, address: SocketAddr, limit: Duration) -> Outcome {
        if let Some(web) = &self.check.web {
            match self.ask_web(web, address, limit / 3).await {
                // Whether it drains is not known, so its port must not speak for it.
                Err(failure) if failure.is_not_made() => return failure.into(),
                answered => {
                    if let Some(verdict) = self.note_web_ui(answered) {
                        return Outcome::Reported(verdict);
                    }
                }
            }
        }
        match self.ask_port(address, limit).await {
            Ok(Answer::Draining) => Outcome::Reported(Verdict::Disabled("it says that it is being shut down".into())),
            Ok(Answer::Foreign(what)) => Outcome::Fails(format!("{address} {what}")),
            Ok(Answer::Alive | Answer::Incomplete) => Outcome::Answers,
            Err(failure) if failure.how == How::Silent => self.judge_silence(failure, address, limit / 3).await,
            Err(failure) => failure.at(address).into(),
        }
    }

    /// Returns what a port means that takes connections and is silent.
    async fn judge_silence(&self, silent: Failure, address: SocketAddr, limit: Duration) -> Outcome {
        let Some(web) = &self.check.web else { return silent.at(address).into() };
        match self.page(web, address, "/healthz", limit).await {
            Ok(_) => Outcome::Reported(Verdict::Unavailable(format!(
                "{address}: {}, though /healthz is OK: its service threads are all busy, or the port speaks not as the \
                 monitor expects (ssl, sasl, protocol)",
                silent.reason
            ))),
            Err(failure) if failure.is_not_made() => failure.into(),
            Err(_) => silent.at(address).into(),
        }
    }

    /// Returns what the web UI says against new connections, if anything. Hands over how busy the daemon is.
    async fn ask_web(&self, web: &WebUi, address: SocketAddr, limit: Duration) -> Result<Option<Verdict>, Failure> {
        let page = self.page(web, address, "/?json", limit).await?;
        let mut role = Role::parse(&page.body).ok_or_else(|| Failure::new("its page /?json is not JSON"))?;
        if !role.is_complete() {
            let web_uis = [Some(address.ip().to_string()), self.assignment.hostname.clone()];
            let web_uis: Vec<_> = web_uis.into_iter().flatten().map(|host| format!("{host}:{}", web.port)).collect();
            let listed = self.page(web, address, "/backends?json", limit).await?;
            role = backend_role(&listed.body, &web_uis).unwrap_or(role);
        }
        if role.is_coordinator == Some(false) {
            return Ok(Some(Verdict::Down("executor-only: it opens no client ports".into())));
        }
        if role.is_quiescing == Some(true) {
            let status = role.shutdown_status.filter(|status| !status.is_empty());
            let status = status.map(|status| format!(": {status}")).unwrap_or_default();
            return Ok(Some(Verdict::Disabled(format!("it shuts down gracefully{status}"))));
        }
        let page = self.page(web, address, "/jsonmetrics?json", limit).await?;
        let metrics = Metrics::parse(&page.body, self.frontend())
            .ok_or_else(|| Failure::new("its page /jsonmetrics?json is not JSON"))?;
        let good_for = self.assignment.monitor.probing.timeout;
        let threads = u64::from(self.check.service_threads);
        let measured = measurement(metrics, good_for, self.assignment.node.connections.total());
        self.assignment.live.set_measurement(Measurement { service_threads: Some(threads), ..measured });
        Ok(metrics
            .connections_in_use
            .filter(|used| *used >= threads)
            .map(|used| Verdict::Unavailable(format!("{used} connections use all of its {threads} service threads"))))
    }

    /// Logs when the web UI stops to answer and when it answers again: without it the port alone decides.
    fn note_web_ui(&mut self, answered: Result<Option<Verdict>, Failure>) -> Option<Verdict> {
        let (pool, member, monitor) = (&self.assignment.pool, &self.assignment.member, &self.assignment.monitor.name);
        match answered {
            Ok(verdict) => {
                if self.web_failure.take().is_some() {
                    tracing::info!(%pool, %member, %monitor, "the web UI answers again");
                }
                verdict
            }
            Err(Failure { reason, .. }) => {
                if self.web_failure.is_none() {
                    tracing::warn!(%pool, %member, %monitor, %reason,
                        "the web UI does not answer, so draining and load are unknown; see web-port, web-ssl and user");
                }
                self.web_failure = Some(reason);
                None
            }
        }
    }

    async fn page(&self, web: &WebUi, address: SocketAddr, path: &str, limit: Duration) -> Result<Page, Failure> {
        let address = SocketAddr::new(address.ip(), web.port);
        let (host, tls) = (self.assignment.hostname.as_deref(), self.assignment.web_tls.as_deref());
        web_page(address, host, tls, self.assignment.authorization.as_ref(), path, limit).await
    }

    /// Asks the port. Where SASL is to be found out, a port that ends the connection is asked the other way at once.
    async fn ask_port(&mut self, address: SocketAddr, limit: Duration) -> Result<Answer, Failure> {
        let sasl = self.check.sasl.unwrap_or(self.sasl);
        let first = self.ask(self.question(sasl), address, limit).await;
        if self.check.sasl.is_some() || self.protocol() == ImpalaProtocol::Hs2Http {
            return first;
        }
        if matches!(&first, Err(failure) if failure.how == How::Silent) {
            // A port without SASL waits for ever on a SASL message, so the next question is one that both answer.
            self.sasl = false;
        }
        let refused = match &first {
            Ok(Answer::Foreign(_)) => true,
            Ok(_) => false,
            Err(failure) => failure.how == How::Ended,
        };
        if !refused {
            return first;
        }
        match self.ask(self.question(!sasl), address, limit).await {
            Ok(answer @ (Answer::Alive | Answer::Draining)) => {
                self.sasl = !sasl;
                Ok(answer)
            }
            Err(failure) if failure.is_not_made() => Err(failure),
            Ok(_) | Err(_) => first,
        }
    }

    async fn ask(&self, question: Question, address: SocketAddr, limit: Duration) -> Result<Answer, Failure> {
        let stream = open(address, self.assignment.tls.as_deref(), limit).await?;
        let is_whole = |bytes: &[u8]| match question.answer(bytes) {
            Answer::Incomplete => None,
            whole => Some(whole),
        };
        exchange(stream, question.bytes(), LONGEST_ANSWER, is_whole, limit).await
    }

    fn question(&self, sasl: bool) -> Question {
        match (self.protocol(), sasl) {
            (ImpalaProtocol::Hs2Http, _) => Question::HttpOptions,
            (_, true) => Question::SaslStart,
            (ImpalaProtocol::Beeswax, false) => Question::BeeswaxPing,
            (ImpalaProtocol::Hs2 | ImpalaProtocol::Auto, false) => Question::Hs2Info,
        }
    }

    /// Returns what the port speaks, `auto` resolved by Impala's default ports.
    fn protocol(&self) -> ImpalaProtocol {
        let port = self.assignment.monitor.probing.alias_port.unwrap_or(self.assignment.member.port);
        match (self.check.protocol, port) {
            (ImpalaProtocol::Auto, 21000) => ImpalaProtocol::Beeswax,
            (ImpalaProtocol::Auto, 28000) => ImpalaProtocol::Hs2Http,
            (ImpalaProtocol::Auto, _) => ImpalaProtocol::Hs2,
            (protocol, _) => protocol,
        }
    }

    /// Returns the port's name in metrics.
    fn frontend(&self) -> &'static str {
        match self.protocol() {
            ImpalaProtocol::Beeswax => "beeswax",
            ImpalaProtocol::Hs2Http => "hiveserver2-http",
            ImpalaProtocol::Hs2 | ImpalaProtocol::Auto => "hiveserver2",
        }
    }
}

impl Probe for ImpalaProbe<'_> {
    fn probe(&mut self, address: SocketAddr, limit: Duration) -> Probing<'_> {
        Box::pin(self.ask_both(address, limit))
    }
}

fn measurement(metrics: Metrics, good_for: Duration, connections_got: u64) -> Measurement {
    Measurement {
        taken: Instant::now(),
        good_for,
        connections_got,
        queries_registered: metrics.queries_registered,
        connections_in_use: metrics.connections_in_use,
        service_threads: None,
        setup_queue: metrics.setup_queue,
        admission_queued: metrics.admission_queued,
        memory_fraction: metrics.memory_fraction,
    }
}

/// Of what a port answers, in bytes.
const LONGEST_ANSWER: usize = 64 << 10;
