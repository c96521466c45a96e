//! `pronk cert renew`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::args::{PassphraseArgs, StoreArgs, key_type, now};
use super::request_output::write_request;
use super::summary::print_summary;
use crate::cert::entry::{CERT, KEY};
use crate::cert::{KeyType, PrivateKey};
use crate::cli::screen::outln;
use crate::cli::values;
use crate::store::{self, Renewal, StoreError, Stored, Writer};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk cert renew lb --days 365")]
pub(in crate::cli) struct Args {
    /// The name of the entry.
    #[arg(value_parser = values::entry)]
    name: String,
    /// With a fresh key, which is the default but for authorities.
    #[arg(long, conflicts_with = "same_key", help_heading = "Key")]
    new_key: bool,
    /// With the key that it has.
    #[arg(long, help_heading = "Key")]
    same_key: bool,
    /// The kind of a fresh key; by default that of the one before.
    #[arg(long, value_parser = key_type(), conflicts_with = "same_key", help_heading = "Key")]
    key: Option<KeyType>,
    /// How long it is valid, in days; by default as long as the one before.
    #[arg(long, value_parser = values::days)]
    days: Option<u32>,
    /// Write a request to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Ask anew although a request is pending.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    #[command(flatten)]
    store: StoreArgs,
}

impl Args {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        let folder = self.store.locate()?.folder;
        let before = Stored::read(&folder, &self.name, None).map_err(StoreError::from)?;
        // Its leaves name an authority by its key.
        let with_fresh = !self.same_key && (self.new_key || self.key.is_some() || !before.is_authority());
        let fresh = if with_fresh {
            // Before the store is locked: a large key takes seconds.
            Some(PrivateKey::generate(self.key.map_or_else(|| before.key_type(), Ok)?)?)
        } else {
            None
        };
        let leaves: Vec<String> = Stored::all(&folder)?
            .into_iter()
            .filter(|other| with_fresh && other.is_issued_by(&before))
            .map(|other| other.name)
            .collect();

        // A prompt, too, must not hold up other writers.
        let encrypted = |entry: &&Stored| entry.key.as_ref().is_some_and(|key| key.encrypted);
        let issuer = store::issuer(&folder, &before)?;
        let mut known = Vec::new();
        for entry in std::iter::once(&before).chain(&issuer).filter(encrypted) {
            let path = entry.folder.join(KEY);
            known.push((path.clone(), self.passphrase.ask(&path)?));
        }
        let ask = |path: &Path| match known.iter().find(|(asked, _)| asked == path) {
            Some((_, passphrase)) => Ok(passphrase.clone()),
            None => self.passphrase.ask(path),
        };

        let writer = Writer::open(&folder)?;
        let entry = Stored::read(&folder, &self.name, None).map_err(StoreError::from)?;
        let now = now()?;
        match store::renew(&folder, &entry, fresh, self.days, now, &ask)? {
            Renewal::Issued { leaf, by, change } => {
                writer.put(&self.name, &change)?;
                let by = by.map_or_else(|| "by itself".into(), |authority| format!("by {authority}"));
                outln!("renewed {}: signed {by}", entry.folder.display())?;
                print_summary(&leaf, now)?;
                if leaf.is_self_issued() && with_fresh {
                    let cert = entry.folder.join(CERT);
                    outln!(
                        "clients have to trust it anew: pronk cert trust add {} --to truststore.pem",
                        cert.display()
                    )?;
                }
                if !leaves.is_empty() {
                    outln!("its key is another one, so renew what it has signed: {}", leaves.join(", "))?;
                }
                outln!("a running pronk takes it by itself within seconds")?;
            }
            Renewal::Requested { .. } if entry.pending && !self.replace => {
                return Err(StoreError::Pending { name: self.name }.into());
            }
            Renewal::Requested { csr, change } => {
                writer.put(&self.name, &change)?;
                write_request(&csr, self.out.as_deref(), &self.name, &folder)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
