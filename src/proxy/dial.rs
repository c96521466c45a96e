//! Connecting to a member's addresses, and whose fault it is when that fails.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::close_reasons::{Close, CloseReason, Who};
use super::snapshot::Snapshot;
use crate::model::profile::Protocol;
use crate::net::{self, NotConnected, Shortage};

/// Connects to the first of a member's addresses that accepts the connection, all within connect-timeout, and returns
/// that address.
///
/// # Errors
/// Why none of them does.
pub(super) async fn dial(snapshot: &Snapshot, index: usize) -> Result<(TcpStream, SocketAddr), Close> {
    let member = &snapshot.pool.members[index];
    let mut failed = CloseReason::MemberUnreachable.because("its name does not resolve");
    let mut untried = None;
    let addresses = member.node.addresses();
    let profile = &snapshot.config.protocol;
    let begun = Instant::now();
    for (at, address) in addresses.iter().enumerate() {
        let address = SocketAddr::new(*address, member.key.port);
        // What is left is shared, so that none keeps the next from being tried in time.
        let spent = if at == 0 { Duration::ZERO } else { begun.elapsed() };
        let limit = profile.connect_timeout.saturating_sub(spent) / (addresses.len() - at) as u32;
        match connect_to_address(address, profile, limit).await {
            Ok(tcp) => return Ok((tcp, address)),
            Err(close) if close.reason == CloseReason::ProxyOutOfPorts => untried = Some(close),
            Err(close) if close.reason.who() == Who::Proxy => return Err(close),
            Err(close) => failed = close,
        }
    }
    // An address that could not be tried may be a good one, whatever became of the others.
    Err(untried.unwrap_or(failed))
}

async fn connect_to_address(address: SocketAddr, profile: &Protocol, limit: Duration) -> Result<TcpStream, Close> {
    match timeout(limit, net::connect_with(address, profile)).await {
        Ok(Ok(tcp)) => Ok(tcp),
        Ok(Err(failure)) => Err(not_connected(&failure).because(format_args!("{address}: {failure}"))),
        Err(_) => {
            Err(CloseReason::MemberConnectTimeout.because(format_args!("{address} did not answer within {limit:?}")))
        }
    }
}

fn not_connected(failure: &NotConnected) -> CloseReason {
    match failure {
        NotConnected::Short(shortage) => out_of(*shortage),
        NotConnected::NoSource => CloseReason::MemberUnreachable,
        NotConnected::Options(_) => CloseReason::ProxySocketOption,
        NotConnected::Failed(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => CloseReason::MemberRefused,
            io::ErrorKind::TimedOut => CloseReason::MemberConnectTimeout,
            _ => CloseReason::MemberUnreachable,
        },
    }
}

fn out_of(shortage: Shortage) -> CloseReason {
    match shortage {
        Shortage::Descriptors | Shortage::SystemDescriptors => CloseReason::ProxyOutOfDescriptors,
        Shortage::Ports => CloseReason::ProxyOutOfPorts,
        Shortage::Memory => CloseReason::ProxyOutOfMemory,
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn what_pronk_lacks_is_no_members_fault() {
        let failed = |errno: Errno| not_connected(&NotConnected::Failed(errno.into()));
        let short = |shortage| not_connected(&NotConnected::Short(shortage));
        let table = [
            (short(Shortage::Descriptors), CloseReason::ProxyOutOfDescriptors),
            (short(Shortage::SystemDescriptors), CloseReason::ProxyOutOfDescriptors),
            (short(Shortage::Ports), CloseReason::ProxyOutOfPorts),
            (short(Shortage::Memory), CloseReason::ProxyOutOfMemory),
            (not_connected(&NotConnected::NoSource), CloseReason::MemberUnreachable),
            (not_connected(&NotConnected::Options(Errno::INVAL.into())), CloseReason::ProxySocketOption),
            (failed(Errno::CONNREFUSED), CloseReason::MemberRefused),
            (failed(Errno::TIMEDOUT), CloseReason::MemberConnectTimeout),
            (failed(Errno::NETUNREACH), CloseReason::MemberUnreachable),
        ];
        for (reason, expected) in table {
            assert_eq!(reason, expected);
        }
    }
}
