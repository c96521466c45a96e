//! The monitor `impala`: asks an impalad's web UI and its port.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::limit::Limit;
use super::page::Page;
use super::port::{Port, Served};
use super::probe_trait::{Probe, Probing};
use super::stream::{Failure, How};
use super::web_ui::{Need, web_page};
use crate::impala::{Metrics, Role, backend_role};
use crate::model::{ImpalaCheck, ImpalaProtocol, WebUi};
use crate::monitor::assignment::Assignment;
use crate::monitor::outcome::Outcome;
use crate::pool::{Measurement, Verdict};
use crate::words::shown;

/// Asks an impalad's web UI what it is and how busy it is, and then its port whether it answers. A port that is known
/// to be full or to belong to a daemon that drains is left alone.
pub(in crate::monitor) struct ImpalaProbe<'a> {
    check: &'a ImpalaCheck,
    assignment: &'a Assignment,
    port: Port<'a>,
    /// Where the web UI did not answer when it was last asked.
    without_web_ui: BTreeSet<IpAddr>,
}

impl<'a> ImpalaProbe<'a> {
    pub(crate) fn new(check: &'a ImpalaCheck, assignment: &'a Assignment) -> Self {
        Self { check, assignment, port: Port::new(check, assignment), without_web_ui: BTreeSet::new() }
    }

    /// Asks the web UI in half of the limit, and the port in what is left then.
    async fn ask_both(&mut self, address: SocketAddr, limit: Duration) -> Outcome {
        let limit = Limit::new(limit);
        if let Some(web) = &self.check.web {
            match self.ask_web(web, address, limit.within(limit.length() / 2)).await {
                // Whether it drains is not known, so its port must not speak for it.
                Err(failure) if failure.is_not_made() => return failure.into(),
                answered => {
                    if let Some(verdict) = self.note_web_ui(address.ip(), answered) {
                        return Outcome::Reported(verdict);
                    }
                }
            }
        }
        let answered = self.ask_port_and_health(address, limit).await;
        if let (Ok(_), Some(way)) = (&answered, self.port.spoke()) {
            self.assignment.report_transport(way.tls);
        }
        match answered {
            Ok(Served::Draining) => Outcome::Reported(Verdict::Disabled("it says that it is being shut down".into())),
            Ok(Served::Alive) => Outcome::Answers,
            Err(outcome) => outcome,
        }
    }

    /// Asks the port. Of one that takes connections and is silent, the health page tells whether the daemon is well: it
    /// is asked for when a quarter of the time is left, and the port may still answer meanwhile.
    async fn ask_port_and_health(&mut self, address: SocketAddr, limit: Limit) -> Result<Served, Outcome> {
        let (check, assignment) = (self.check, self.assignment);
        let health = async {
            let Some(web) = &check.web else { return std::future::pending().await };
            sleep(limit.left().mul_f64(0.75)).await;
            page(assignment, web, address, ("/healthz", Need::Status), limit).await
        };
        let (mut health, mut healthy) = (pin!(health), None);
        let mut port = pin!(self.port.ask(address, limit));
        let silent = loop {
            tokio::select! {
                biased;
                answered = &mut port => match answered {
                    Ok(served) => return Ok(served),
                    Err(failure) if failure.how == How::Silent => break failure,
                    Err(failure) => return Err(failure.at(address).into()),
                },
                told = &mut health, if healthy.is_none() => healthy = Some(told),
            }
        };
        Err(match healthy {
            Some(Ok(_)) => Outcome::Reported(Verdict::Unavailable(format!(
                "{address}: {}, though /healthz is OK: its service threads are all busy, or the port speaks not as the \
                 monitor expects (ssl, sasl, protocol)",
                silent.reason
            ))),
            Some(Err(failure)) if failure.is_not_made() => failure.into(),
            Some(Err(_)) | None => silent.at(address).into(),
        })
    }

    /// Returns what the web UI says against new connections, if anything. Hands over how busy the daemon is.
    async fn ask_web(&self, web: &WebUi, address: SocketAddr, limit: Limit) -> Result<Option<Verdict>, Failure> {
        let page = async |path| page(self.assignment, web, address, (path, Need::Body), limit).await;
        let mut role =
            Role::parse(&page("/?json").await?.body).ok_or_else(|| Failure::new("its page /?json is not JSON"))?;
        if !role.is_complete() {
            let web_uis = [Some(address.ip().to_string()), self.assignment.hostname.clone()];
            let web_uis: Vec<_> = web_uis.into_iter().flatten().map(|host| format!("{host}:{}", web.port)).collect();
            let listed = page("/backends?json").await?;
            role = backend_role(&listed.body, &web_uis).unwrap_or(role);
        }
        if role.is_coordinator == Some(false) {
            return Ok(Some(Verdict::Down("executor-only: it opens no client ports".into())));
        }
        if role.is_quiescing == Some(true) {
            let status = role.shutdown_status.filter(|status| !status.is_empty());
            let status = status.map(|status| format!(": {}", shown(&status))).unwrap_or_default();
            return Ok(Some(Verdict::Disabled(format!("it shuts down gracefully{status}"))));
        }
        let metrics = Metrics::parse(&page("/jsonmetrics?json").await?.body, self.frontend())
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

    /// Logs when the web UI at an address stops to answer and when it answers again: without it the port alone decides.
    fn note_web_ui(&mut self, address: IpAddr, answered: Result<Option<Verdict>, Failure>) -> Option<Verdict> {
        let Assignment { pool, member, monitor, node, .. } = self.assignment;
        let (monitor, known) = (&monitor.name, node.addresses());
        self.without_web_ui.retain(|other| *other == address || known.contains(other));
        match answered {
            Ok(verdict) => {
                if self.without_web_ui.remove(&address) {
                    tracing::info!(%pool, %member, %monitor, %address, "the web UI answers again");
                }
                verdict
            }
            Err(Failure { reason, .. }) => {
                if self.without_web_ui.insert(address) {
                    tracing::warn!(%pool, %member, %monitor, %reason,
                        "the web UI does not answer, so draining and load are unknown; see web-port, web-ssl and user");
                }
                None
            }
        }
    }

    /// Returns the port's name in metrics.
    fn frontend(&self) -> &'static str {
        match self.port.protocol() {
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

async fn page(
    assignment: &Assignment,
    web: &WebUi,
    address: SocketAddr,
    which: (&str, Need),
    limit: Limit,
) -> Result<Page, Failure> {
    let address = SocketAddr::new(address.ip(), web.port);
    let Assignment { hostname, web_tls, authorization, .. } = assignment;
    web_page(address, hostname.as_deref(), web_tls.as_deref(), authorization.as_ref(), which, limit).await
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
