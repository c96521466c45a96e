//! The keys of monitors. A new type is a file here, a line in each list of `types`, and its word in `common`.

mod common;
mod connect;
mod http;
mod impala;
mod inband;
mod port_ssl;
mod types;

pub(in crate::config) use common::ProbingKeys;
pub(in crate::config) use types::{MONITORS, monitor_facts};
