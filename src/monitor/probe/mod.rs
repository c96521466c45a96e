//! What monitors do to find out whether a member serves, one file a protocol. Each implements [`Probe`], and
//! `monitor/kind.rs` says which kind of monitor makes which.

mod http;
mod icmp;
mod impala;
mod limit;
mod page;
mod port;
mod probe_trait;
mod stream;
mod tcp;
#[cfg(test)]
mod tests;
mod tls;
mod web_ui;

pub(super) use http::HttpProbe;
pub(super) use icmp::Pinger;
pub use icmp::ping_refused;
pub(super) use impala::ImpalaProbe;
pub(super) use limit::Limit;
pub(super) use port::{Port, Served, protocol_of};
pub(super) use probe_trait::Probe;
#[cfg(test)]
pub(super) use probe_trait::Probing;
pub use stream::How;
pub(super) use stream::{Failure, exchange, open};
pub(super) use tcp::{Gateway, HalfOpen, Tcp, refusal};
pub(super) use tls::TlsProbe;
pub(super) use web_ui::{Need, web_page};
