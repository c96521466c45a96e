//! Examining every certificate in use. Reads files and computes, so it must not run on an async worker.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::state::State;
use super::view::CertificateView;
use super::{chains, profile_files, trust};
use crate::lint::report::FindingView;
use crate::lint::{Finding, Linter, Located, Origin, PortFailure, Role, Subject, Trust, WeakKeys, port_failure};
use crate::model::profile::{CertKey, Certificate, TrustAnchors};
use crate::model::{Host, MemberKey};

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Examined {
    pub(super) certificates: Vec<KnownCertificate>,
    /// Each once.
    pub(super) findings: Vec<Finding>,
}

/// A certificate and what is known of it.
#[derive(Debug)]
pub(super) struct KnownCertificate {
    pub(super) view: CertificateView,
    pub(super) member: Option<MemberKey>,
    subjects: Vec<Subject>,
}

/// Lints everything at `now` (seconds since 1970).
pub(super) fn examine(state: &State, now: i64) -> Examined {
    let mut trusts = Trusts::default();
    let mut examined = Examined::default();
    front_ends(state, &mut examined.certificates);
    members(state, &mut trusts, &mut examined);
    examined.certificates.extend(state.targets.spare.iter().filter_map(|name| spare(name, &state.store)));

    let linter = Linter { levels: state.targets.levels.clone(), ..Linter::new(now, nobody(), WeakKeys::installed()) };
    peers(state, &linter, &mut examined);
    let subjects: Vec<_> = examined.certificates.iter().flat_map(|it| it.subjects.iter().cloned()).collect();
    let found = linter.lint(&subjects).findings;
    let examined_ports = std::mem::take(&mut examined.findings);
    examined.findings = linter.judge(examined_ports).findings;
    for certificate in &mut examined.certificates {
        certificate.take(&found);
    }
    examined.findings.extend(found);
    examined
}

fn front_ends(state: &State, certificates: &mut Vec<KnownCertificate>) {
    for target in &state.targets.profiles {
        let profile = &target.profile;
        let chains = state.served.get(&profile.name).map(Vec::as_slice).unwrap_or_default();
        let located: Vec<_> = profile
            .cert_key_chain
            .iter()
            .zip(chains)
            .map(|(source, chain)| {
                chains::located(chain, &profile_files::certificate_paths(source, &state.store))
                    .map_err(|error| tracing::warn!(profile = %profile.name, %error, "cannot look at a certificate"))
                    .unwrap_or_default()
            })
            .collect();
        let roles = target.roles(&located.iter().map(Vec::as_slice).collect::<Vec<_>>());
        for (chain, role) in located.into_iter().zip(roles) {
            let Some(mut known) = KnownCertificate::new("front-end", &chain, vec![(role, None)]) else { continue };
            known.view.profile = Some(profile.name.to_string());
            known.view.virtual_servers = target.virtual_servers.iter().map(ToString::to_string).collect();
            certificates.push(known);
        }
    }
}

fn members(state: &State, trusts: &mut Trusts, examined: &mut Examined) {
    for target in &state.targets.members {
        let expected: Vec<_> =
            target.expectations.iter().map(|it| (it.role.clone(), trusts.of(it.trust.as_ref()))).collect();
        let Some(seen) = state.shown.get(&target.key) else { continue };
        let address = target.key.to_string();
        let known = match chains::shown(&address, &seen.chain) {
            Ok(chain) => KnownCertificate::new("member", &chain, expected),
            Err(error) => {
                let reason = format!("shows a certificate that cannot be decoded: {error}");
                let finding = port_failure(PortFailure::Ended, &address, &reason, "a certificate that can be decoded");
                let mut known =
                    KnownCertificate { view: CertificateView::default(), member: None, subjects: Vec::new() };
                known.view = CertificateView { source: address, kind: "member".into(), ..known.view };
                known.note(&finding);
                examined.findings.push(finding);
                Some(known)
            }
        };
        if let Some(mut known) = known {
            known.member = Some(target.key.clone());
            known.view.virtual_servers = target.virtual_servers.iter().map(ToString::to_string).collect();
            examined.certificates.push(known);
        }
    }
}

