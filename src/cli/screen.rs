//! What goes to standard output and standard error, and whether it has colours.

use std::io::{self, StdoutLock, Write};

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use anyhow::anyhow;

use crate::cert::MaterialError;
use crate::config::Diagnostics;
use crate::reading::os_reason;

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless the variable NO_COLOR is set.
    #[default]
    Auto,
    Always,
    Never,
}

impl Color {
    /// Makes it the choice of the whole process.
    pub(super) fn choose(self) {
        match self {
            Self::Auto => ColorChoice::Auto,
            Self::Always => ColorChoice::Always,
            Self::Never => ColorChoice::Never,
        }
        .write_global();
    }
}

/// Returns whether what goes to a stream has colours.
pub(super) fn has_color(stream: &impl RawStream) -> bool {
    AutoStream::choice(stream) != ColorChoice::Never
}

/// Writes to standard output.
///
/// # Errors
/// It cannot be written: its reader has left, or the disk is full.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    write(|out| out.write_all(text.as_bytes()))
}

/// Lets something write itself to standard output.
///
/// # Errors
/// It cannot be written: its reader has left, or the disk is full.
pub(super) fn write(writing: impl FnOnce(&mut StdoutLock<'_>) -> io::Result<()>) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writing(&mut out)
        .and_then(|()| out.flush())
        .map_err(|error| anyhow!("cannot write to standard output: {}", os_reason(&error)))
}

/// As `println!`, and returns whether it could be written.
macro_rules! outln {
    ($($text:tt)*) => {
        $crate::cli::screen::print(&format!("{}\n", format_args!($($text)*)))
    };
}

/// As `print!`, and returns whether it could be written.
macro_rules! out {
    ($($text:tt)*) => {
        $crate::cli::screen::print(&format!($($text)*))
    };
}

/// As `eprintln!`. Where it cannot be written, there is nobody to tell.
macro_rules! errln {
    ($($text:tt)*) => {
        $crate::cli::screen::print_error(&format!("{}\n", format_args!($($text)*)))
    };
}

pub(super) use {errln, out, outln};

/// Writes to standard error.
pub(super) fn print_error(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Writes to standard error what there is to say about a configuration.
pub(super) fn diagnostics(found: &Diagnostics) {
    errln!("{}", found.render(has_color(&io::stderr())));
}

/// Writes to standard error what could not be read, each with its remedy.
pub(super) fn unreadable(errors: &[MaterialError]) {
    for error in errors {
        errln!("error: {error}");
        error.help().iter().for_each(|help| errln!("  = help: {help}"));
    }
}
