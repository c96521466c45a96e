//! `pronk persistence`: lists and deletes persistence records.

use std::net::IpAddr;
use std::process::ExitCode;

use super::admin_client::{AdminAddress, Why, encoded};
use super::completions;
use super::table::Table;
use crate::admin::persistence::{Deleted, Listed, ListedRecord};
use crate::cli::screen::{out, outln};
use crate::cli::values;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Which member serves which client, as records have it.
    #[command(after_help = "Example:\n  pronk persistence list --virtual-server vs-impala-21050")]
    List {
        #[command(flatten)]
        which: Which,
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        admin: AdminAddress,
    },
    /// Delete records, so that clients are balanced anew; their connections go on.
    #[command(after_help = "Example:\n  pronk persistence delete --member impalad-1:21050")]
    Delete {
        #[command(flatten)]
        which: Which,
        /// Every record; needed where nothing else says which.
        #[arg(long, required_unless_present_any = ["virtual_server", "client", "pool", "member"])]
        all: bool,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        admin: AdminAddress,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// Those of this virtual server alone.
    #[arg(long, value_name = "NAME", add = completions::virtual_servers())]
    virtual_server: Option<String>,
    /// Those of this client: its address, as it remains under the profile's mask.
    #[arg(long, value_name = "ADDRESS", value_parser = values::address)]
    client: Option<IpAddr>,
    /// Those that name a member of this pool.
    #[arg(long, value_name = "NAME", add = completions::pools())]
    pool: Option<String>,
    /// Those that name this member.
    #[arg(long, value_name = "NODE:PORT", add = completions::members())]
    member: Option<String>,
}

impl Which {
    fn query(&self) -> String {
        let Self { virtual_server, client, pool, member } = self;
        let client = &client.map(|client| client.to_string());
        let given = [("virtual_server", virtual_server), ("client", client), ("pool", pool), ("member", member)];
        let pairs = given.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", encoded(value.as_ref()?))));
        pairs.collect::<Vec<_>>().join("&")
    }
}

impl Command {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::List { which, json, admin } => {
                let listed: Listed = admin.get(&format!("/v1/persistence?{}", which.query()))?;
                if json {
                    outln!("{}", serde_json::to_string_pretty(&listed)?)?;
                } else {
                    out!("{}", table(&listed))?;
                }
            }
            Self::Delete { which, all, why, admin } => {
                let uri = format!("/v1/persistence/delete?all={all}&{}", which.query());
                let deleted: Deleted = admin.post(&uri, &why)?;
                outln!("{} records deleted", deleted.deleted)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn table(listed: &Listed) -> String {
    let mut table = Table::new(["Client", "Member", "Pool", "Shared by", "Connections", "Expires"]);
    for record in &listed.records {
        let expires = match record.expires_in {
            _ if record.connections > 0 => "in use".to_owned(),
            Some(seconds) => format!("in {seconds} s"),
            None => "never".to_owned(),
        };
        let ListedRecord { client, member, pool, shared_by, connections, .. } = record;
        let [client, member, pool, shared_by] = [client, member, pool, shared_by].map(String::clone);
        table.row([client, member, pool, shared_by, connections.to_string(), expires]);
    }
    let mut text = table.render();
    text += &format!("{} records, {} evicted since the start\n", listed.records.len(), listed.evicted);
    text
}
