//! What goes to standard output.

use std::io::{IsTerminal, Write};

use crate::cert::MaterialError;

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
    /// Whether a stream gets them.
    pub(super) fn on(self, stream: &impl IsTerminal) -> bool {
        // As https://no-color.org has it.
        let is = |variable: &str| std::env::var_os(variable).unwrap_or_default();
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => stream.is_terminal() && is("NO_COLOR").is_empty() && is("TERM") != "dumb",
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
        $crate::cli::screen::tell(&format!("{}\n", format_args!($($text)*)))
    };
}

/// As `print!`, but a reader that has left is no error.
macro_rules! out {
    ($($text:tt)*) => {
        $crate::cli::screen::tell(&format!($($text)*))
    };
}

pub(super) use {out, outln};

/// Tells on standard error what could not be read, each with its remedy.
pub(super) fn unreadable(errors: &[MaterialError]) {
    for error in errors {
        eprintln!("error: {error}");
        error.help().iter().for_each(|help| eprintln!("  = help: {help}"));
    }
}

/// As [`print`]; what else goes wrong is told, as it cannot be told there.
pub(super) fn tell(text: &str) {
    if let Err(error) = print(text) {
        eprintln!("error: cannot write to standard output: {error}");
    }
}
