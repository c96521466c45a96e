//! Certificates as they are served: fetched live, watched, and replaced while pronk runs.

#[path = "../support/mod.rs"]
mod support;

#[path = "../proxy/lb.rs"]
#[allow(dead_code, reason = "it serves other tests too")]
mod lb;
#[path = "../proxy/peers.rs"]
#[allow(dead_code, reason = "they serve other tests too")]
mod peers;

mod fetch_chain;
mod lint;
mod members;
mod replace;
mod tls;
