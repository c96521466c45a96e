//! `pronk man`: manual pages, one for each command.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::anyhow;
use clap_mangen::Man;

use crate::reading::os_reason;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk man /usr/local/share/man/man1")]
pub(super) struct Args {
    /// The folder to write them to; it is made where it is missing.
    folder: PathBuf,
}

impl Args {
    pub(super) fn execute(self, pronk: clap::Command) -> anyhow::Result<ExitCode> {
        std::fs::create_dir_all(&self.folder)
            .map_err(|error| anyhow!("cannot make {}: {}", self.folder.display(), os_reason(&error)))?;
        let mut pronk = pronk.disable_help_subcommand(true);
        pronk.build();
        write_pages(&pronk, &self.folder)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes the page of a command, and those of the commands below it.
fn write_pages(command: &clap::Command, folder: &Path) -> anyhow::Result<()> {
    let page = Man::new(command.clone());
    let path = folder.join(page.get_filename());
    let mut text = Vec::new();
    page.render(&mut text)?;
    std::fs::write(&path, text).map_err(|error| anyhow!("cannot write {}: {}", path.display(), os_reason(&error)))?;
    command.get_subcommands().filter(|it| !it.is_hide_set()).try_for_each(|it| write_pages(it, folder))
}
