//! Everything that a configuration file has to do with certificates.

use super::collected::Collected;
use super::port::Port;
use super::question::{Answers, Questions, ask};
use crate::cert::entry;
use crate::config::{Loaded, Severity};
use crate::inventory::targets::{MemberTarget, ProfileTarget, nameless};
use crate::inventory::{Targets, chains, trust};
use crate::lint::{Role, Subject, Trust, Use};
use crate::model::Name;
use crate::model::profile::{CertKey, Certificate, TrustAnchors};
use crate::tls::FetchError;

/// Collects everything that a configuration has to do with certificates: those that pronk serves and those in reserve
/// from their files, those of members as their ports show them, each by the rule of the virtual servers that it serves,
/// and what is wrong at `now` with authorities and revocation lists of profiles.
///
/// # Errors
/// The system gives no means to connect.
pub(in crate::cli::lint) fn from_config(loaded: &Loaded, now: i64, expiry_days: u32) -> anyhow::Result<Collected> {
    let store = &loaded.model.certificate_store;
    let targets = Targets::of(&loaded.model, &entry::entries(store));
    let mut collected = Collected::default();
    targets.profiles.iter().for_each(|target| collected.add_profile(target, loaded));

    let questions = targets.members.iter().map(|target| Questions {
        port: port(target),
        address: target.key.to_string(),
        roles: target
            .expectations
            .iter()
            .map(|it| (it.role.clone(), it.trust.as_ref().and_then(|anchors| collected.trust(anchors))))
            .collect(),
        expected: expected(target),
    });
    let answers = ask(questions.collect())?;
    let without_tls = without_tls(&targets.members, &answers);
    for (target, answers) in targets.members.iter().zip(answers) {
        let is_meant = target.virtual_servers.iter().all(|name| without_tls.contains(name));
        if !(is_meant && answers.all_are(is_plaintext)) {
            answers.add_to(&mut collected);
        }
    }
    for profile in &targets.peers {
        match profile.files() {
            Ok(files) => {
                let found = files.lint(now, expiry_days).into_iter().map(|(_, finding)| finding);
                collected.findings.extend(found);
            }
            Err(error) => collected.unreadable.push(error),
        }
    }
    for name in &targets.spare {
        let source = CertKey { certificate: Certificate::Store(name.clone()), passphrase: None, sni_default: false };
        match chains::read(&source, store) {
            Ok(found) => {
                let authorities = found.chain.iter().map(|it| &it.certificate).filter(|it| it.is_authority());
                collected.anchors.extend(authorities.map(|authority| authority.der.clone()));
                collected.subjects.extend(Subject::new(found.chain, found.key, Role::default()));
            }
            Err(error) => collected.unreadable.push(error),
        }
    }
    for name in targets.plain.iter().chain(&without_tls) {
        let message = format!(
            "virtual server `{name}` is plain: it has no TLS, and neither have its members, so there are no certificates"
        );
        let help = "for TLS to clients write `client-ssl`, or give the impalads a certificate".to_owned();
        collected.note(loaded, name, message, help);
    }
    for name in targets.nameless.iter().filter(|name| !without_tls.contains(name)) {
        let (message, help) = nameless(name);
        collected.note(loaded, name, message, help.to_owned());
    }
    Ok(collected)
}

impl Collected {
    /// Adds a note on a virtual server, at its place in the file.
    fn note(&mut self, loaded: &Loaded, name: &Name, message: String, help: String) {
        let mut note = loaded.diagnose(&["virtual-servers", name.as_str()], message, Some(help));
        note.severity = Severity::Note;
        self.notes.push(note);
    }

    fn add_profile(&mut self, target: &ProfileTarget, loaded: &Loaded) {
        let sources = &target.profile.cert_key_chain;
        let read = |source| chains::read(source, &loaded.model.certificate_store);
        let found: Vec<_> =
            sources.iter().map(|source| read(source).map_err(|error| self.unreadable.push(error)).ok()).collect();
        let chains: Vec<&[_]> = found.iter().map(|it| it.as_ref().map_or(&[][..], |found| &found.chain)).collect();
        let roles = target.roles(&chains);
        for (found, role) in found.into_iter().zip(roles) {
            let Some(found) = found else { continue };
            self.subjects.extend(Subject::new(found.chain, found.key, role));
        }
    }

    fn trust(&mut self, anchors: &TrustAnchors) -> Option<Trust> {
        let trust = trust::trust(anchors).map_err(|error| self.unreadable.push(error)).ok()?;
        if matches!(anchors, TrustAnchors::File(_)) {
            let new: Vec<_> = trust.anchors.iter().filter(|it| !self.anchors.contains(it)).cloned().collect();
            self.anchors.extend(new);
        }
        Some(trust)
    }
}

/// Returns the port of a member, under the node's name.
fn port(target: &MemberTarget) -> Port {
    let host = target.node.address.to_string();
    Port { host, port: target.key.port, server_name: target.server_name() }
}

/// Returns whether a port takes connections and speaks no TLS, as far as can be told.
fn is_plaintext(failure: &FetchError) -> bool {
    matches!(failure, FetchError::Plaintext(_) | FetchError::TimedOut | FetchError::ClosedEarly)
}

/// Returns the virtual servers that pass through what their members speak, where none of these speaks TLS.
fn without_tls(targets: &[MemberTarget], answers: &[Answers]) -> Vec<Name> {
    let passthrough = |target: &MemberTarget| target.expectations.iter().all(|it| it.role.usage == Use::Passthrough);
    let mut names: Vec<_> = targets.iter().flat_map(|target| target.virtual_servers.iter().cloned()).collect();
    names.sort();
    names.dedup();
    names.retain(|name| {
        let members = || targets.iter().zip(answers).filter(|(target, _)| target.virtual_servers.contains(name));
        members().all(|(target, answers)| passthrough(target) && answers.all_are(is_not_tls))
            && members().any(|(_, answers)| answers.all_are(is_plaintext))
    });
    names
}

/// Returns whether a port shows nothing of TLS: it speaks something else, or nobody can connect to it.
fn is_not_tls(failure: &FetchError) -> bool {
    is_plaintext(failure) || matches!(failure, FetchError::Resolve(_) | FetchError::Connect(_) | FetchError::Short(_))
}

/// Returns what the port should do, for the finding that it does not.
fn expected(target: &MemberTarget) -> String {
    let names: Vec<_> = target.virtual_servers.iter().map(ToString::to_string).collect();
    let who = if target.expectations.iter().any(|it| it.role.usage == Use::Passthrough) {
        "the clients of"
    } else {
        "the server-ssl profile of"
    };
    format!("TLS, for {who} virtual server {}", names.join(", "))
}
