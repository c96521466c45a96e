//! What goes to standard output and standard error, and whether it has colours.

use std::io::Write;

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};

use crate::cert::MaterialError;
use crate::config::Diagnostics;

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    Always,
    Never,
}

impl Color {
    /// Returns whether a stream gets them.
    pub(super) fn on(self, stream: &impl RawStream) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => AutoStream::choice(stream) != ColorChoice::Never,
        }
    }
}

/// Writes to standard output; a reader that has left is no error.
///
/// # Errors
/// It cannot be written for another reason, such as a full disk.
pub(super) fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

/// As `println!`, but a reader that has left is no error.
macro_rules! outln {
    ($($text:tt)*) => {
        $crate::cli::screen::print_or_report(&format!("{}\n", format_args!($($text)*)))
    };
}

/// As `print!`, but a reader that has left is no error.
macro_rules! out {
    ($($text:tt)*) => {
        $crate::cli::screen::print_or_report(&format!($($text)*))
    };
}

pub(super) use {out, outln};

/// Writes to standard error what there is to say about a configuration.
pub(super) fn diagnostics(found: &Diagnostics) {
    eprintln!("{}", found.render(Color::Auto.on(&std::io::stderr())));
}

/// Writes to standard error what could not be read, each with its remedy.
pub(super) fn unreadable(errors: &[MaterialError]) {
    for error in errors {
        eprintln!("error: {error}");
        error.help().iter().for_each(|help| eprintln!("  = help: {help}"));
    }
}

/// As [`print`], and reports on standard error what else goes wrong.
pub(super) fn print_or_report(text: &str) {
    if let Err(error) = print(text) {
        eprintln!("error: cannot write to standard output: {error}");
    }
}
