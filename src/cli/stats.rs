//! `pronk stats`: resets the statistics of a running pronk.

use std::process::ExitCode;

use super::admin_client::{AdminAddress, Why, encoded};
use super::completions;
use crate::admin::statistics::StatisticsReset;
use crate::cli::screen::outln;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Let the statistics of `show stats` begin anew; metrics for Prometheus go on.
    #[command(after_help = "Example:\n  pronk stats reset --pool pool-impala-21050")]
    Reset {
        /// Those of this virtual server; without any option all are reset.
        #[arg(long, value_name = "NAME", add = completions::virtual_servers())]
        virtual_server: Option<String>,
        /// Those of this pool and its members.
        #[arg(long, value_name = "NAME", add = completions::pools())]
        pool: Option<String>,
        /// Those of this member, as `node:port`, or `pool/node:port` for one pool alone.
        #[arg(long, value_name = "NODE:PORT", add = completions::members())]
        member: Option<String>,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        admin: AdminAddress,
    },
}

impl Command {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        let Self::Reset { virtual_server, pool, member, why, admin } = self;
        let given = [("virtual_server", virtual_server), ("pool", pool), ("member", member)];
        let pairs = given.into_iter().filter_map(|(key, name)| Some(format!("{key}={}", encoded(&name?))));
        let query: Vec<_> = pairs.collect();
        let reset: StatisticsReset = admin.post(&format!("/v1/stats/reset?{}", query.join("&")), &why)?;
        let counted = [(reset.virtual_servers, "virtual server"), (reset.pools, "pool"), (reset.members, "member")];
        let counted: Vec<_> = counted.into_iter().filter(|(count, _)| *count > 0).map(in_words).collect();
        outln!("reset at {}: the statistics of {}", reset.since, counted.join(", "))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn in_words((count, what): (usize, &str)) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
