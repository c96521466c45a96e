//! `pronk member`: what is done to a member of a running pronk.

use std::process::ExitCode;

use super::admin_client::{AdminAddress, Why, encoded};
use super::completions;
use crate::admin::answers::Resumed;
use crate::cli::screen::outln;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Let a member that a monitor with manual-resume holds down come up again.
    #[command(after_help = "Example:\n  pronk member resume pool-impala-21050 impalad-1:21050")]
    Resume {
        /// The name of the pool.
        #[arg(add = completions::pools())]
        pool: String,
        /// The member, as `node:port`.
        #[arg(add = completions::members())]
        member: String,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        admin: AdminAddress,
    },
}

impl Command {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        let Self::Resume { pool, member, why, admin } = self;
        let uri = format!("/v1/members/resume?pool={}&member={}", encoded(&pool), encoded(&member));
        let resumed: Resumed = admin.post(&uri, &why)?;
        outln!("{} of pool {} comes up with its next good probe", resumed.member, resumed.pool)?;
        Ok(ExitCode::SUCCESS)
    }
}
