//! The options of the log: what is logged, in which format and where.

use std::path::PathBuf;

use tracing_subscriber::EnvFilter;

/// What is logged, in which format and where.
#[derive(Debug)]
pub struct Options {
    pub format: Format,
    pub filter: EnvFilter,
    pub target: Target,
    /// Colours, in text.
    pub color: bool,
}

/// The format of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    /// One JSON object a line.
    Json,
}

/// Where lines are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Stderr,
    /// A file that lines are appended to. It is created with mode 0640 if it does not exist.
    File(PathBuf),
}
