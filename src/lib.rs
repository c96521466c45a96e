//! pronk: a full-proxy, TLS-terminating load balancer for Apache Impala.

pub mod model;
