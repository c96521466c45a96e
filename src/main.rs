//! The `pronk` command.

use std::io::Write;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use clap::Parser;

fn main() -> ExitCode {
    pronk::cli::Cli::parse().execute().unwrap_or_else(|error| {
        say(format!("error: {error:#}\n"));
        ExitCode::FAILURE
    })
}

/// Writes to standard error, for a while at most: nobody may read there.
fn say(text: String) {
    let (said, done) = mpsc::channel();
    std::thread::spawn(move || {
        // Where it cannot be written, there is nobody to tell.
        let _ = std::io::stderr().write_all(text.as_bytes());
        let _ = said.send(());
    });
    let _ = done.recv_timeout(LONGEST);
}

const LONGEST: Duration = Duration::from_secs(2);
