//! pronk as a process, and what passes through it.

#[path = "../support/mod.rs"]
mod support;

mod balance;
mod codes;
mod control;
mod discovery;
mod down;
mod lb;
mod load;
mod logging;
mod monitors;
mod namespace;
mod peers;
mod process;
mod queue;
mod relay;
mod rules;
mod shortage;
mod socket_options;
mod tls_peers;
mod truncation;
