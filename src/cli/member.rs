use std::process::ExitCode;

use super::admin_client::AdminSocket;
use crate::admin::view::Resumed;
use crate::cli::screen::outln;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Let a member that a monitor with manual-resume holds down come up again.
    Resume {
        /// The name of the pool.
        pool: String,
        /// The member, as `node:port`.
        member: String,
        #[command(flatten)]
        admin: AdminSocket,
    },
}

impl Command {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        let Self::Resume { pool, member, admin } = self;
        let uri = format!("/v1/members/resume?pool={}&member={}", encoded(&pool), encoded(&member));
        let resumed: Resumed = admin.post(&uri)?;
        outln!("{} of pool {} comes up with its next good probe", resumed.member, resumed.pool);
        Ok(ExitCode::SUCCESS)
    }
}

/// Percent-encoded (RFC 3986, section 2.1), but for what names are made of.
fn encoded(text: &str) -> String {
    let keeps = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    text.bytes().map(|byte| if keeps(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
