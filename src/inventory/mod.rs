//! The inventory of certificates in use while pronk runs: those of profiles, and those that monitors of type tls see on
//! members.
//!
//! - [`Targets`] are what a configuration has to do with certificates, and what is expected of each.
//! - [`chains`] and [`trust`] read chains and authorities, [`profile_files`] knows which files profiles name.
//! - [`Inventory`] keeps what is known, lints it when it changes and every hour, and logs what is new.

mod certificates;
pub mod chains;
mod examine;
pub mod profile_files;
mod reported_findings;
mod state;
pub mod targets;
pub mod trust;
mod view;

pub use certificates::Inventory;
pub use state::Chain;
pub use targets::Targets;
pub use view::{CertificateSummary, CertificateView, Snapshot, StaleView};
