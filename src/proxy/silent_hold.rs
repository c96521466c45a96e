//! Holding a client's connection open in silence, as service-down-action `drop` asks.

use std::future::pending;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::sleep;

use super::connection_record::ConnectionRecord;
use super::open_connection::OpenPhase;
use super::stop::Stop;
use crate::net;

/// Holds a client's connection and sends nothing: until the client leaves, `limit` is over or the connection is ended
/// from outside, which is returned.
///
/// F5 forgets such a connection. A process cannot: its kernel would answer the client's next packet with a reset.
pub(super) async fn hold_silently(
    client: &TcpStream,
    limit: Option<Duration>,
    record: &ConnectionRecord,
) -> Option<Stop> {
    record.begin(OpenPhase::Held);
    let time_over = async {
        match limit {
            Some(limit) => sleep(limit).await,
            None => pending().await,
        }
    };
    tokio::select! {
        () = net::peer_closed(client) => None,
        () = time_over => None,
        stop = record.stopped() => Some(stop),
    }
}
