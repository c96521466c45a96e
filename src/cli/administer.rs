//! `pronk enable`, `disable`, `offline`, `set-ratio` and `state`: what administrators set while pronk runs.

use std::process::ExitCode;

use super::admin_client::{AdminAddress, Why, encoded};
use super::completions;
use super::pending;
use super::screen::{self, outln};
use super::table::Table;
use super::values;
use crate::admin::administration::{AdministrativeChange, AdministrativeChanges, Changed};
use crate::model::AdminState;
use crate::words::quoted;

/// What a change is for.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Kind {
    Node,
    /// `node:port`, or `pool/node:port` where several pools have it.
    Member,
    #[value(alias = "vs")]
    VirtualServer,
}

/// The options of `enable`, `disable` and `offline`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(value_enum)]
    kind: Kind,
    /// Its name; of a member `node:port`, or `pool/node:port` where several pools have it.
    #[arg(add = completions::named())]
    name: String,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    admin: AdminAddress,
}

/// How a change is made.
#[derive(Debug, clap::Args)]
pub(super) struct How {
    #[command(flatten)]
    pub(super) why: Why,
    /// Forget it when pronk starts again.
    #[arg(long)]
    until_restart: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk set-ratio member impalad-1:21050 3 --reason larger")]
pub(super) struct RatioArgs {
    #[arg(value_enum)]
    kind: Kind,
    /// Its name; of a member `node:port`, or `pool/node:port` where several pools have it.
    #[arg(add = completions::named())]
    name: String,
    /// Its share with the ratio methods.
    #[arg(value_parser = values::ratio)]
    ratio: u32,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    admin: AdminAddress,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum StateCommand {
    /// List what administrators set while pronk runs: who, when and why.
    #[command(after_help = "Example:\n  pronk state show --json")]
    Show {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        admin: AdminAddress,
    },
    /// Forget what was set of one thing or of all, so that the configuration file counts again.
    #[command(after_help = "Example:\n  pronk state clear member impalad-1:21050")]
    Clear {
        #[arg(value_enum, requires = "name", required_unless_present = "all")]
        kind: Option<Kind>,
        /// Its name; of a member `node:port`, or `pool/node:port` where several pools have it.
        #[arg(add = completions::named())]
        name: Option<String>,
        /// Forget everything that was set.
        #[arg(long, conflicts_with = "kind")]
        all: bool,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        admin: AdminAddress,
    },
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Member => "member",
            Self::VirtualServer => "virtual-server",
        }
    }
}

impl How {
    /// Returns the same as options, each with a space before it.
    pub(super) fn options(&self) -> String {
        let reason = self.why.reason.as_ref().map(|reason| format!(" --reason {}", quoted(reason))).unwrap_or_default();
        let until_restart = if self.until_restart { " --until-restart" } else { "" };
        format!("{reason}{until_restart}")
    }

    /// Returns the part of a query, with `&` before it.
    pub(super) fn query(&self) -> String {
        format!("&until_restart={}", self.until_restart)
    }
}

impl Args {
    pub(super) fn execute(&self, state: AdminState) -> anyhow::Result<ExitCode> {
        let (kind, name) = (self.kind.as_str(), encoded(&self.name));
        let what = format!("kind={kind}&name={name}&state={}", state.as_str());
        let changed: Changed =
            self.admin.post(&format!("/v1/administration?{what}{}", self.how.query()), &self.how.why)?;
        tell(&changed, state.as_str())
    }
}

impl RatioArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let (kind, name, ratio) = (self.kind.as_str(), encoded(&self.name), self.ratio);
        let what = format!("kind={kind}&name={name}&ratio={ratio}");
        let changed: Changed =
            self.admin.post(&format!("/v1/administration?{what}{}", self.how.query()), &self.how.why)?;
        tell(&changed, &format!("of ratio {ratio}"))
    }
}

impl StateCommand {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Show { json, admin } => {
                let set: AdministrativeChanges = admin.get("/v1/administration")?;
                if json {
                    screen::print(&format!("{:#}\n", serde_json::to_value(&set)?))?;
                } else if set.changes.is_empty() {
                    outln!("nothing is set: everything is as the configuration file says")?;
                } else {
                    screen::print(&table(&set.changes))?;
                }
                if !json {
                    let drains = set.drains.iter().map(pending::line).chain(pending::unreached(&set.processes));
                    screen::print(&drains.map(|line| line + "\n").collect::<String>())?;
                }
                Ok(ExitCode::SUCCESS)
            }
            Self::Clear { kind, name, why, admin, .. } => {
                let what =
                    kind.zip(name).map(|(kind, name)| format!("?kind={}&name={}", kind.as_str(), encoded(&name)));
                let uri = format!("/v1/administration/clear{}", what.unwrap_or_default());
                let changed: Changed = admin.post(&uri, &why)?;
                if changed.targets.is_empty() {
                    outln!("nothing was set")?;
                }
                tell(&changed, "as the configuration file says")
            }
        }
    }
}

fn tell(changed: &Changed, what: &str) -> anyhow::Result<ExitCode> {
    for target in &changed.targets {
        outln!("{target} is {what}")?;
    }
    for line in pending::unreached(&changed.processes) {
        screen::print_error(&format!("warning: {line}\n"));
    }
    if let Some(reason) = &changed.not_kept {
        screen::print_error(&format!("warning: it is not kept for the next start of pronk: {reason}\n"));
    }
    Ok(ExitCode::SUCCESS)
}

fn table(changes: &[AdministrativeChange]) -> String {
    let mut table = Table::new(["what", "name", "set to", "by", "at", "reason"]);
    for change in changes {
        let ratio = change.ratio.map(|ratio| format!("ratio {ratio}"));
        let set_to = change.state.clone().or(ratio).unwrap_or_default();
        let until = if change.until_restart { " (until pronk starts again)" } else { "" };
        table.row([
            change.kind.clone(),
            change.name.clone(),
            format!("{set_to}{until}"),
            change.who.clone(),
            change.when.clone(),
            change.why.clone().unwrap_or_default(),
        ]);
    }
    table.render()
}
