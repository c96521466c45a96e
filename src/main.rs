//! The `pronk` command.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    pronk::cli::Cli::parse().execute().unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
