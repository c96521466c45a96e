//! `pronk admin token`: who may use the admin API, and as what.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::anyhow;

use crate::access::{self, EditError, Role, Secret, Token};
use crate::cert::date;
use crate::cli::screen::{self, errln, outln};
use crate::cli::table::Table;
use crate::config;

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Command {
    /// Make a token, and print it: the file keeps its hash alone. Write it into a file that only its user can read.
    #[command(after_help = "Example:\n  pronk admin token create --name prometheus --role viewer > prometheus.token")]
    Create {
        /// By which the audit log names whoever uses it.
        #[arg(long)]
        name: String,
        /// What it may do.
        #[arg(long, value_enum)]
        role: RoleWord,
        /// How long it may be used, such as 90d; without an end by default.
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        valid_for: Option<Duration>,
        #[command(flatten)]
        file: TokensFile,
    },
    /// List the tokens, without their secrets.
    #[command(after_help = "Example:\n  pronk admin token list")]
    List {
        #[command(flatten)]
        file: TokensFile,
    },
    /// Remove a token.
    #[command(after_help = "Example:\n  pronk admin token remove prometheus")]
    Remove {
        name: String,
        #[command(flatten)]
        file: TokensFile,
    },
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct TokensFile {
    /// The file that `tokens-file` of the configuration names.
    #[arg(long, value_name = "PATH", default_value = "/etc/pronk/admin-tokens")]
    file: PathBuf,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(in crate::cli) enum RoleWord {
    /// Sees everything and changes nothing.
    Viewer,
    /// Changes how clients are served.
    Operator,
    /// Changes what runs.
    Admin,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Viewer => Self::Viewer,
            RoleWord::Operator => Self::Operator,
            RoleWord::Admin => Self::Admin,
        }
    }
}

impl Command {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Create { name, role, valid_for, file: TokensFile { file } } => {
                let secret = Secret::generate().map_err(|error| anyhow!(error))?;
                let end = valid_for.map(|time| now().saturating_add_unsigned(time.as_secs()));
                let token = Token::new(&name, role.into(), end, &secret).map_err(|error| anyhow!(error))?;
                access::append(&file, &token).map_err(told)?;
                outln!("{}", secret.text())?;
                errln!(
                    "the token is shown this once; its hash is in {}. A running pronk takes it in with `pronk reload`",
                    file.display()
                );
            }
            Self::List { file: TokensFile { file } } => {
                let tokens = access::read(&file).map_err(|error| anyhow!("{error}; {}", error.help()))?;
                let mut table = Table::new(["Name", "Role", "Ends"]);
                for token in tokens.iter() {
                    let end = token.expires.map_or_else(|| "never".to_owned(), date::instant);
                    let end = if token.is_expired(now()) { format!("{end} (expired)") } else { end };
                    table.row([token.name.clone(), token.role.as_str().to_owned(), end]);
                }
                screen::print(&table.render())?;
            }
            Self::Remove { name, file: TokensFile { file } } => {
                access::remove(&file, &name).map_err(told)?;
                outln!("removed; a running pronk takes it until `pronk reload`")?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn told(error: EditError) -> anyhow::Error {
    match &error {
        EditError::Unreadable(unreadable) => anyhow!("{error}; {}", unreadable.help()),
        _ => anyhow!(error),
    }
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    config::duration(text).ok_or("a duration is a number of seconds, or numbers with s, m, h or d, such as 90d")
}

/// Returns the seconds since 1970.
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64)
}
