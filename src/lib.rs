//! pronk: a full-proxy, TLS-terminating load balancer for Apache Impala.
//!
//! The map, from the ground up; a module imports lower ones only (`tests/architecture.rs` holds that):
//!
//! | level | modules |
//! |---|---|
//! | 0 | [`model`]: the validated configuration · [`snippet`]: messages with their place |
//! | 1 | [`config`]: the file · [`cert`]: certificates and keys · [`net`]: sockets · [`stats`]: counters · [`log`]: lines on their way out |
//! | 2 | [`pool`]: members, choice, queue, persistence · [`lint`]: what is wrong with certificates · [`impala`]: its protocols |
//! | 3 | [`tls`]: profiles · [`store`]: the certificate store · [`inventory`]: certificates in use |
//! | 4 | [`proxy`]: the life of a connection · [`monitor`]: health, discovery |
//! | 5 | [`control`]: what runs, and how it changes |
//! | 6 | [`admin`]: the unix socket; talks to `control`'s handle |
//! | 7 | [`app`]: two runtimes, signals |
//! | 8 | [`cli`]: one file a command |
//!
//! Invariants: a connection takes the newest snapshot whenever it wants a member; live state survives reloads;
//! administrative state and health are separate; every count is a guard; every end of a connection has a
//! [`proxy::CloseReason`]; what runs is changed by [`control`] alone, and nothing that it does holds up a connection.
#![warn(clippy::allow_attributes, unreachable_pub)]
// No peer, file or clock may end the process, no call may block a worker, and only `cli` prints. What reads files is
// called on threads that may block.
#![cfg_attr(
    not(test),
    warn(
        clippy::disallowed_methods,
        clippy::exit,
        clippy::mem_forget,
        clippy::panic,
        clippy::print_stderr,
        clippy::print_stdout,
        clippy::unwrap_used
    )
)]

pub mod admin;
pub mod app;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "reads files"))]
pub mod cert;
#[cfg_attr(
    not(test),
    expect(clippy::disallowed_methods, clippy::print_stderr, reason = "commands read files, print, and serve nobody")
)]
pub mod cli;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "reads files"))]
pub mod config;
pub mod control;
pub mod impala;
pub mod inventory;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "reads files"))]
pub mod lint;
pub mod log;
pub mod model;
pub mod monitor;
pub mod net;
pub mod pool;
pub mod proxy;
pub mod snippet;
pub mod stats;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "reads and writes files"))]
pub mod store;
pub mod tls;
