//! `pronk config`: print a configuration, the reference of its keys, and what is built in.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::exit_code::USAGE;
use crate::cli::screen::{self, errln, out, outln};
use crate::config::{self, BuiltIn};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Print the configuration of a file.
    #[command(after_help = "Example:\n  pronk config show pronk.yaml --resolved")]
    Show {
        file: PathBuf,
        /// Add inherited and default values, and where each comes from.
        #[arg(long)]
        resolved: bool,
    },
    /// Print a JSON Schema of the file for editors.
    #[command(after_help = "Example:\n  pronk config schema > pronk.schema.json")]
    Schema,
    /// Print the reference of every key in Markdown.
    #[command(after_help = "Example:\n  pronk config reference > reference.md")]
    Reference,
    /// Print the built-in profiles and monitors, with the reasons for their values.
    #[command(after_help = "Example:\n  pronk config profiles monitors")]
    Profiles {
        /// One file of them: clientssl, serverssl, protocol, persistence or monitors.
        file: Option<String>,
    },
}

impl Command {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Show { file, resolved } => match config::load(&file) {
                Ok(loaded) => out!("{}", config::show(&loaded, resolved))?,
                Err(wrong) => {
                    screen::diagnostics(&wrong);
                    return Ok(ExitCode::FAILURE);
                }
            },
            Self::Schema => outln!("{}", serde_json::to_string_pretty(&config::json_schema())?)?,
            Self::Reference => out!("{}", config::reference())?,
            Self::Profiles { file } => {
                let all = config::built_in();
                let stem = |name: &str| name.trim_start_matches("profiles/").trim_end_matches(".yaml").to_owned();
                let wanted = |it: &&BuiltIn| file.as_ref().is_none_or(|file| stem(it.name) == *file);
                let texts: Vec<_> = all.iter().filter(wanted).map(|it| it.text.as_str()).collect();
                if texts.is_empty() {
                    let names: Vec<_> = all.iter().map(|it| stem(it.name)).collect();
                    let wanted = file.unwrap_or_default();
                    let meant = config::did_you_mean(&wanted, names.iter().map(String::as_str));
                    let help = meant.unwrap_or_else(|| format!("there are: {}", names.join(", ")));
                    errln!("error: there is no built-in file `{wanted}`; {help}");
                    return Ok(ExitCode::from(USAGE));
                }
                out!("{}", texts.join("\n"))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
