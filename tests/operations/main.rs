//! Operating pronk: upgrades, and changes of all kinds under load.

#[path = "../support/mod.rs"]
mod support;

use support::{ca, lb, peers, tls};

mod activation;
mod draining;
mod elsewhere;
mod under_load;
mod upgrade;
