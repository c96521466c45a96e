//! What `pronk check` says of certificates that end soon, and of the authorities and revocation lists that profiles verify
//! peers against.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::built_profiles::BuiltProfiles;
use crate::config::{Diagnostics, Loaded, Severity};
use crate::inventory::targets::ProfileTarget;
use crate::inventory::{Chain, Targets, chains, profile_files};
use crate::lint::{self, EXPIRY_DAYS, Family, Finding, Linter, Role, Subject, Trust, Use, WeakKeys};

/// Returns what the inventory of a running pronk would report of dates, at the keys of the file that name the files.
/// Reads files; those that cannot be read were refused before.
pub(super) fn certificate_warnings(loaded: &Loaded, profiles: &BuiltProfiles) -> Diagnostics {
    let targets = Targets::of(&loaded.model, &[]);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    let nobody = Trust { anchors: [].into(), given: false };
    let linter = Linter { levels: targets.levels.clone(), ..Linter::new(now, nobody, WeakKeys::default()) };
    let mut warnings = Diagnostics::default();
    let mut warn = |path: &[&str], finding: Finding| {
        let mut diagnostic = loaded.diagnose(path, finding.message, Some(finding.check.remedy.to_owned()));
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
    warnings
}

/// Returns the findings about the dates of the certificates that a profile serves, each with the certificate's index.
fn served(target: &ProfileTarget, chains: &[Chain], store: &Path, linter: &Linter) -> Vec<(usize, Finding)> {
    let mut findings = Vec::new();
    for (index, (source, chain)) in target.profile.cert_key_chain.iter().zip(chains).enumerate() {
        let role = Role { usage: Use::FrontEnd, ..Role::default() };
        let subject = chains::located(chain, &profile_files::certificate_paths(source, store))
            .ok()
            .and_then(|chain| Subject::new(chain, None, role));
        let found = linter.lint(subject.as_slice()).findings;
        let of_dates = found.into_iter().filter(|it| it.check.family == Family::Validity);
        findings.extend(of_dates.filter(|it| it.severity > lint::Severity::Info).map(|it| (index, it)));
    }
    findings
}