/// Examines what profiles verify their peers against. Each revocation list that decides is a row.
fn peers(state: &State, linter: &Linter, examined: &mut Examined) {
    for profile in &state.targets.peers {
        let name = profile.name();
        let files = match profile.files() {
            Ok(files) => files,
            Err(error) => {
                tracing::warn!(profile = %name, %error, "cannot look at authorities or revocation lists");
                continue;
            }
        };
        let found = files.lint(linter.now, linter.expiry_days).into_iter().map(|(_, finding)| finding);
        let findings: Vec<_> = found.collect();
        let judged = linter.judge(findings.clone()).findings;
        for list in files.current_lists(linter.now) {
            let view = CertificateView {
                source: list.origin.source(),
                kind: "revocation-list".into(),
                profile: Some(name.to_string()),
                issuer: Some(list.issuer),
                not_after: Some(list.next_update),
                ..CertificateView::default()
            };
            let mut known = KnownCertificate { view, member: None, subjects: Vec::new() };
            judged.iter().filter(|finding| finding.origin == list.origin).for_each(|finding| known.note(finding));
            examined.certificates.push(known);
        }
        examined.findings.extend(findings);
    }
}

fn spare(name: &str, store: &Path) -> Option<KnownCertificate> {
    let source = CertKey { certificate: Certificate::Store(name.into()), passphrase: None, sni_default: false };
    // Nothing uses it, so one that cannot be read is merely left out of the table.
    let found = chains::read(&source, store)
        .map_err(|error| tracing::debug!(%error, "cannot read an entry of the certificate store"))
        .ok()?;
    KnownCertificate::new("spare", &found.chain, vec![(Role::default(), None)])
}

impl KnownCertificate {
    fn new(kind: &str, chain: &[Located], expected: Vec<(Role, Option<Trust>)>) -> Option<Self> {
        let mut subjects = Vec::new();
        for (role, trust) in expected {
            let mut subject = Subject::new(chain.to_vec(), None, role)?;
            // Whom clients trust is not known, so unknown issuers are not reported.
            subject.trust = trust.or_else(|| Some(nobody()));
            subjects.push(subject);
        }
        let first = subjects.first()?;
        let leaf = first.leaf();
        let dns = leaf.names.dns.iter().map(|name| name.escape_debug().to_string());
        let mut missing = Vec::new();
        for name in subjects.iter().flat_map(missing_names).map(ToString::to_string) {
            if !missing.contains(&name) {
                missing.push(name);
            }
        }
        let view = CertificateView {
            source: first.source(),
            kind: kind.into(),
            subject: Some(leaf.title()),
            issuer: Some(leaf.issuer.clone()),
            fingerprint: Some(leaf.fingerprint()),
            not_after: Some(leaf.not_after),
            names: dns.chain(leaf.names.ip.iter().map(ToString::to_string)).collect(),
            chain_length: chain.len(),
            missing_names: missing,
            ..CertificateView::default()
        };
        Some(Self { view, member: None, subjects })
    }

    /// Takes what was found in its chain.
    fn take(&mut self, findings: &[Finding]) {
        let mine: Vec<_> = findings.iter().filter(|finding| self.has(&finding.origin)).collect();
        for finding in mine {
            self.note(finding);
        }
    }

    fn has(&self, origin: &Origin) -> bool {
        self.subjects.iter().flat_map(Subject::chain).any(|it| it.origin == *origin)
    }

    fn note(&mut self, finding: &Finding) {
        let finding = FindingView::from(finding);
        // What is found in one certificate for two virtual servers is one finding.
        if self.view.findings.contains(&finding) {
            return;
        }
        match finding.severity.as_str() {
            "error" => self.view.errors += 1,
            "warning" => self.view.warnings += 1,
            _ => self.view.infos += 1,
        }
        self.view.findings.push(finding);
        let rank = |it: &FindingView| SEVERITIES.iter().position(|severity| *severity == it.severity);
        self.view.findings.sort_by_key(rank);
    }
}

fn missing_names(subject: &Subject) -> impl Iterator<Item = &Host> {
    let names = &subject.leaf().names;
    subject.role.front_ends.iter().chain(&subject.role.node).filter(|host| !names.cover(host))
}

fn nobody() -> Trust {
    Trust { anchors: Arc::from([]), given: false }
}

/// Authorities, each file read once.
#[derive(Default)]
struct Trusts(HashMap<String, Option<Trust>>);

impl Trusts {
    fn of(&mut self, anchors: Option<&TrustAnchors>) -> Option<Trust> {
        let anchors = anchors?;
        let read = || {
            trust::trust(anchors)
                .map_err(|error| tracing::warn!(%error, "cannot look at the authorities of a server-ssl profile"))
                .ok()
        };
        self.0.entry(format!("{anchors:?}")).or_insert_with(read).clone()
    }
}

const SEVERITIES: [&str; 3] = ["error", "warning", "info"];
