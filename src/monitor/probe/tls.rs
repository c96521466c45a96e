//! The monitor `tls`: a handshake, whose certificates go to the inventory.

use std::net::SocketAddr;
use std::time::Duration;

use super::probe_trait::{Probe, Probing};
use crate::monitor::assignment::Assignment;
use crate::monitor::outcome::Outcome;
use crate::tls::{self, FetchError};

/// Finishes a TLS handshake, closes, and passes on the certificates that the member showed. Any certificate is taken:
/// whether it is to be trusted is not asked here.
pub(in crate::monitor) struct TlsProbe<'a> {
    assignment: &'a Assignment,
}

impl<'a> TlsProbe<'a> {
    pub(crate) fn new(assignment: &'a Assignment) -> Self {
        Self { assignment }
    }
}

impl Probe for TlsProbe<'_> {
    fn probe(&mut self, address: SocketAddr, limit: Duration) -> Probing<'_> {
        let Assignment { server_name, certificates, member, .. } = self.assignment;
        Box::pin(async move {
            let shown = tls::handshake(address, server_name.as_ref(), limit).await;
            certificates.record(member, shown.chain);
            match shown.outcome {
                Ok(()) => {
                    self.assignment.report_transport(true);
                    Outcome::Answers
                }
                Err(reason @ FetchError::Short(_)) => Outcome::NotMade(format!("{address}: {reason}")),
                Err(reason @ FetchError::TimedOut) => Outcome::Silent(format!("{address}: {reason}")),
                Err(reason) => Outcome::Fails(format!("{address}: {reason}")),
            }
        })
    }
}
