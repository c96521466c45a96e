//! pronk: a full-proxy, TLS-terminating load balancer for Apache Impala.
#![deny(unsafe_code)]

pub mod impala;
pub mod model;
pub mod net;
pub mod pool;
pub mod stats;
