//! `pronk admin`: tokens for the admin API, and its reference.

mod token;

use std::process::ExitCode;

use super::screen;
use crate::admin;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make, list and remove the tokens of the admin API.
    #[command(subcommand)]
    Token(token::Command),
    /// Print the OpenAPI document of the admin API.
    #[command(after_help = "Example:\n  pronk admin openapi > pronk-openapi.json")]
    Openapi,
    /// Print the routes of the admin API as a table: who may ask for what.
    #[command(after_help = "Example:\n  pronk admin routes")]
    Routes,
}

impl Command {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Token(command) => return command.execute(),
            Self::Openapi => screen::print(&format!("{:#}\n", admin::openapi_document()))?,
            Self::Routes => screen::print(&admin::route_table())?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
