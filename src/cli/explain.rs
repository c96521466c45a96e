//! `pronk explain`: why a client is sent to a member, step by step.

use std::net::IpAddr;
use std::process::ExitCode;

use super::admin_client::{AdminAddress, encoded};
use super::completions;
use crate::admin::explain::Explained;
use crate::cli::screen::{out, outln};
use crate::cli::values;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk explain vs-impala-21050 10.17.80.5")]
pub(super) struct Args {
    /// The name of the virtual server.
    #[arg(add = completions::virtual_servers())]
    virtual_server: String,
    /// The client's IP address, as pronk sees it.
    #[arg(value_parser = values::address)]
    client: IpAddr,
    /// As JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    admin: AdminAddress,
}

impl Args {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        let (server, client) = (encoded(&self.virtual_server), encoded(&self.client.to_string()));
        let explained: Explained = self.admin.get(&format!("/v1/explain?virtual_server={server}&client={client}"))?;
        if self.json {
            outln!("{}", serde_json::to_string_pretty(&explained)?)?;
        } else {
            out!("{}", text(&explained))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn text(explained: &Explained) -> String {
    let Explained { virtual_server, client, steps, member, recent, .. } = explained;
    let mut text = match member {
        Some(member) => format!("A connection from {client} to {virtual_server} would go to {member}:\n"),
        None => format!("A connection from {client} to {virtual_server} would go to no member:\n"),
    };
    for (number, step) in steps.iter().enumerate() {
        text += &format!("  {}. {step}\n", number + 1);
    }
    if recent.is_empty() {
        text += "No connection from it is remembered.\n";
    }
    for connection in recent {
        text += &format!("{} s ago one went to {}: {}.\n", connection.seconds_ago, connection.member, connection.why);
    }
    text
}
