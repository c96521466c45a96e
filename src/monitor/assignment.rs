//! Which monitor probes which member, and with what.

use std::sync::Arc;
use std::time::Duration;

use hyper::header::HeaderValue;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::outcome::Outcome;
use crate::inventory;
use crate::model::{Host, MemberKey, Monitor, Name, Transport};
use crate::pool::{Contact, Failure, LiveMember, LiveNode, Verdict};
use crate::tls::MemberTls;

/// A member that a monitor watches, and what it needs for that.
#[derive(Debug)]
pub struct Assignment {
    pub pool: Name,
    pub member: MemberKey,
    pub monitor: Arc<Monitor>,
    pub live: Arc<LiveMember>,
    pub node: Arc<LiveNode>,
    /// The node's name in certificates and in `Host` headers.
    pub hostname: Option<String>,
    /// What probes speak to the port, where the monitor asks it something.
    pub transport: Transport<Arc<MemberTls>>,
    /// TLS toward the web UI, where the monitor has it.
    pub web_tls: Option<Arc<MemberTls>>,
    /// The header that lets probes in, where the monitor has credentials.
    pub authorization: Option<HeaderValue>,
    /// The name that a TLS handshake asks for.
    pub server_name: Option<Host>,
    /// Takes the certificates that the member shows.
    pub certificates: Arc<inventory::Inventory>,
    /// Notified when an administrator resumes the member.
    pub resume: Notify,
}

impl Assignment {
    /// Returns whether the other one does exactly the same.
    pub fn is_same(&self, other: &Self) -> bool {
        let same_web_tls = match (&self.web_tls, &other.web_tls) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        self.monitor == other.monitor
            && Arc::ptr_eq(&self.live, &other.live)
            && Arc::ptr_eq(&self.node, &other.node)
            && self.hostname == other.hostname
            && self.transport.is_same(&other.transport)
            && same_web_tls
            && self.authorization == other.authorization
            && self.server_name == other.server_name
    }

    /// Returns how long a probe of the member may take, at all its addresses together.
    pub(super) fn probe_limit(&self) -> Duration {
        self.monitor.probing.interval.min(self.monitor.probing.timeout)
    }

    /// Reports that the member answered in TLS, or in plaintext, if it was asked where clients' connections go.
    pub(super) fn report_transport(&self, tls: bool) {
        let probing = &self.monitor.probing;
        if probing.alias_port.is_none() && probing.alias_address.is_none() {
            self.live.record_transport(tls);
            if !tls {
                self.certificates.record_plaintext(&self.member);
            }
        }
    }

    /// Reports what a probe that `began` then shows of the port that clients use. A member that `was_up` and lets a probe
    /// time out is suspect until it answers.
    pub(super) fn report_contact(&self, outcome: &Outcome, was_up: bool, began: Instant) {
        let Some(contact) = Contact::of_probe(&self.monitor) else { return };
        match outcome {
            Outcome::Answers | Outcome::Reported(Verdict::Up) => {
                self.live.record_answer(contact, Instant::now().into_std());
            }
            Outcome::Silent(reason) if was_up => {
                let reason = format!("monitor {}: {reason}", self.monitor.name);
                let failure = Failure { reason, contact, began: began.into_std() };
                self.live.record_failure(&failure, Instant::now().into_std());
            }
            Outcome::Silent(_) | Outcome::Fails(_) | Outcome::Reported(_) | Outcome::NotMade(_) => {}
        }
    }

    /// Reports what the monitor concludes to the member and then to the log; to the log only what differs in more than
    /// its reason.
    pub(super) fn report(&self, verdict: Verdict, last: &mut Option<&'static str>) {
        self.live.set_verdict(&self.monitor.name, verdict.clone(), Instant::now().into_std());
        let (word, reason) = (verdict.as_str(), verdict.reason());
        if last.replace(word) != Some(word) {
            let (pool, member, monitor) = (&self.pool, &self.member, &self.monitor.name);
            match reason {
                None => tracing::info!(%pool, %member, %monitor, "member is {word}"),
                Some(reason) => tracing::warn!(%pool, %member, %monitor, %reason, "member is {word}"),
            }
        }
    }
}
