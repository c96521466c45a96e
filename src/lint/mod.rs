//! The linter: what is wrong with certificates behind a load balancer, which clients it affects, and what to do about
//! it.
//!
//! A pure function of [`Subject`]s (a served chain, its key, and what it is for) and a [`Linter`] (the time, trust
//! anchors, revocation lists, levels). Each family of checks is one file or folder, which declares its [`Check`]s
//! beside the code that finds them: names, validity, usage, authorities, keys, chain, peers, cluster, live ports. The
//! [`catalogue`](catalogue()) has all of them.
//!
//! - [`gather`](gather()) makes subjects of files and folders.
//! - [`clients`] judges which clients accept a certificate for a name.
//! - [`report`] writes [`Findings`] for people and for programs.

mod affected;
mod anchors;
mod audience;
mod authorities;
mod catalogue;
mod chain;
mod check;
pub mod clients;
mod cluster;
mod finding;
mod findings;
mod gather;
mod judgement;
mod keys;
mod known_authorities;
mod levels;
mod linter;
mod live_ports;
mod names;
mod peer_checks;
mod peer_files;
mod remedy;
pub mod report;
mod revocation_lists;
mod severity;
mod signature_cache;
mod subject;
mod trust;
mod usage;
mod validity;

pub use catalogue::{catalogue, check};
pub use check::{Check, Clients, Family};
pub use cluster::{ClusterView, ServerRow};
pub use finding::Finding;
pub use findings::Findings;
pub use gather::{Gathered, gather, gather_bundle};
pub use keys::{WeakKeys, WeakKeysError};
pub use levels::{Levels, UnknownCheck};
pub use linter::{EXPIRY_DAYS, Linter};
pub use live_ports::{PortFailure, not_agreed, port_failure};
pub use peer_files::{CurrentList, PeerFile, PeerFiles};
pub use severity::Severity;
pub use subject::{Located, Origin, Role, Subject, Use};
pub use trust::Trust;
