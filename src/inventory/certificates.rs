//! The inventory of certificates in use: kept, linted when something changes and every hour, and logged.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use super::examine::{Examined, KnownCertificate, examine};
use super::reported_findings::ReportedFindings;
use super::state::{Seen, State};
use super::{CertificateSummary, CertificateView, Chain, Snapshot, StaleView, Targets};
use crate::lint::{Finding, Severity};
use crate::model::{MemberKey, Name};

/// What is known of the certificates in use.
#[derive(Debug, Default)]
pub struct Inventory {
    state: Mutex<State>,
    known: Mutex<Vec<KnownCertificate>>,
    wake: Notify,
}

impl Inventory {
    /// Replaces what is in force: the targets, the folder of the certificate store, what client-ssl profiles serve, and
    /// the profiles whose files cannot be used, each with the reason.
    pub fn update(
        &self,
        targets: Targets,
        store: PathBuf,
        served: HashMap<Name, Vec<Chain>>,
        stale: HashMap<Name, String>,
    ) {
        let mut state = self.state();
        let before = std::mem::take(&mut *state);
        let (mut shown, mut plaintext) = (before.shown, before.plaintext);
        let is_target = |key: &MemberKey| targets.members.iter().any(|member| member.key == *key);
        shown.retain(|key, _| is_target(key));
        plaintext.retain(is_target);
        *state = State { targets: Arc::new(targets), store, served, shown, plaintext, stale };
        drop(state);
        self.wake.notify_one();
    }

    /// Records the chain that a member has shown.
    pub fn record(&self, member: &MemberKey, chain: Chain) {
        if chain.is_empty() {
            return;
        }
        let at = Instant::now();
        let mut state = self.state();
        state.plaintext.remove(member);
        let same = match state.shown.get_mut(member) {
            Some(seen) if *seen.chain == chain => {
                seen.at = at;
                true
            }
            _ => false,
        };
        if !same {
            state.shown.insert(member.clone(), Seen { chain: Arc::new(chain), at });
            drop(state);
            self.wake.notify_one();
        }
    }

    /// Records that a member answered in plaintext.
    pub fn record_plaintext(&self, member: &MemberKey) {
        let mut state = self.state();
        if !state.plaintext.contains(member) {
            state.plaintext.insert(member.clone());
        }
    }

    /// Returns everything that is known, with times as of this call.
    pub fn snapshot(&self) -> Snapshot {
        let (now, state) = (now(), self.state().clone());
        let known = self.known.lock();
        let certificates = known.iter().map(|certificate| {
            let seen = certificate.member.as_ref().and_then(|member| state.shown.get(member));
            CertificateView {
                seconds_left: certificate.view.not_after.map(|end| end - now),
                seen_seconds_ago: seen.map(|seen| seen.at.elapsed().as_secs()),
                stale: certificate.view.profile.as_deref().and_then(|profile| state.stale.get(profile)).cloned(),
                ..certificate.view.clone()
            }
        });
        let stale =
            |(profile, reason): (&Name, &String)| StaleView { profile: profile.to_string(), reason: reason.clone() };
        let mut snapshot = Snapshot {
            certificates: certificates.collect(),
            stale: state.stale.iter().map(stale).collect(),
            unwatched: state.unwatched().map(ToString::to_string).collect(),
            nameless: state.nameless().map(ToString::to_string).collect(),
        };
        snapshot.stale.sort_by(|a, b| a.profile.cmp(&b.profile));
        snapshot
    }

    /// Returns when each certificate ends, and how much is found in it.
    pub fn summaries(&self) -> Vec<CertificateSummary> {
        let of_view = |view: &CertificateView| CertificateSummary {
            source: view.source.clone(),
            kind: view.kind.clone(),
            profile: view.profile.clone().unwrap_or_default(),
            not_after: view.not_after,
            findings: [view.errors, view.warnings, view.infos],
        };
        self.known.lock().iter().map(|certificate| of_view(&certificate.view)).collect()
    }

    /// Returns how many profiles go on with their last good files.
    pub fn stale_profiles(&self) -> usize {
        self.state().stale.len()
    }

    /// Examines everything, whenever something changes and every hour.
    pub async fn run(&self) -> Infallible {
        let mut reported = ReportedFindings::default();
        loop {
            self.wake_or(EVERY).await;
            let state = self.state().clone();
            match tokio::task::spawn_blocking(move || examine(&state, now())).await {
                Ok(Examined { certificates, findings }) => {
                    *self.known.lock() = certificates;
                    log(&mut reported, &findings);
                }
                Err(error) => tracing::error!(%error, "cannot examine the certificates in use"),
            }
        }
    }

    async fn wake_or(&self, limit: Duration) {
        // Woken or not, it is time.
        let _ = tokio::time::timeout(limit, self.wake.notified()).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

fn log(reported: &mut ReportedFindings, findings: &[Finding]) {
    let (new, resolved) = reported.update(findings, now());
    for finding in new {
        let (check, source, remedy) = (finding.check.id, finding.origin.to_string(), finding.check.remedy);
        match finding.severity {
            Severity::Info => tracing::info!(check, source, "{}", finding.message),
            _ => tracing::warn!(check, source, remedy, "{}", finding.message),
        }
    }
    for finding in resolved {
        tracing::info!(check = finding.check, source = finding.source, was = finding.message, "no longer found");
    }
}

/// Returns the seconds since 1970.
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs() as i64)
}

/// How often expiry is checked when nothing changed.
const EVERY: Duration = Duration::from_secs(3600);
