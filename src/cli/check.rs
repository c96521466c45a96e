use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::config::{self, Diagnostics, Loaded};
use crate::reload::Tls;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file.
    file: PathBuf,
}

impl Args {
    pub(super) fn execute(self) -> ExitCode {
        let color = std::io::stderr().is_terminal();
        match checked(&self.file) {
            Ok(loaded) => {
                if !loaded.notes.is_empty() {
                    eprintln!("{}", loaded.notes.render(color));
                }
                let model = &loaded.model;
                println!(
                    "{}: ok ({} virtual servers, {} pools, {} nodes)",
                    self.file.display(),
                    model.virtual_servers.len(),
                    model.pools.len(),
                    model.nodes.len()
                );
                ExitCode::SUCCESS
            }
            Err(wrong) => {
                eprintln!("{}", wrong.render(color));
                ExitCode::FAILURE
            }
        }
    }
}

fn checked(file: &std::path::Path) -> Result<Loaded, Diagnostics> {
    let loaded = config::load(file)?;
    Tls::build(&loaded, &Tls::default())?;
    Ok(loaded)
}
