//! The linter over every chain that was shown, each for what its mode makes of it.

use std::sync::Arc;

use rustls_pki_types::CertificateDer;

use super::answers::Answers;
use super::check::Check;
use super::scope::Scope;
use crate::inventory::{Chain, Targets, chains, trust};
use crate::lint::{Finding, Findings, Linter, Role, Severity, Subject, Trust, Use, WeakKeys};
use crate::model::profile::TrustAnchors;
use crate::model::{Host, Mode};
use crate::tls::FetchError;

pub(super) fn verify(scope: &Scope, answers: &Answers) -> Vec<Check> {
    let mut shown = Shown::default();
    for virtual_server in &scope.virtual_servers {
        // What members show to clients is linted with the members.
        let of_members = virtual_server.mode() == Mode::Passthrough && !virtual_server.pool.members.is_empty();
        let Some(seen) = answers.front_ends.get(&virtual_server.name) else { continue };
        // A virtual server that does not answer is told already.
        let is_news = |chain: &&Result<_, _>| chain.is_ok() || seen.port.is_ok();
        let Some(chain) = seen.chain.as_ref().filter(is_news).filter(|_| !of_members) else { continue };
        let front_ends: Vec<_> =
            virtual_server.hostname.as_deref().and_then(|it| Host::parse(it).ok()).into_iter().collect();
        let host = front_ends.first().map_or_else(|| seen.address.ip().to_string(), ToString::to_string);
        let at = format!("{host}:{}", seen.address.port());
        let usage = if virtual_server.mode() == Mode::Passthrough { Use::Passthrough } else { Use::FrontEnd };
        shown.add(&at, chain, [(Role { usage, front_ends, node: None }, None)]);
    }
    for target in &Targets::of(&scope.loaded.model, &[]).members {
        let Some(seen) = answers.members.get(&target.key) else { continue };
        let Some(chain) = &seen.chain else { continue };
        let trusted = |anchors: &TrustAnchors| trust::trust(anchors).ok();
        let roles = target.expectations.iter().map(|it| (it.role.clone(), it.trust.as_ref().and_then(trusted)));
        shown.add(&target.key.to_string(), chain, roles);
    }
    let findings = linter(scope, &shown).lint(&shown.subjects);
    let mut checks = shown.checks;
    checks.extend(refused_handshakes(answers, &findings));
    for check in findings.findings.iter().filter_map(judge) {
        // A daemon shows one certificate on all its ports.
        match checks.iter_mut().find(|it| (it.id, &it.message) == (check.id, &check.message)) {
            Some(known) if known.about.split(", ").count() < MOST_PORTS => known.about += &format!(", {}", check.about),
            Some(_) => {}
            None => checks.push(check),
        }
    }
    if checks.is_empty() && !shown.subjects.is_empty() {
        let count = shown.subjects.len();
        checks.push(Check::ok("certificates", "all of them", format!("{count} chains have nothing that clients mind")));
    }
    checks
}

fn linter(scope: &Scope, shown: &Shown) -> Linter {
    let given = !scope.authorities.is_empty();
    let mut anchors = scope.authorities.clone();
    if !given {
        anchors.extend(trust::system().iter().cloned());
        anchors.extend(shown.anchors.iter().cloned());
    }
    let trust = Trust { given, anchors: Arc::from(anchors) };
    Linter { levels: scope.levels.clone(), ..Linter::new(scope.now, trust, WeakKeys::default()) }
}

/// The chains that were shown.
#[derive(Default)]
struct Shown {
    subjects: Vec<Subject>,
    /// Authorities that profiles name.
    anchors: Vec<CertificateDer<'static>>,
    checks: Vec<Check>,
}

impl Shown {
    fn add(
        &mut self,
        at: &str,
        chain: &Result<Chain, FetchError>,
        roles: impl IntoIterator<Item = (Role, Option<Trust>)>,
    ) {
        let chain = match chain.as_ref().map(|chain| chains::shown(at, chain)) {
            Ok(Ok(chain)) => chain,
            Ok(Err(reason)) => {
                let remedy = "replace the certificate";
                return self.checks.push(Check::failed("certificate-unreadable", at, reason.to_string(), remedy));
            }
            Err(reason) => {
                let remedy = "see what the server logs of it, and whether the port speaks TLS";
                return self.checks.push(Check::failed("no-certificate", at, reason.to_string(), remedy));
            }
        };
        for (role, trust) in roles {
            self.anchors.extend(trust.iter().flat_map(|trust| trust.anchors.iter().cloned()));
            let Some(mut subject) = Subject::new(chain.clone(), None, role) else { continue };
            subject.trust = trust;
            self.subjects.push(subject);
        }
    }
}

/// Returns the handshakes that a server-ssl profile refuses for what no finding of the linter tells.
fn refused_handshakes(answers: &Answers, findings: &Findings) -> Vec<Check> {
    let told = |at: &str| findings.findings.iter().any(|it| it.severity == Severity::Error && it.origin.source() == at);
    let of_member = answers.members.iter().filter(|(key, _)| !told(&key.to_string()));
    let failed = of_member.flat_map(|(key, seen)| seen.handshakes.iter().map(move |(name, made)| (key, name, made)));
    let check = |(key, name, made): (_, _, &Result<_, crate::monitor::NoAnswer>)| {
        let failure = made.as_ref().err()?;
        Some(Check::failed(
            "member-handshake",
            key,
            format!("the server-ssl profile of virtual server {name}: {}", failure.reason),
            "correct the profile (ca-file, authenticate-name), the node's `hostname`, or the member's certificate",
        ))
    };
    failed.filter_map(check).collect()
}

/// Returns what a finding comes to. What is only worth knowing is left to `pronk lint`.
fn judge(finding: &Finding) -> Option<Check> {
    let about = finding.origin.source();
    let message = match finding.clients.as_str() {
        "" => finding.message.clone(),
        clients => format!("{} ({clients})", finding.message),
    };
    // Whether it is an intermediate or a root that is missing, a chain does not tell.
    let or = if finding.check.id == MISSING_ISSUER {
        "; or have its authority trusted: `ca-file` of the server-ssl profile toward members, the truststore of clients \
         (--ca-file here)"
    } else {
        ""
    };
    let remedy = format!("{}{or}; more: pronk lint --explain {}", finding.remedy, finding.check.id);
    match finding.severity {
        Severity::Error => Some(Check::failed(finding.check.id, about, message, remedy)),
        Severity::Warning => Some(Check::warning(finding.check.id, about, message, remedy)),
        Severity::Info => None,
    }
}

const MISSING_ISSUER: &str = "chain-missing-intermediate";
/// That are named with one finding.
const MOST_PORTS: usize = 6;
