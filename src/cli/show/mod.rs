//! `pronk show`: the map, the statistics and the certificates of a running pronk.

mod certificates;
mod connections;
mod map;
mod rates;
mod stats;
mod status;
mod watch;

use std::process::ExitCode;

use super::admin_client::AdminAddress;
use crate::admin::network_map::Map;
use crate::cli::screen::{self, out, outln};
use crate::inventory::Snapshot;
use status::Symbols;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Virtual servers, their pools and members, each with its status and the reason.
    #[command(after_help = "Example:\n  pronk show map")]
    Map(Args),
    /// Bits, packets and connections of virtual servers, pools and members, and why connections were closed.
    #[command(after_help = "Example:\n  pronk show stats --search impala\n  pronk show stats --watch 5 --rates")]
    Stats(watch::Args),
    /// Certificates in use: what they are for, when they end, which names they miss, what is wrong with them.
    #[command(after_help = "Example:\n  pronk show certificates")]
    Certificates(Args),
    /// Open connections: client, member, local port toward it, TLS, bytes, age, idle time, phase; or who holds them.
    #[command(
        after_help = "Example:\n  pronk show connections --member impalad-1:21050 --sort idle\n  pronk show connections --top"
    )]
    Connections(connections::Args),
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// As JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    admin: AdminAddress,
}

impl Command {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Connections(args) => return args.execute(),
            Self::Map(args) => {
                let map: Map = args.admin.get("/v1/map")?;
                if args.json {
                    outln!("{}", serde_json::to_string_pretty(&map)?)?;
                } else {
                    let symbols = Symbols { has_color: screen::has_color(&std::io::stdout()) };
                    out!("{}", map::text(&map, symbols))?;
                }
            }
            Self::Stats(args) => args.execute()?,
            Self::Certificates(args) => {
                let snapshot: Snapshot = args.admin.get("/v1/certificates")?;
                if args.json {
                    outln!("{}", serde_json::to_string_pretty(&snapshot)?)?;
                } else {
                    out!("{}", certificates::table(&snapshot))?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
