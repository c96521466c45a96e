//! Certificates as they are served: fetched live, watched, and replaced while pronk runs.

#[path = "../support/mod.rs"]
mod support;

use support::{lb, peers};

mod fetch_chain;
mod lint;
mod members;
mod replace;
mod revocation;
mod tls;
