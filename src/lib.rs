//! pronk: a full-proxy, TLS-terminating load balancer for Apache Impala.
#![warn(clippy::allow_attributes)]
// No peer, file or clock may end the process, no call may block a worker, and only `cli` prints.
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
pub mod cert;
pub mod cli;
pub mod config;
pub mod impala;
pub mod model;
pub mod monitor;
pub mod net;
pub mod pool;
pub mod proxy;
pub mod reload;
pub mod stats;
pub mod tls;
