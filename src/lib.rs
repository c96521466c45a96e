//! pronk: a full-proxy, TLS-terminating load balancer for Apache Impala.
//!
//! The map, from the ground up. A module imports lower ones only, and no files import each other in a circle
//! (`tests/architecture/` holds both):
//!
//! | level | modules |
//! |---|---|
//! | 0 | [`model`]: the validated configuration · [`snippet`]: messages with carets · [`reading`]: files read up to a limit · [`words`]: text of messages |
//! | 1 | [`config`]: the file and its keys · [`cert`]: reading certificates and keys · [`net`]: sockets · [`stats`]: counters · [`log`]: log lines · [`handover`]: taking over from another process |
//! | 2 | [`pool`]: members, limits, queue, persistence, the choice · [`lint`]: the linter · [`impala`]: Impala's protocols · [`access`]: roles and tokens · [`audit`]: the audit log |
//! | 3 | [`tls`]: SSL profiles · [`store`]: the certificate store · [`inventory`]: certificates in use |
//! | 4 | [`proxy`]: the data path · [`monitor`]: health and discovery |
//! | 5 | [`control`]: what runs, and how it changes |
//! | 6 | [`admin`]: the admin socket; talks to `control`'s handle · [`verify`]: whether a configuration works in the world around it |
//! | 7 | [`app`]: the process: two runtimes, signals |
//! | 8 | [`cli`]: the commands |
//!
//! `docs/architecture.md` follows a connection ([`proxy`]), a command ([`control`]) and a certificate through the code,
//! and lists the invariants and the words.
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

#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "reads and writes the tokens file"))]
pub mod access;
pub mod admin;
pub mod app;
pub mod audit;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "reads files"))]
pub mod cert;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "commands read files, print, and serve nobody"))]
pub mod cli;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "reads files"))]
pub mod config;
pub mod control;
pub mod handover;
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
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "reads files"))]
pub mod reading;
pub mod snippet;
pub mod stats;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "reads and writes files"))]
pub mod store;
pub mod tls;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "a command's own work: it serves nobody"))]
pub mod verify;
pub mod words;
