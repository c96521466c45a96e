//! The process: `pronk run`, from its start to its end.

mod run;
mod signals;
mod systemd;

pub use run::{Options, run};
