//! What `pronk check` says of the certificates that are served, and of the authorities and revocation lists that profiles
//! verify peers against: what the inventory of a running pronk and `pronk lint` find in them.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls_pki_types::CertificateDer;

use super::built_profiles::BuiltProfiles;
use crate::cert::date::{day, moment};
use crate::cert::{Certificate, Purpose};
use crate::config::{Diagnostics, Loaded, Severity};
use crate::inventory::targets::{ProfileTarget, nameless};
use crate::inventory::{Chain, Targets, chains, profile_files};
use crate::lint::{self, Clients, EXPIRY_DAYS, Finding, Linter, Subject, Trust, WeakKeys};
use crate::model::Name;

/// Returns what the inventory of a running pronk would warn of, at the keys of the file that name the files. Reads files;
/// those that cannot be read were refused before.
pub(super) fn certificate_warnings(loaded: &Loaded, profiles: &BuiltProfiles) -> Diagnostics {
    let targets = Targets::of(&loaded.model, &[]);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    let nobody = Trust { anchors: [].into(), given: false };
    let linter = Linter { levels: targets.levels.clone(), ..Linter::new(now, nobody, WeakKeys::installed()) };
    let mut warnings = Diagnostics::default();
    let mut warn = |path: &[&str], finding: Finding| {
        let message = match finding.check.clients {
            Clients::Judged(_) | Clients::Later | Clients::Asked if path.contains(&SERVED) => {
                format!("{}: {}", finding.message, finding.clients)
            }
            _ => finding.message,
        };
        let help = format!("{}; more: pronk lint --explain {}", finding.remedy, finding.check.id);
        let mut diagnostic = loaded.diagnose(path, message, Some(help));
        diagnostic.severity = match finding.severity {
            lint::Severity::Info => Severity::Note,
            // The file is taken: what is refused are connections.
            _ => Severity::Warning,
        };
        if !warnings.iter().any(|known| *known == diagnostic) {
            warnings.push(diagnostic);
        }
    };
    let chains = profiles.served();
    for target in &targets.profiles {
        let chains = chains.get(&target.profile.name).map(Vec::as_slice).unwrap_or_default();
        for (index, finding) in served(target, chains, &loaded.model.certificate_store, &linter) {
            warn(&["profiles", target.profile.name.as_str(), SERVED, &index.to_string()], finding);
        }
    }
    for (profile, files) in targets.peers.iter().filter_map(|it| Some((it.name(), it.files().ok()?))) {
        for (file, finding) in files.lint(now, EXPIRY_DAYS) {
            for finding in linter.judge(vec![finding]).findings {
                warn(&["profiles", profile.as_str(), file.key()], finding);
            }
        }
    }
    for (name, live) in &profiles.server {
        for (message, help) in live.client_chain().map(|chain| shown_to_members(chain, now)).unwrap_or_default() {
            let mut warning = loaded.diagnose(&["profiles", name.as_str(), "cert"], message, Some(help));
            warning.severity = Severity::Warning;
            warnings.push(warning);
        }
    }
    // Of those whose members show the certificates it is not known yet whether there are any.
    let serves = |name: &&Name| loaded.model.virtual_servers.get(*name).is_some_and(|it| it.client_ssl.is_some());
    for name in targets.nameless.iter().filter(serves) {
        let (message, help) = nameless(name);
        let mut note = loaded.diagnose(&["virtual-servers", name.as_str()], message, Some(help.to_owned()));
        note.severity = Severity::Note;
        warnings.push(note);
    }
    warnings
}

/// Returns what members that ask for a certificate mind about a chain, each with what to do.
fn shown_to_members(chain: &[CertificateDer<'static>], now: i64) -> Vec<(String, String)> {
    let Some(leaf) = chain.first().and_then(|der| Certificate::decode(der.clone()).ok()) else { return Vec::new() };
    let mut told = Vec::new();
    let mut tell = |what: String, help: &str| {
        let message = format!("the certificate that pronk shows to members {what}: those that verify it refuse pronk");
        told.push((message, help.to_owned()));
    };
    if now > leaf.not_after {
        tell(format!("expired on {}", day(leaf.not_after)), "issue the certificate anew");
    } else if now < leaf.not_before {
        let beginning = moment(leaf.not_before);
        tell(format!("is not valid before {beginning}"), "wait for its beginning, or set the clocks right");
    }
    let is_for_clients = |purposes: &Vec<Purpose>| purposes.contains(&Purpose::ClientAuth);
    if leaf.extended_key_usage.as_ref().is_some_and(|purposes| !is_for_clients(purposes)) {
        let help = "issue the certificate anew with the extended key usage clientAuth";
        tell("is for servers, not for clients".to_owned(), help);
    }
    told
}

/// The key of what clients are shown.
const SERVED: &str = "cert-key-chain";

/// Returns the findings that matter about the certificates that a profile serves, each with the certificate's index.
/// What clients trust is not known, so unknown issuers are not among them.
fn served(target: &ProfileTarget, chains: &[Chain], store: &Path, linter: &Linter) -> Vec<(usize, Finding)> {
    let located: Vec<_> = target
        .profile
        .cert_key_chain
        .iter()
        .zip(chains)
        .map(|(source, chain)| {
            chains::located(chain, &profile_files::certificate_paths(source, store)).unwrap_or_default()
        })
        .collect();
    let roles = target.roles(&located.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let mut findings = Vec::new();
    for (index, (chain, role)) in located.into_iter().zip(roles).enumerate() {
        let Some(subject) = Subject::new(chain, None, role) else { continue };
        let found = linter.lint(&[subject]).findings;
        findings.extend(found.into_iter().filter(|it| it.severity > lint::Severity::Info).map(|it| (index, it)));
    }
    findings
}
