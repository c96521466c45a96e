//! What `pronk check` says of the certificates that are served, and of the authorities and revocation lists that profiles
//! verify peers against: what the inventory of a running pronk and `pronk lint` find in them.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::built_profiles::BuiltProfiles;
use crate::config::{Diagnostics, Loaded, Severity};
use crate::inventory::targets::{ProfileTarget, nameless};
use crate::inventory::{Chain, Targets, chains, profile_files};
use crate::lint::{self, EXPIRY_DAYS, Finding, Linter, Subject, Trust, WeakKeys};
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
        let help = format!("{}; more: pronk lint --explain {}", finding.remedy, finding.check.id);
        let mut diagnostic = loaded.diagnose(path, finding.message, Some(help));
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
            warn(&["profiles", target.profile.name.as_str(), "cert-key-chain", &index.to_string()], finding);
        }
    }
    for (profile, files) in targets.peers.iter().filter_map(|it| Some((it.name(), it.files().ok()?))) {
        for (file, finding) in files.lint(now, EXPIRY_DAYS) {
            for finding in linter.judge(vec![finding]).findings {
                warn(&["profiles", profile.as_str(), file.key()], finding);
            }
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
