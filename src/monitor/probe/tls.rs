use std::net::SocketAddr;
use std::time::Duration;

use crate::monitor::outcome::Outcome;
use crate::monitor::task::Watch;
use crate::tls::{self, FetchError};

/// Handshakes within `limit`, closes, and hands on what the member showed. Any certificate is taken: whether it is to
/// be trusted is not asked here.
pub(super) async fn tls(watch: &Watch, address: SocketAddr, limit: Duration) -> Outcome {
    let shown = tls::handshake(address, watch.server_name.as_ref(), limit).await;
    watch.certificates.record(&watch.member, shown.chain);
    match shown.outcome {
        Ok(()) => Outcome::Answers,
        Err(reason @ FetchError::Short(_)) => Outcome::NotMade(format!("{address}: {reason}")),
        Err(reason) => Outcome::Fails(format!("{address}: {reason}")),
    }
}
