//! What a monitor does to find out whether a member serves. Every probe ends within its limit, reads a bounded amount,
//! speaks at once on a connection that it opens, and closes it when it has its answer.

mod connect;
mod http;
mod icmp;
mod impala;
mod page;
mod stream;
mod tls;

use std::net::SocketAddr;
use std::time::Duration;

pub(super) use connect::refusal;
pub use icmp::ping_refused;
pub(super) use impala::web_page;
pub(super) use stream::Failure;

use super::assignment::Assignment;
use super::outcome::Outcome;
use crate::model::MonitorKind;
use http::HttpProbe;
use icmp::Pinger;
use impala::ImpalaProbe;

/// Probes one member, and remembers from probe to probe what helps the next.
pub(super) struct Prober<'a> {
    act: Act<'a>,
    limit: Duration,
}

enum Act<'a> {
    Tcp,
    Tls(&'a Assignment),
    HalfOpen,
    Gateway,
    Icmp(Pinger),
    Http(Box<HttpProbe<'a>>),
    Impala(Box<ImpalaProbe<'a>>),
    /// Nothing to do: an inband monitor listens.
    None,
}

impl<'a> Prober<'a> {
    pub fn new(assignment: &'a Assignment) -> Self {
        let act = match &assignment.monitor.kind {
            MonitorKind::Tcp => Act::Tcp,
            MonitorKind::Tls => Act::Tls(assignment),
            MonitorKind::TcpHalfOpen => Act::HalfOpen,
            MonitorKind::Gateway => Act::Gateway,
            MonitorKind::GatewayIcmp => Act::Icmp(Pinger::default()),
            MonitorKind::Http(check) => Act::Http(Box::new(HttpProbe::new(check, assignment))),
            MonitorKind::Impala(check) => Act::Impala(Box::new(ImpalaProbe::new(check, assignment))),
            MonitorKind::Inband(_) => Act::None,
        };
        Self { act, limit: assignment.monitor.interval.min(assignment.monitor.timeout) }
    }

    pub async fn probe(&mut self, address: SocketAddr) -> Outcome {
        match &mut self.act {
            Act::Tcp => connect::tcp(address, self.limit).await,
            Act::Tls(assignment) => Box::pin(tls::tls(assignment, address, self.limit)).await,
            Act::HalfOpen => connect::half_open(address, self.limit).await,
            Act::Gateway => connect::gateway(address, self.limit).await,
            Act::Icmp(pinger) => pinger.ping(address.ip(), self.limit).await,
            Act::Http(probe) => probe.probe(address, self.limit).await,
            // Boxed: it is several exchanges long.
            Act::Impala(probe) => Box::pin(probe.probe(address, self.limit)).await,
            Act::None => Outcome::Answers,
        }
    }
}

#[cfg(test)]
mod tests;
