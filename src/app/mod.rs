//! The process: `pronk run`, from its start to its end.

mod administration;
mod inheritance;
mod run;
mod signals;
mod systemd;
mod workers;

pub use run::{Options, run};
