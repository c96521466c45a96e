//! Connecting to a member's addresses, and whose fault it is when that fails.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::close_reasons::{Close, CloseReason, Who};
use super::snapshot::Snapshot;
use crate::model::profile::Protocol;
use crate::net::{self, NotConnected, Shortage};

/// Connects to the first of a member's addresses that accepts the connection, and returns that address.
///
/// # Errors
/// Why none of them does.
pub(super) async fn dial(snapshot: &Snapshot, index: usize) -> Result<(TcpStream, SocketAddr), Close> {
    let member = &snapshot.pool.members[index];
    let mut failed = CloseReason::MemberUnreachable.because("its name does not resolve");
    let mut untried = None;
    for address in member.node.addresses().iter() {
        let address = SocketAddr::new(*address, member.key.port);
        match connect_to_address(address, &snapshot.config.protocol).await {
            Ok(tcp) => return Ok((tcp, address)),
            Err(close) if close.reason == CloseReason::ProxyOutOfPorts => untried = Some(close),
            Err(close) if close.reason.who() == Who::Proxy => return Err(close),
            Err(close) => failed = close,
        }
    }
    // An address that could not be tried may be a good one, whatever became of the others.
    Err(untried.unwrap_or(failed))
}

async fn connect_to_address(address: SocketAddr, profile: &Protocol) -> Result<TcpStream, Close> {
    let limit = profile.connect_timeout;
    match timeout(limit, net::connect(address)).await {
        Ok(Ok(tcp)) => match net::set_options(&tcp, profile) {
            Ok(()) => Ok(tcp),
            Err(error) => Err(not_tuned(&error, tcp.peer_addr().is_ok()).because(format_args!("{address}: {error}"))),
        },
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
        NotConnected::Failed(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => CloseReason::MemberRefused,
            io::ErrorKind::TimedOut => CloseReason::MemberConnectTimeout,
            _ => CloseReason::MemberUnreachable,
        },
    }
}

/// Returns why the options of a new connection could not be set. Without a peer (`has_peer`) the member has ended it
/// already; any other failure is pronk's own.
fn not_tuned(error: &io::Error, has_peer: bool) -> CloseReason {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, NotConnected};
    match Shortage::of(error) {
        Some(shortage) => {
            shortage.report("setting the options of a connection to a member");
            out_of(shortage)
        }
        None if !has_peer || matches!(error.kind(), NotConnected | ConnectionReset | BrokenPipe) => {
            CloseReason::MemberUnreachable
        }
        None => CloseReason::ProxySocketOption,
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
            (failed(Errno::CONNREFUSED), CloseReason::MemberRefused),
            (failed(Errno::TIMEDOUT), CloseReason::MemberConnectTimeout),
            (failed(Errno::NETUNREACH), CloseReason::MemberUnreachable),
        ];
        for (reason, expected) in table {
            assert_eq!(reason, expected);
        }
    }

    #[test]
    fn options_fail_by_the_members_doing_only_once_it_has_gone() {
        // While the member is there, and once it has gone.
        let table = [
            (Errno::INVAL, CloseReason::ProxySocketOption, CloseReason::MemberUnreachable),
            (Errno::NOPROTOOPT, CloseReason::ProxySocketOption, CloseReason::MemberUnreachable),
            (Errno::NOTCONN, CloseReason::MemberUnreachable, CloseReason::MemberUnreachable),
            (Errno::CONNRESET, CloseReason::MemberUnreachable, CloseReason::MemberUnreachable),
            (Errno::NOBUFS, CloseReason::ProxyOutOfMemory, CloseReason::ProxyOutOfMemory),
        ];
        for (errno, there, gone) in table {
            assert_eq!((not_tuned(&errno.into(), true), not_tuned(&errno.into(), false)), (there, gone), "{errno}");
        }
    }
}
