//! pronk as a process, and what passes through it.

#[path = "../support/mod.rs"]
mod support;

use support::{lb, peers};

mod addresses;
mod administration;
mod balance;
mod codes;
mod connections;
mod control;
mod discovery;
mod down;
mod ends;
mod free_port;
mod health;
mod load;
mod logging;
mod memory;
mod metrics;
mod monitors;
mod namespace;
mod openings;
mod process;
mod queue;
mod relay;
mod resolve;
mod rules;
mod seccomp;
mod server_names;
mod shortage;
mod sides;
mod slow_readers;
mod socket_options;
mod statistics;
mod suspects;
mod tls_answers;
mod tls_peers;
mod transports;
