//! `pronk cert check`: entries, linted.

use std::path::Path;
use std::process::ExitCode;

use super::args::{PassphraseArgs, StoreArgs, now};
use super::findings::{anchors, front_end};
use super::usage::Usage;
use crate::cert::{MaterialError, Passphrase};
use crate::cli::exit_code::UNREADABLE;
use crate::cli::screen::{self, outln};
use crate::cli::values;
use crate::lint::report::{Report, human};
use crate::lint::{Finding, Severity, WeakKeys};
use crate::store::{self, Stored};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk cert check lb --config pronk.yaml")]
pub(in crate::cli) struct Args {
    /// Names of entries; by default all.
    #[arg(value_parser = values::entry)]
    names: Vec<String>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    #[command(flatten)]
    store: StoreArgs,
}

impl Args {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        let location = self.store.locate()?;
        let folder = location.folder;
        let usage = location.config.map(|(_, loaded)| Usage::of(&loaded, &folder)).unwrap_or_default();
        let given = self.passphrase.given()?;
        let names = if self.names.is_empty() { store::names(&folder)? } else { self.names };
        let mut subjects = Vec::new();
        let mut unreadable = Vec::new();
        let mut sound = Vec::new();
        for name in &names {
            let of_profile = || usage.passphrase(name).map(Passphrase::read).transpose();
            let passphrase = given.clone().map_or_else(of_profile, |given| Ok(Some(given)));
            match passphrase.and_then(|passphrase| Stored::read(&folder, name, passphrase.as_ref())) {
                Ok(stored) => {
                    let role = front_end(usage.hosts(name));
                    let leaf = stored.leaf.as_ref();
                    let subject = leaf
                        .and_then(|leaf| store::subject(&stored.folder, leaf, &stored.chain, stored.key.clone(), role));
                    // The linter reports keys that do not fit, with what to do.
                    let (told, problems): (Vec<_>, Vec<_>) =
                        stored.problems.into_iter().partition(|it| matches!(it, MaterialError::KeyMismatch { .. }));
                    if told.is_empty() && problems.is_empty() {
                        sound.push((stored.folder, stored.pending));
                    }
                    unreadable.extend(problems);
                    subjects.extend(subject);
                }
                Err(error) => unreadable.push(error),
            }
        }
        let now = now()?;
        let findings = store::linter(now, anchors(&folder), WeakKeys::installed()).lint(&subjects);
        let grave = |folder: &Path| {
            let of_entry = |finding: &&Finding| Path::new(&finding.origin.source()).parent() == Some(folder);
            findings.findings.iter().filter(of_entry).any(|finding| finding.severity >= Severity::Warning)
        };
        for (folder, pending) in sound.iter().filter(|(folder, _)| !grave(folder)) {
            outln!("{}: ok{}", folder.display(), if *pending { ", a request is pending" } else { "" })?;
        }
        let report = Report {
            subjects: &subjects,
            findings: &findings,
            unreadable: &unreadable,
            hostnames: &[],
            names_checked: subjects.iter().any(|subject| !subject.role.front_ends.is_empty()),
            names_help: Some("give --config with the file that says which name clients connect to"),
            fail_on: Some(Severity::Error),
            folder: &folder,
            now,
        };
        if findings.worst().is_some() {
            screen::print(&format!("\n{}", human(&report, screen::has_color(&std::io::stdout()))))?;
        }
        screen::unreadable(&unreadable);
        Ok(match findings.worst() {
            _ if !unreadable.is_empty() => ExitCode::from(UNREADABLE),
            Some(Severity::Error) => ExitCode::FAILURE,
            _ => ExitCode::SUCCESS,
        })
    }
}
