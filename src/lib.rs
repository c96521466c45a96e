//! pronk: a full-proxy, TLS-terminating load balancer for Apache Impala.
#![deny(unsafe_code)]

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
