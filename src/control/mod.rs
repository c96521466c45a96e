//! The running system: what runs, and how it changes.
//!
//! A change goes this way, whoever asks for it (a signal, the admin socket, discovery, files that were replaced):
//!
//! 1. A [`Handle`] sends a command to the [`Controller`], the one task that owns what runs. Whether the command is
//!    carried out depends on the [`Phase`]: `command`.
//! 2. What is to run is a pure function of the file and of what was found while running: `desired`.
//! 3. Everything that takes time or can fail (reading files, deriving keys, names, sockets) is done on threads that may
//!    block, and changes nothing: `prepare`, which yields a `Prepared`.
//! 4. A `Prepared` is put in force by a function that neither waits nor fails: `commit`. Destinations that overlap are
//!    handed over by `listeners`.
//! 5. The tasks that the configuration asks for (monitors, names, discovery) are started, kept or ended: `assignments`.
//!    Each is supervised: `children`.
//!
//! What serves is read by everybody without a lock ([`Serving`]).

mod assignments;
mod background_tasks;
mod built_profiles;
mod certificate_files;
mod command;
mod controller;
mod desired;
mod drain;
mod lint_levels;
mod listeners;
mod monitor_credentials;
mod phase;
mod reload;
mod serving;
mod supervisor;

pub use command::{CommandError, Handle};
pub use controller::Controller;
pub use drain::drain;
pub use lint_levels::lint_levels;
pub use phase::Phase;
pub use reload::check;
pub use serving::{ReloadReport, Serving};
pub use supervisor::{Restarts, SupervisedTask};
