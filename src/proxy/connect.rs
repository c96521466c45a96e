//! Choosing a member and connecting to it, and to another when that fails.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsStream;

use super::close::{Close, CloseReason, Who};
use super::record::Record;
use super::stream::Stream;
use super::trail::Went;
use super::virtual_server::{LiveVirtualServer, Snapshot};
use super::wait;
use crate::model::profile::Protocol;
use crate::net::{self, NotConnected, Shortage, Socket};
use crate::pool::{MemberGuard, Served, SetupGuard};
use crate::tls::{TlsFacts, TlsFault};

/// A member that takes bytes.
pub(super) struct Connected {
    pub stream: Stream,
    pub guard: MemberGuard,
    /// Until the member has answered.
    pub setup: SetupGuard,
    /// When the connection was made.
    pub dialed: Instant,
}

/// Connects to the member that the pool chooses. A member that fails is left out and another chosen, up to the pool's
/// `reselect-tries`: no byte of the client's has gone anywhere yet, so nothing is lost. Each choice is made from the
/// newest configuration, which `snapshot` is afterwards. What fails for want of pronk's own resources is no member's
/// failure, and monitors are not told of it.
pub(super) async fn to_a_member(
    virtual_server: &LiveVirtualServer,
    snapshot: &mut Arc<Snapshot>,
    client: &Socket,
    address: IpAddr,
    record: &mut Record,
) -> Result<Connected, Close> {
    let mut tried = Vec::new();
    let mut failed: Option<Close> = None;
    while tried.len() <= snapshot.pool.config.reselect_tries as usize {
        let gone = net::hung_up(&client.tcp);
        let choice = match wait::for_a_member(virtual_server, snapshot, address, &tried, gone, record).await {
            Ok(choice) => choice,
            // What a member did says more than that no other is left.
            Err(close) => return Err(failed.unwrap_or(close)),
        };
        let pool = &snapshot.pool;
        let member = &pool.members[choice.index];
        record.goes_to(&pool.config.name, &member.key, choice.persisted);
        virtual_server.trail.note(Went {
            client: address.to_canonical(),
            when: SystemTime::now(),
            member: member.key.clone(),
            persisted: choice.persisted,
            failed: tried.len(),
            queued: record.phases.queue,
        });
        match to_member(snapshot, choice.index, record).await {
            Ok(stream) => {
                let (guard, setup) = (choice.guard, choice.setup);
                return Ok(Connected { stream, guard, setup, dialed: Instant::now() });
            }
            // Toward another address there may be ports left.
            Err(close) if close.reason == CloseReason::ProxyOutOfPorts => {
                tried.push(member.key.clone());
                failed = Some(close);
            }
            // Another member would lack the same.
            Err(close) if close.reason.who() == Who::Proxy => return Err(close),
            Err(close) => {
                tracing::warn!(
                    virtual_server = %snapshot.config.name,
                    pool = %pool.config.name,
                    member = %member.key,
                    close.code = close.reason.code(),
                    detail = close.detail.as_deref(),
                    remedy = close.reason.remedy(),
                    "member failed a connection; choosing another",
                );
                let reason = close.detail.clone().unwrap_or_else(|| close.reason.to_string());
                member.live.served(Served::Failed(reason));
                tried.push(member.key.clone());
                failed = Some(close);
            }
        }
    }
    Err(failed.unwrap_or_else(|| CloseReason::NoMembers.into()))
}

async fn to_member(snapshot: &Snapshot, index: usize, record: &mut Record) -> Result<Stream, Close> {
    let started = Instant::now();
    let (tcp, address) = dial(snapshot, index).await?;
    record.phases.connect = Some(started.elapsed());
    record.member_address = Some(address);
    record.local_address = tcp.local_addr().ok();
    let socket = Socket::new(tcp);
    match &snapshot.member_tls {
        None => Ok(Stream::Plain(socket)),
        Some(members) => {
            let started = Instant::now();
            let tls = &members[index];
            let handshake = tls.connector().connect(tls.server_name.clone(), socket).into_fallible();
            match timeout(tls.handshake_timeout(), handshake).await {
                Ok(Ok(stream)) => {
                    record.phases.member_tls = Some(started.elapsed());
                    record.member_tls = Some(TlsFacts::of_member_side(stream.get_ref().1, tls));
                    Ok(Stream::Tls(Box::new(TlsStream::Client(stream))))
                }
                Ok(Err((error, _))) => Err(handshake_failed(&error)),
                Err(_) => Err(CloseReason::MemberHandshakeTimeout.into()),
            }
        }
    }
}

/// Connects to the first of a member's addresses that takes the connection, and tells which.
async fn dial(snapshot: &Snapshot, index: usize) -> Result<(TcpStream, SocketAddr), Close> {
    let member = &snapshot.pool.members[index];
    let mut failed = CloseReason::MemberUnreachable.because("its name does not resolve");
    let mut untried = None;
    for address in member.node.addresses().iter() {
        let address = SocketAddr::new(*address, member.key.port);
        match to_address(address, &snapshot.config.protocol).await {
            Ok(tcp) => return Ok((tcp, address)),
            Err(close) if close.reason == CloseReason::ProxyOutOfPorts => untried = Some(close),
            Err(close) if close.reason.who() == Who::Proxy => return Err(close),
            Err(close) => failed = close,
        }
    }
    // An address that could not be tried may be a good one, whatever the others said.
    Err(untried.unwrap_or(failed))
}

async fn to_address(address: SocketAddr, profile: &Protocol) -> Result<TcpStream, Close> {
    let limit = profile.connect_timeout;
    match timeout(limit, net::connect(address)).await {
        Ok(Ok(tcp)) => match net::tune(&tcp, profile) {
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

/// Why the options of a new connection could not be set: that the member has ended it already (`has_peer`) is no fault
/// of ours, anything else is.
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

fn handshake_failed(error: &io::Error) -> Close {
    let fault = TlsFault::of_handshake(error);
    let reason = match &fault {
        TlsFault::NotTls => CloseReason::MemberPlaintext,
        TlsFault::AlertReceived { .. } => CloseReason::MemberHandshakeAlert,
        TlsFault::CertificateName(_) => CloseReason::MemberCertificateName,
        TlsFault::CertificateExpired | TlsFault::CertificateNotYetValid => CloseReason::MemberCertificateExpired,
        TlsFault::CertificateUntrusted => CloseReason::MemberCertificateUntrusted,
        TlsFault::CertificateRevoked | TlsFault::CertificateInvalid(_) | TlsFault::NoCertificateGiven => {
            CloseReason::MemberCertificateRefused
        }
        TlsFault::Closed | TlsFault::CloseNotifyMissing => CloseReason::MemberHandshakeFin,
        TlsFault::Reset => CloseReason::MemberHandshakeReset,
        TlsFault::ServerNameUnknown | TlsFault::ProtocolMismatch(_) | TlsFault::Other(_) => {
            CloseReason::MemberHandshakeFailed
        }
    };
    reason.because(format_args!("the member {}", fault.describe()))
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
