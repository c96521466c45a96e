use std::net::SocketAddr;
use std::time::Duration;

use crate::monitor::assignment::Assignment;
use crate::monitor::outcome::Outcome;
use crate::tls::{self, Unfetched};

/// Handshakes within `limit`, closes, and hands on what the member showed. Any certificate is taken: whether it is to
/// be trusted is not asked here.
pub(super) async fn tls(assignment: &Assignment, address: SocketAddr, limit: Duration) -> Outcome {
    let shown = tls::handshake(address, assignment.server_name.as_ref(), limit).await;
    assignment.certificates.saw(&assignment.member, shown.chain);
    match shown.outcome {
        Ok(()) => Outcome::Answers,
        Err(reason @ Unfetched::Short(_)) => Outcome::NotMade(format!("{address}: {reason}")),
        Err(reason) => Outcome::Fails(format!("{address}: {reason}")),
    }
}
