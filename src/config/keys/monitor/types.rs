//! Every type of monitor.

use super::common::{ProbingKeys, ReadMonitor};
use super::http::HttpsKeys;
use super::impala::ImpalaKeys;
use super::inband::InbandKeys;
use super::{connect, http, impala, inband};
use crate::config::keys::setting::{Facts, Setting};
use crate::config::keys::typed::Type;
use crate::model::{Monitor, MonitorKind};

/// Every type of monitor.
pub(in crate::config) const MONITORS: &[&Type<ReadMonitor>] = &[
    &connect::TCP,
    &connect::TLS,
    &connect::TCP_HALF_OPEN,
    &http::HTTP,
    &http::HTTPS,
    &impala::IMPALA,
    &inband::INBAND,
    &connect::GATEWAY,
    &connect::GATEWAY_ICMP,
];

/// Returns what a monitor says, type by type.
pub(in crate::config) fn monitor_facts(monitor: &Monitor) -> Facts {
    let mut facts = vec![("type", monitor.kind.as_str().to_owned())];
    ProbingKeys.facts(&monitor.probing, &mut facts);
    match &monitor.kind {
        MonitorKind::Tcp
        | MonitorKind::Tls
        | MonitorKind::TcpHalfOpen
        | MonitorKind::Gateway
        | MonitorKind::GatewayIcmp => {}
        MonitorKind::Http(check) => HttpsKeys.facts(check, &mut facts),
        MonitorKind::Inband(inband) => InbandKeys.facts(inband, &mut facts),
        MonitorKind::Impala(check) => ImpalaKeys.facts(check, &mut facts),
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys::monitor::common::WORDS;

    #[test]
    fn words_are_those_of_the_types() {
        assert!(MONITORS.iter().map(|it| it.word).eq(WORDS.iter().copied()));
    }
}
