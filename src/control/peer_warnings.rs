//! What `pronk check` says of the authorities and revocation lists that profiles verify peers against.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::config::{Diagnostics, Loaded, Severity};
use crate::inventory::Targets;
use crate::lint::{self, EXPIRY_DAYS, Linter, Trust, WeakKeys};

/// Returns what the inventory of a running pronk would report, at the keys of the file that name the files. Reads files.
pub(super) fn peer_warnings(loaded: &Loaded) -> Diagnostics {
    let targets = Targets::of(&loaded.model, &[]);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    let nobody = Trust { anchors: [].into(), given: false };
    let linter = Linter { levels: targets.levels, ..Linter::new(now, nobody, WeakKeys::default()) };
    let mut warnings = Diagnostics::default();
    // Files that cannot be read were refused before.
    for (profile, files) in targets.peers.iter().filter_map(|it| Some((it.name(), it.files().ok()?))) {
        for (file, finding) in files.lint(now, EXPIRY_DAYS) {
            let judged = linter.judge(vec![finding]).findings;
            for finding in judged {
                let help = Some(finding.check.remedy.to_owned());
                let path = ["profiles", profile.as_str(), file.key()];
                let mut diagnostic = loaded.diagnose(&path, finding.message, help);
                diagnostic.severity = match finding.severity {
                    lint::Severity::Info => Severity::Note,
                    // The file is taken: what is refused are peers.
                    _ => Severity::Warning,
                };
                warnings.push(diagnostic);
            }
        }
    }
    warnings
}
