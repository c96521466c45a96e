use std::process::ExitCode;

use super::args::{PassphraseArgs, StoreArgs, now};
use super::findings::{anchors, front_end, of_entry};
use super::usage::Usage;
use crate::cert::MaterialError;
use crate::cert::key::Passphrase;
use crate::cert::lint::Severity;
use crate::cert::store::{self, Stored};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Names of entries; by default all.
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
        let (now, anchors) = (now()?, anchors(&folder));
        let mut worst = None;
        let mut unreadable = false;
        for name in &names {
            let of_profile = || usage.passphrase(name).map(Passphrase::read).transpose();
            let passphrase = given.clone().map_or_else(of_profile, |given| Ok(Some(given)));
            let stored = match passphrase.and_then(|passphrase| Stored::read(&folder, name, passphrase.as_ref())) {
                Ok(stored) => stored,
                Err(error) => {
                    unreadable = true;
                    eprintln!("error: {}", store::StoreError::from(error));
                    continue;
                }
            };
            for problem in &stored.problems {
                if !matches!(problem, MaterialError::KeyMismatch { .. }) {
                    unreadable = true;
                    eprintln!("error: {problem}");
                }
            }
            let role = front_end(usage.hosts(name));
            let (lines, gravest) = of_entry(&stored, role, anchors.clone(), now);
            lines.iter().for_each(|line| println!("{line}"));
            worst = worst.max(gravest);
            if lines.is_empty() && stored.problems.is_empty() {
                println!(
                    "{}: ok{}",
                    stored.folder.display(),
                    if stored.pending { ", a request is pending" } else { "" }
                );
            }
        }
        Ok(match worst {
            _ if unreadable => ExitCode::from(3),
            Some(Severity::Error) => ExitCode::FAILURE,
            _ => ExitCode::SUCCESS,
        })
    }
}
