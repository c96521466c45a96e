//! Waiting for a client's first bytes: a member is chosen only after the client has sent some.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::close_reasons::{Close, CloseReason};
use super::connection_record::ConnectionRecord;
use super::flow::Flow;
use super::open_connection::OpenPhase;
use super::phase_histograms::PhaseTime;
use super::stream::Stream;
use crate::impala::Opening;
use crate::model::{Mode, VirtualServer};
use crate::tls::TlsFault;

/// Waits until the client sends its first bytes, within the idle timeout, and keeps them in `inbound`.
///
/// # Errors
/// Why there are none: the client was silent for too long, or its connection ended.
pub(super) async fn receive(
    client: &mut Stream,
    inbound: &mut Flow,
    idle_timeout: Option<Duration>,
    record: &ConnectionRecord,
) -> Result<(), Close> {
    record.begin(OpenPhase::FirstByte);
    let started = Instant::now();
    let first = inbound.receive_first(client);
    let received = match idle_timeout {
        Some(limit) => timeout(limit, first).await.map_err(|_| Close::from(CloseReason::ClientSilent))?,
        None => first.await,
    };
    record.note(|facts| facts.times.first_byte = Some(PhaseTime::since(started)));
    match received {
        Ok(true) => {
            record.set_opening(inbound, client);
            Ok(())
        }
        Ok(false) => Err(CloseReason::ClientLeftSilent.into()),
        Err(error) => Err(failed(&error)),
    }
}

/// Refuses TLS from the client where only the member's side has it: TLS within TLS would leave both sides waiting.
///
/// # Errors
/// The client speaks TLS.
pub(super) fn check(opening: Opening, config: &VirtualServer) -> Result<(), Close> {
    if opening == Opening::Tls && config.mode() == Mode::ServerOnly {
        return Err(CloseReason::ClientTlsUnexpected.into());
    }
    Ok(())
}

fn failed(error: &io::Error) -> Close {
    let fault = TlsFault::of_relay(error);
    let reason = match &fault {
        TlsFault::CloseNotifyMissing => return CloseReason::ClientLeftSilent.into(),
        TlsFault::Reset => return CloseReason::ClientResetSilent.into(),
        TlsFault::AlertReceived { .. } => CloseReason::ClientHandshakeAlert,
        _ => CloseReason::ClientTlsFailed,
    };
    reason.because(format_args!("the client {}", fault.describe()))
}
