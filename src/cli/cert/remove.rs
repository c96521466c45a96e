//! `pronk cert remove`.

use std::path::Path;
use std::process::ExitCode;

use super::args::{StoreArgs, load};
use super::usage::Usage;
use crate::cert::MaterialError;
use crate::cert::entry::is_entry_name;
use crate::cli::screen::outln;
use crate::cli::values;
use crate::store::{StoreError, Stored, Writer};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk cert remove lb")]
pub(in crate::cli) struct Args {
    /// The name of the entry.
    #[arg(value_parser = values::entry)]
    name: String,
    /// Remove it although it is in use.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    store: StoreArgs,
}

impl Args {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        let location = self.store.locate()?;
        let folder = location.folder;
        if !self.force {
            let config = match location.config {
                Some(config) => Some(config),
                // What is there by default is asked too: a forgotten option must not break what runs.
                None if Path::new(DEFAULT_CONFIG).exists() => {
                    let path = Path::new(DEFAULT_CONFIG);
                    Some((path.to_owned(), load(path).map_err(|error| error.context(UNKNOWN_USE))?))
                }
                None => None,
            };
            if let Some((path, loaded)) = config {
                let users = Usage::of(&loaded, &folder).by(&self.name);
                if !users.is_empty() {
                    let (name, path, users) = (&self.name, path.display(), users.join(", "));
                    anyhow::bail!("\"{name}\" is used in {path} by {users}; take it out there first, or give --force");
                }
            }
        }
        if !is_entry_name(&self.name) {
            return Err(StoreError::from(MaterialError::StoreName { name: self.name }).into());
        }
        let stored = Stored::read(&folder, &self.name, None).map_err(StoreError::from)?;
        let writer = Writer::open(&folder)?;
        let leaves: Vec<_> = Stored::all(&folder)?
            .into_iter()
            .filter(|other| other.is_issued_by(&stored))
            .map(|other| other.name)
            .collect();
        if !leaves.is_empty() && !self.force {
            let (name, leaves) = (&self.name, leaves.join(", "));
            anyhow::bail!(
                "\"{name}\" has signed {leaves}, which could not be renewed then; remove these first, or give --force"
            );
        }
        writer.remove(&self.name)?;
        outln!("removed {}", stored.folder.display())?;
        Ok(ExitCode::SUCCESS)
    }
}

const DEFAULT_CONFIG: &str = "pronk.yaml";
const UNKNOWN_USE: &str = "cannot tell whether pronk.yaml uses it; give --force to remove it all the same";
