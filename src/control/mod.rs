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
mod children;
mod command;
mod commit;
mod controller;
mod credentials;
mod desired;
mod drain;
mod files;
mod lint;
mod listeners;
mod loads;
mod phase;
mod prepare;
mod serving;
mod tls;
mod upkeep;

pub use children::{Child, Restarts};
pub use command::{Handle, Refused};
pub use controller::Controller;
pub use drain::drain;
pub use lint::lint_levels;
pub use phase::Phase;
pub use prepare::check;
pub use serving::{Report, Serving};
