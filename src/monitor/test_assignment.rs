//! An assignment for tests: a member under a monitor of type tcp without jitter.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::assignment::Assignment;
use crate::model::{MemberKey, Monitor, MonitorKind, Name, Transport};

pub(super) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Returns a member without an address, under a monitor with these times.
pub(super) fn test_assignment(interval: Duration, timeout: Duration) -> Assignment {
    let mut monitor = Monitor::new(Name::from("m"), MonitorKind::Tcp, interval, timeout);
    monitor.probing.jitter = false;
    Assignment {
        pool: Name::from("p"),
        member: MemberKey { node: Name::from("n"), port: 21050 },
        monitor: Arc::new(monitor),
        live: Arc::default(),
        node: Arc::default(),
        hostname: None,
        transport: Transport::Plaintext,
        web_tls: None,
        authorization: None,
        server_name: None,
        certificates: Arc::default(),
        resume: Notify::default(),
    }
}
