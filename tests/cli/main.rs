//! The command line: what it prints where, with which exit code, and what it takes.

#[path = "../support/mod.rs"]
mod support;

use support::lb;

mod arguments;
mod completions;
mod limits;
mod output;

use std::process::{Command, Output};

/// `pronk` with these arguments.
fn pronk(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pronk"));
    command.args(arguments).env_remove("PRONK_ADMIN_SOCKET").env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("it was killed: {}", said(output)))
}
