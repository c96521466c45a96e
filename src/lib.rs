//! pronk: a full-proxy, TLS-terminating load balancer for Apache Impala.

#![deny(unsafe_code)]

pub mod cert;
pub mod model;
pub mod tls;
