//! The first day with pronk: what `check` says of files that would not work, what F5's words lead to, `init`, the
//! examples, and the documentation as it is pasted.

mod check;
mod examples;
mod init;
mod links;
mod plain;
mod words;

#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::process::{Command, Output};

/// What a command printed, and its exit code.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs `pronk` with these words in a folder.
#[track_caller]
fn pronk(folder: &Path, words: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pronk"));
    command.args(words).current_dir(folder).env_remove("PRONK_ADMIN_SOCKET").env_remove("PRONK_STORE");
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: status.code(), out: text(stdout), err: text(stderr) }
}
