//! The running system: what runs, and how it changes.
//!
//! A change goes this way, whoever asks for it (SIGHUP, the admin socket, discovery, certificate files that changed):
//!
//! 1. A [`Handle`] sends a command (`command`) to the [`Controller`], the one task that owns what runs. Whether the
//!    command is allowed depends on the [`Phase`].
//! 2. What is to run is a pure function of the file, of what discovery found, and of what administrators set: `desired` and
//!    `administration`.
//! 3. Everything that takes time or can fail (reading files, deriving keys, names, sockets) is done on threads that may
//!    block, and changes nothing: `reload::prepare`, which returns a `Prepared`.
//! 4. A `Prepared` is applied by a function that neither waits nor fails: `reload::commit`. Destinations that overlap
//!    are handed over by `listeners::handover`.
//! 5. The tasks that the configuration asks for (monitors, names, discovery) are started, kept or ended: `assignments`.
//!    Each is supervised: `supervisor`.
//!
//! A new process takes over without a refused client in `handover`.
//!
//! Certificate files that change on disk are noticed in `certificate_files`. What serves is read by everybody without a
//! lock: [`Serving`].

#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "its file is read and written where nothing waits"))]
mod administration;
mod assignments;
mod background_tasks;
mod built_profiles;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "files are read on a thread that may block"))]
mod certificate_files;
mod certificate_warnings;
mod command;
mod command_error;
mod controller;
mod desired;
mod drain;
mod drains;
mod handle;
mod handover;
mod lint_levels;
mod listeners;
mod monitor_credentials;
mod network_api;
mod phase;
mod preview;
mod reload;
mod reload_counts;
mod reload_report;
mod serving;
mod stop_request;
mod supervisor;
mod system_state;
mod unused_memory;

pub use administration::{Administered, Administration, Change, DrainPlan, Entry, Request, Target, TargetKind};
pub use command_error::CommandError;
pub use controller::Controller;
pub use drain::drain;
pub use drains::{Drain, Drained};
pub use handle::Handle;
pub use handover::{DrainingProcess, HandedOver, Inheritance};
pub use lint_levels::lint_levels;
pub use network_api::NetworkApi;
pub use phase::Phase;
pub use preview::Preview;
pub use reload::check;
pub use reload_counts::ReloadCounts;
pub use reload_report::ReloadReport;
pub use serving::Serving;
pub use stop_request::StopRequest;
pub use supervisor::{Restarts, SupervisedTask};
pub use system_state::ListeningSockets;
