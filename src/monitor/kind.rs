//! What each kind of monitor does. A new kind is one line here and one file in `probe/`.

use super::assignment::Assignment;
use super::probe::{Gateway, HalfOpen, HttpProbe, ImpalaProbe, Pinger, Probe, Tcp, TlsProbe};
use crate::model::{Inband, MonitorKind};

/// How a monitor finds out whether a member serves.
pub(super) enum Method<'a> {
    /// Asks the member itself, again and again.
    Active(Box<dyn Probe + 'a>),
    /// Counts how clients' own connections to the member go.
    Inband(Inband),
}

impl<'a> Method<'a> {
    pub(super) fn of(assignment: &'a Assignment) -> Self {
        Self::Active(match &assignment.monitor.kind {
            MonitorKind::Tcp => Box::new(Tcp),
            MonitorKind::Tls => Box::new(TlsProbe::new(assignment)),
            MonitorKind::TcpHalfOpen => Box::new(HalfOpen),
            MonitorKind::Gateway => Box::new(Gateway),
            MonitorKind::GatewayIcmp => Box::new(Pinger::default()),
            MonitorKind::Http(check) => Box::new(HttpProbe::new(check, assignment)),
            MonitorKind::Impala(check) => Box::new(ImpalaProbe::new(check, assignment)),
            MonitorKind::Inband(config) => return Self::Inband(*config),
        })
    }
}
